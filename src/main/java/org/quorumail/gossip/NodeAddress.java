package org.quorumail.gossip;

import java.util.Optional;

/**
 * The numeric IP address and port of a node; gossip's cores never ask the DNS. An IPv4 address is
 * kept as the IPv6 address that maps it.
 *
 * @param high the first eight bytes of the IPv6 address
 * @param low the last eight bytes
 * @param port 0 to 65535
 */
public record NodeAddress(long high, long low, int port) {
  private static final long MAPPED_IPV4 = 0xffff_0000_0000L;

  public NodeAddress {
    if (port < 0 || port > 65535)
      throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
  }

  /** Creates an IPv4 address from its 32 bits. */
  public static NodeAddress ipv4(int bits, int port) {
    return new NodeAddress(0, MAPPED_IPV4 | (bits & 0xffff_ffffL), port);
  }

  /** Creates an address from the 4 or 16 bytes of {@code InetAddress.getAddress()}. */
  public static NodeAddress of(byte[] raw, int port) {
    if (raw.length == 4) return ipv4((int) bits(raw, 0, 4), port);
    if (raw.length == 16) return new NodeAddress(bits(raw, 0, 8), bits(raw, 8, 8), port);
    throw new IllegalArgumentException("an IP address has 4 or 16 bytes, not " + raw.length);
  }

  /** Parses {@code 192.0.2.1:7946}; empty for anything else, also for IPv6 and names. */
  public static Optional<NodeAddress> parseIpv4(String text) {
    String[] parts = text.split("[.:]", -1);
    if (parts.length != 5 || text.indexOf(':') != text.lastIndexOf('.') + parts[3].length() + 1) {
      return Optional.empty();
    }
    int bits = 0;
    for (int i = 0; i < 4; i++) {
      int octet = number(parts[i], 255);
      if (octet < 0) return Optional.empty();
      bits = bits << 8 | octet;
    }
    int port = number(parts[4], 65535);
    return port < 0 ? Optional.empty() : Optional.of(ipv4(bits, port));
  }

  private static int number(String digits, int max) {
    if (digits.isEmpty() || digits.length() > 5) return -1;
    int value = 0;
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value <= max ? value : -1;
  }

  public boolean isIpv4() {
    return high == 0 && (low >>> 32) == 0xffff;
  }

  /** The 4 or 16 bytes of the address, for {@code InetAddress.getByAddress}. */
  public byte[] raw() {
    byte[] raw = new byte[isIpv4() ? 4 : 16];
    for (int i = 0; i < raw.length; i++) {
      int fromEnd = raw.length - 1 - i;
      raw[i] = (byte) ((fromEnd < 8 ? low : high) >>> (8 * (fromEnd & 7)));
    }
    return raw;
  }

  private static long bits(byte[] raw, int from, int length) {
    long bits = 0;
    for (int i = from; i < from + length; i++) bits = bits << 8 | (raw[i] & 0xff);
    return bits;
  }

  @Override
  public String toString() {
    byte[] raw = raw();
    StringBuilder text = new StringBuilder();
    if (raw.length == 4) {
      for (int i = 0; i < 4; i++) text.append(i == 0 ? "" : ".").append(raw[i] & 0xff);
      return text.append(':').append(port).toString();
    }
    for (int i = 0; i < 16; i += 2) {
      text.append(i == 0 ? "[" : ":");
      text.append(Integer.toHexString((raw[i] & 0xff) << 8 | (raw[i + 1] & 0xff)));
    }
    return text.append("]:").append(port).toString();
  }
}
