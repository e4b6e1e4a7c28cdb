package org.quorumail.gossip.net;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is inside a frame: some messages one after the other, compressed when that is shorter.
 *
 * <pre>
 * 0  1  1 when the rest is a Zstandard frame, else 0
 * 1  …  messages, each: length (4), bytes
 * </pre>
 */
final class Body {
  /** Below this, Zstandard's own header eats the gain. */
  static final int MIN_COMPRESSED = 256;

  /** The byte in front, and the length in front of each message. */
  static final int OVERHEAD = 1;

  static final int PER_MESSAGE = Integer.BYTES;

  /** A datagram holds some hundred of the smallest messages; a stream's frame holds one. */
  private static final int MAX_MESSAGES = 4_096;

  private Body() {}

  static byte[] write(List<byte[]> messages, boolean compress) {
    int length = messages.stream().mapToInt(m -> PER_MESSAGE + m.length).sum();
    ByteBuffer plain = ByteBuffer.allocate(OVERHEAD + length).put((byte) 0);
    for (byte[] message : messages) plain.putInt(message.length).put(message);
    if (!compress || length < MIN_COMPRESSED) return plain.array();
    byte[] rest = new byte[length];
    plain.get(OVERHEAD, rest);
    Optional<byte[]> smaller = Compression.deflate(rest);
    if (smaller.isEmpty()) return plain.array();
    return ByteBuffer.allocate(OVERHEAD + smaller.get().length)
        .put((byte) 1)
        .put(smaller.get())
        .array();
  }

  /**
   * @param maxInflated bytes that a compressed body may grow to
   */
  static List<byte[]> read(byte[] body, int maxInflated)
      throws MalformedFrame, Compression.TooLarge {
    if (body.length < OVERHEAD) throw new MalformedFrame("an empty body");
    ByteBuffer in =
        switch (body[0]) {
          case 0 -> ByteBuffer.wrap(body, OVERHEAD, body.length - OVERHEAD);
          case 1 -> ByteBuffer.wrap(Compression.inflate(body, OVERHEAD, maxInflated));
          default -> throw new MalformedFrame("an unknown form of body");
        };
    List<byte[]> messages = new ArrayList<>();
    while (in.hasRemaining()) {
      if (in.remaining() < PER_MESSAGE) throw new MalformedFrame("a cut length");
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
