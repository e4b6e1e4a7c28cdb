package org.quorumail.gossip;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A writer for the elements of gossip's wire formats; {@link WireReader} is its mirror. */
public final class WireWriter {
  private byte[] buffer;
  private int length;

  /**
   * @param capacity bytes expected; more bytes make the buffer grow
   */
  public WireWriter(int capacity) {
    this.buffer = new byte[capacity];
  }

  /** The bytes that {@link #number} takes. */
  public static int size(long number) {
    int bits = 64 - Long.numberOfLeadingZeros(number | 1);
    return (bits + 6) / 7;
  }

  public static int size(NodeId id) {
    return 1 + id.value().length();
  }

  public static int size(NodeAddress address) {
    return address.isIpv4() ? 7 : 19;
  }

  public void octet(int value) {
    reserve(1);
    buffer[length++] = (byte) value;
  }

  public void flag(boolean value) {
    octet(value ? 1 : 0);
  }

  public void fixed16(int value) {
    octet(value >>> 8);
    octet(value);
  }

  public void fixed64(long value) {
    for (int shift = 56; shift >= 0; shift -= 8) octet((int) (value >>> shift));
  }

  /** Writes unsigned LEB128: base 128, low group first; the number is not negative. */
  public void number(long number) {
    if (number < 0) throw new IllegalArgumentException("a number on the wire is not negative");
    long rest = number;
    while (rest > 0x7f) {
      octet((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    octet((int) rest);
  }

  public void bytes(byte[] bytes) {
    reserve(bytes.length);
    System.arraycopy(bytes, 0, buffer, length, bytes.length);
    length += bytes.length;
  }

  public void id(NodeId id) {
    idOrEmpty(id.value());
  }

  /** Writes the value of an id, or the empty text, behind a length byte. */
  public void idOrEmpty(String value) {
    octet(value.length());
    reserve(value.length());
    for (int i = 0; i < value.length(); i++) buffer[length++] = (byte) value.charAt(i);
  }

  public void address(NodeAddress address) {
    octet(address.isIpv4() ? 4 : 6);
    bytes(address.raw());
    fixed16(address.port());
  }

  /** The bytes written so far, ready to be read. */
  public ByteBuffer toBuffer() {
    return ByteBuffer.wrap(buffer, 0, length);
  }

  private void reserve(int more) {
    if (buffer.length - length >= more) return;
    buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, length + more));
  }
}
