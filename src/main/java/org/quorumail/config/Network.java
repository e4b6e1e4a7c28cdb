package org.quorumail.config;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** A CIDR block, IPv4 or IPv6. IPv4-mapped IPv6 addresses are compared as IPv4. */
public record Network(InetAddress base, int prefixLength) {
  private static final int IPV4_BITS = 32;
  private static final int IPV6_BITS = 128;

  /** The prefix that the holder of one IPv6 address holds at least. */
  private static final int IPV6_CLIENT_BITS = 64;

  /**
   * Reads {@code 192.0.2.0/24}, {@code 2001:db8::/32} or a single address. Names, addresses in
   * fewer than four numbers and bits after the prefix are refused.
   */
  public static Network parse(String text) {
    String network = text.strip();
    int slash = network.indexOf('/');
    String address = slash < 0 ? network : network.substring(0, slash);
    if (address.startsWith("[") && address.endsWith("]")) {
      address = address.substring(1, address.length() - 1);
    }
    InetAddress base;
    int prefix;
    try {
      if (address.indexOf('%') >= 0) throw new IllegalArgumentException("a zone has no network");
      base = IpLiteral.parse(address);
      int bits = base.getAddress().length * Byte.SIZE;
      int unmapped = address.indexOf(':') >= 0 && bits == IPV4_BITS ? IPV6_BITS - IPV4_BITS : 0;
      prefix = slash < 0 ? bits : prefixLength(network.substring(slash + 1)) - unmapped;
      if (prefix < 0 || prefix > bits) throw new IllegalArgumentException("no such prefix");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("a network is written as address/bits: " + text, e);
    }
    Network containing = containing(base, prefix);
    if (!containing.base.equals(base)) {
      throw new IllegalArgumentException(
          "%s has bits after its prefix: write %s or %s".formatted(text, containing, address));
    }
    return containing;
  }

  private static int prefixLength(String digits) {
    if (digits.matches("0|[1-9]\\d{0,2}")) return Integer.parseInt(digits);
    throw new IllegalArgumentException("not a prefix length");
  }

  /**
   * The network of a prefix length that an address belongs to.
   *
   * @param prefixLength bits; more than the address has mean the address alone
   */
  public static Network containing(InetAddress address, int prefixLength) {
    byte[] octets = address.getAddress();
    for (int i = 0; i < octets.length; i++) {
      int kept = Math.clamp(prefixLength - i * 8L, 0, 8);
      octets[i] &= (byte) (0xFF << (8 - kept));
    }
    try {
      InetAddress base = InetAddress.getByAddress(octets);
      return new Network(base, Math.min(prefixLength, octets.length * 8));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("the length of an address does not change", e);
    }
  }

  /** The addresses that count as one client: an IPv4 address, or the /64 of an IPv6 address. */
  public static Network ofClient(InetAddress address) {
    boolean ipv4 = address.getAddress().length * Byte.SIZE == IPV4_BITS;
    return containing(address, ipv4 ? IPV4_BITS : IPV6_CLIENT_BITS);
  }

  public boolean contains(InetAddress address) {
    byte[] a = base.getAddress();
    byte[] b = address.getAddress();
    if (a.length != b.length) return false;
    int whole = prefixLength / 8;
    for (int i = 0; i < whole; i++) if (a[i] != b[i]) return false;
    int rest = prefixLength % 8;
    if (rest == 0) return true;
    int mask = 0xFF << (8 - rest);
    return (a[whole] & mask) == (b[whole] & mask);
  }

  @Override
  public String toString() {
    return base.getHostAddress() + "/" + prefixLength;
  }
}
