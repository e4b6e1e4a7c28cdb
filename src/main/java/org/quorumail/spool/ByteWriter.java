package org.quorumail.spool;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.quorumail.mail.QueueId;

/**
 * A writer of fields into an array that grows. Numbers are big-endian, so keys sort as their
 * numbers do.
 */
final class ByteWriter {
  private byte[] bytes;
  private ByteBuffer view;

  ByteWriter(int expected) {
    bytes = new byte[expected];
    view = ByteBuffer.wrap(bytes);
  }

  ByteWriter u8(int value) {
    reserve(1).put((byte) value);
    return this;
  }

  ByteWriter flag(boolean value) {
    return u8(value ? 1 : 0);
  }

  ByteWriter u16(int value) {
    reserve(2).putShort((short) value);
    return this;
  }

  ByteWriter i32(int value) {
    reserve(4).putInt(value);
    return this;
  }

  ByteWriter i64(long value) {
    reserve(8).putLong(value);
    return this;
  }

  ByteWriter id(QueueId id) {
    reserve(QueueId.BYTES).putLong(id.high()).putLong(id.low());
    return this;
  }

  /** The most bytes that {@link #text} needs; exact for ASCII. */
  static int maxTextBytes(String text) {
    int bytes = Integer.BYTES + text.length();
    for (int i = 0; i < text.length(); i++) if (text.charAt(i) > 0x7F) bytes += 2;
    return bytes;
  }

  /** Writes UTF-8 with its length before it. */
  ByteWriter text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    i32(utf8.length);
    return raw(utf8, 0, utf8.length);
  }

  /** Writes UTF-8 without a length, for keys. */
  ByteWriter name(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return raw(utf8, 0, utf8.length);
  }

  /** Writes bytes with their length before them. */
  ByteWriter block(SpoolEntry.ByteSlice slice) {
    i32(slice.length());
    return raw(slice.array(), slice.offset(), slice.length());
  }

  ByteWriter raw(byte[] source, int offset, int length) {
    reserve(length).put(source, offset, length);
    return this;
  }

  /** The written bytes; the writer must not be used any more. */
  byte[] finish() {
    return view.position() == bytes.length ? bytes : Arrays.copyOf(bytes, view.position());
  }

  private ByteBuffer reserve(int more) {
    if (view.remaining() < more) {
      int written = view.position();
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, written + more));
      view = ByteBuffer.wrap(bytes).position(written);
    }
    return view;
  }
}
