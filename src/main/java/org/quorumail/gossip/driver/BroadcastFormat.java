package org.quorumail.gossip.driver;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeMessage;

/**
 * The format of a broadcast message between drivers: kind (1), length of the sender's id (1), the
 * id, and the bytes of the core's codec. Immutable.
 */
public final class BroadcastFormat {
  static final byte MESSAGE_KIND = 2;

  private static final int ID_OFFSET = 2;

  private final byte[] prefix;
  private final PlumtreeCodec codec;

  /**
   * @param maxMessageSize the limit of a payload, in bytes
   */
  public BroadcastFormat(NodeId self, int maxMessageSize) {
    byte[] name = self.value().getBytes(StandardCharsets.US_ASCII);
    this.prefix =
        ByteBuffer.allocate(ID_OFFSET + name.length)
            .put(MESSAGE_KIND)
            .put((byte) name.length)
            .put(name)
            .array();
    this.codec = new PlumtreeCodec(maxMessageSize);
  }

  public byte[] encode(PlumtreeMessage message) {
    ByteBuffer bytes = codec.encode(message);
    byte[] framed = new byte[prefix.length + bytes.remaining()];
    System.arraycopy(prefix, 0, framed, 0, prefix.length);
    bytes.get(framed, prefix.length, bytes.remaining());
    return framed;
  }

  /** The id that the message claims as its sender; empty when it is malformed. */
  static Optional<NodeId> claimedSender(byte[] framed) {
    if (framed.length < ID_OFFSET) return Optional.empty();
    int length = framed[1];
    if (length < 1 || length > NodeId.MAX_LENGTH || framed.length < ID_OFFSET + length) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new NodeId(new String(framed, ID_OFFSET, length, StandardCharsets.US_ASCII)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The message after the sender, which {@link #claimedSender} must have found. */
  public PlumtreeCodec.Decoded decode(byte[] framed) {
    int from = ID_OFFSET + framed[1];
    return codec.decode(ByteBuffer.wrap(framed, from, framed.length - from).slice());
  }
}
