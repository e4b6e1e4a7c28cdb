package org.quorumail.gossip.plumtree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Puts the primitive forms of {@link PlumtreeCodec} into a growing array. */
final class PlumtreeWriter {
  private static final int USUAL_SIZE = 64;

  private byte[] buffer = new byte[USUAL_SIZE];
  private int length;

  void octet(int value) {
    reserve(1);
    buffer[length++] = (byte) value;
  }

  /** Unsigned LEB128 of a number that is not negative. */
  void number(long value) {
    long rest = value;
    while (rest > 0x7f) {
      octet((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    octet((int) rest);
  }

  /** Eight bytes, big-endian. */
  void word(long value) {
    for (int shift = 56; shift >= 0; shift -= 8) octet((int) (value >>> shift));
  }

  /** ASCII, up to 255 characters. */
  void text(String text) {
    octet(text.length());
    bytes(text.getBytes(StandardCharsets.US_ASCII));
  }

  void bytes(byte[] bytes) {
    reserve(bytes.length);
    System.arraycopy(bytes, 0, buffer, length, bytes.length);
    length += bytes.length;
  }

  ByteBuffer finish() {
    return ByteBuffer.wrap(buffer, 0, length);
  }

  private void reserve(int more) {
    if (buffer.length - length >= more) return;
    buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, length + more));
  }
}
