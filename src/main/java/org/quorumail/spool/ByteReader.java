package org.quorumail.spool;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.quorumail.mail.QueueId;

/**
 * Reads what {@link ByteWriter} wrote. Whatever is wrong with the bytes ends in an {@link
 * IOException} of one sentence, before memory is reserved for what they claim.
 */
final class ByteReader {
  private final ByteBuffer in;
  private final String subject;

  /**
   * @param what the subject of error messages, such as "an entry"
   */
  ByteReader(ByteBuffer in, String what) {
    this.in = in;
    this.subject = what;
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

  /** Bytes behind their length, copied. */
  SpoolEntry.ByteSlice block() throws IOException {
    byte[] bytes = new byte[count()];
    in.get(bytes);
    return SpoolEntry.ByteSlice.of(bytes);
  }

  /** A number of items, each of which has at least one byte. */
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

  /** Exceptions of values that refuse nonsense, as those of the format. */
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
