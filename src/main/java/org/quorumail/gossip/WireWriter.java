package org.quorumail.gossip;

import java.nio.ByteBuffer;

/** The elements of gossip's wire format, written; {@link WireReader} is its mirror. */
public final class WireWriter {
  private WireWriter() {}

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

  /** Base-128, low group first; the number is not negative. */
  public static void number(ByteBuffer out, long number) {
    if (number < 0) throw new IllegalArgumentException("a number of the wire is not negative");
    long rest = number;
    while (rest > 0x7f) {
      out.put((byte) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.put((byte) rest);
  }

  public static void id(ByteBuffer out, NodeId id) {
    String value = id.value();
    out.put((byte) value.length());
    for (int i = 0; i < value.length(); i++) out.put((byte) value.charAt(i));
  }

  public static void address(ByteBuffer out, NodeAddress address) {
    out.put((byte) (address.isIpv4() ? 4 : 6));
    out.put(address.raw());
    out.putShort((short) address.port());
  }
}
