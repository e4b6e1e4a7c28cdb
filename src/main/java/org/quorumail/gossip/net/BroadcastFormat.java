package org.quorumail.gossip.net;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.PlumtreeCodec;
import org.quorumail.gossip.PlumtreeMessage;

/**
 * A message of broadcasts between drivers: one byte of kind, the length of the sender's id, the id,
 * and the core's own bytes. Immutable.
 */
final class BroadcastFormat {
  static final byte KIND = 2;

  private static final int NAME = 2;

  private final byte[] prefix;
  private final PlumtreeCodec codec;

  /**
   * @param maxMessageSize of a payload, in bytes
   */
  BroadcastFormat(NodeId self, int maxMessageSize) {
    byte[] name = self.value().getBytes(StandardCharsets.US_ASCII);
    this.prefix =
        ByteBuffer.allocate(NAME + name.length).put(KIND).put((byte) name.length).put(name).array();
    this.codec = new PlumtreeCodec(maxMessageSize);
  }

  byte[] write(PlumtreeMessage message) {
    ByteBuffer bytes = codec.encode(message);
    byte[] framed = new byte[prefix.length + bytes.remaining()];
    System.arraycopy(prefix, 0, framed, 0, prefix.length);
    bytes.get(framed, prefix.length, bytes.remaining());
    return framed;
  }

  /** Who says that it has sent it; empty when that is no id. */
  static Optional<NodeId> sender(byte[] framed) {
    int length = framed[1];
    if (length < 1 || length > NodeId.MAX_LENGTH || framed.length < NAME + length) {
      return Optional.empty();
    }
    try {
      return Optional.of(new NodeId(new String(framed, NAME, length, StandardCharsets.US_ASCII)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** What follows the sender, which {@link #sender} has found there. */
  PlumtreeCodec.Decoded message(byte[] framed) {
    int from = NAME + framed[1];
    return codec.decode(ByteBuffer.wrap(framed, from, framed.length - from).slice());
  }
}
