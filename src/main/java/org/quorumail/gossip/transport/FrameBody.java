package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The content of a frame: messages one after the other, compressed when that is shorter.
 *
 * <pre>
 * 0  1  compression of the rest: 0 none, 1 Zstandard, 2 gzip
 * 1  …  messages, each: length (4), bytes
 * </pre>
 */
public final class FrameBody {
  /** A body without messages: the sender is alive. */
  static final byte[] KEEP_ALIVE = {Compression.PLAIN};

  /** The byte in front of the messages. */
  static final int OVERHEAD = 1;

  /** The length in front of each message. */
  public static final int MESSAGE_OVERHEAD = Integer.BYTES;

  /** A datagram holds some hundred of the smallest messages; a frame of a stream holds one. */
  private static final int MAX_MESSAGES = 4_096;

  private FrameBody() {}

  static byte[] encode(List<byte[]> messages, Compression compression) {
    int length = messages.stream().mapToInt(m -> MESSAGE_OVERHEAD + m.length).sum();
    ByteBuffer plain = ByteBuffer.allocate(OVERHEAD + length).put(Compression.PLAIN);
    for (byte[] message : messages) plain.putInt(message.length).put(message);
    byte[] rest = new byte[length];
    plain.get(OVERHEAD, rest);
    Optional<Compression.Compressed> smaller = compression.compress(rest);
    if (smaller.isEmpty()) return plain.array();
    byte[] bytes = smaller.get().bytes();
    return ByteBuffer.allocate(OVERHEAD + bytes.length)
        .put(smaller.get().algorithm())
        .put(bytes)
        .array();
  }

  /**
   * Reads the messages of a body.
   *
   * @param maxDecompressed bytes that a compressed body may grow to
   */
  static List<byte[]> decode(byte[] body, int maxDecompressed)
      throws MalformedFrame, Compression.DecompressedTooLarge {
    if (body.length < OVERHEAD) throw new MalformedFrame("an empty body");
    ByteBuffer in =
        body[0] == Compression.PLAIN
            ? ByteBuffer.wrap(body, OVERHEAD, body.length - OVERHEAD)
            : ByteBuffer.wrap(Compression.decompress(body[0], body, OVERHEAD, maxDecompressed));
    List<byte[]> messages = new ArrayList<>();
    while (in.hasRemaining()) {
      if (in.remaining() < MESSAGE_OVERHEAD) throw new MalformedFrame("a cut length");
      int length = in.getInt();
      if (length < 0 || length > in.remaining()) throw new MalformedFrame("a cut message");
      if (messages.size() == MAX_MESSAGES) throw new MalformedFrame("too many messages");
      byte[] message = new byte[length];
      in.get(message);
      messages.add(message);
    }
    return messages;
  }
}
