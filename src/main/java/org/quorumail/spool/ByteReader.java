package org.quorumail.spool;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.quorumail.mail.QueueId;

/**
 * A reader of the bytes of {@link ByteWriter}. Malformed bytes end in an {@link IOException} of one
 * sentence, before memory is reserved for the lengths that they claim.
 */
final class ByteReader {
  private final ByteBuffer in;
  private final String subject;

  /**
   * @param subject of error messages, such as "an entry"
   */
  ByteReader(ByteBuffer in, String subject) {
    this.in = in;
    this.subject = subject;
  }

  static IOException unknown(String what, String part, int code) {
    return new IOException(
        "%s has the %s %d, which this version does not know: run the version that wrote it"
            .formatted(what, part, code));
  }

  int u8() throws IOException {
    return need(1).get() & 0xFF;
  }

  boolean flag() throws IOException {
    int code = u8();
    if (code > 1) throw unknown(subject, "flag", code);
    return code == 1;
  }

  int u16() throws IOException {
    return need(2).getShort() & 0xFFFF;
  }

  int i32() throws IOException {
    return need(4).getInt();
  }

  long i64() throws IOException {
    return need(8).getLong();
  }

  QueueId id() throws IOException {
    need(QueueId.BYTES);
    return new QueueId(in.getLong(), in.getLong());
  }

  String text() throws IOException {
    return new String(block().array(), StandardCharsets.UTF_8);
  }

  /** Reads bytes with their length before them, into a copy. */
  SpoolEntry.ByteSlice block() throws IOException {
    byte[] bytes = new byte[count()];
    in.get(bytes);
    return SpoolEntry.ByteSlice.of(bytes);
  }

  /** Reads the number of items, each of which has at least one byte. */
  int count() throws IOException {
    int n = i32();
    if (n < 0 || n > in.remaining()) throw damaged();
    return n;
  }

  void end() throws IOException {
    if (in.hasRemaining()) throw damaged();
  }

  private ByteBuffer need(int bytes) throws IOException {
    if (in.remaining() < bytes) throw damaged();
    return in;
  }

  private IOException damaged() {
    return new IOException(subject + " is damaged: its lengths do not fit its bytes");
  }

  /** Turns the exceptions of values that refuse malformed fields into those of the format. */
  static <T> T checked(String what, FieldParser<T> reading) throws IOException {
    try {
      return reading.parse();
    } catch (IllegalArgumentException | BufferUnderflowException e) {
      throw new IOException(what + " is damaged: " + e.getMessage(), e);
    }
  }

  interface FieldParser<T> {
    T parse() throws IOException;
  }
}
