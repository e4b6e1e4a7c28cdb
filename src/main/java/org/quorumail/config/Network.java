package org.quorumail.config;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** A CIDR block, IPv4 or IPv6. IPv4-mapped IPv6 addresses are compared as IPv4. */
public record Network(InetAddress base, int prefixLength) {
  /** Reads {@code 192.0.2.0/24}, {@code 2001:db8::/32} or a single address; names are refused. */
  public static Network parse(String text) {
    int slash = text.indexOf('/');
    String address = slash < 0 ? text : text.substring(0, slash);
    if (!address.matches("[0-9a-fA-F:.]+")) {
      throw new IllegalArgumentException("a network is written as address/bits: " + text);
    }
    try {
      InetAddress base = InetAddress.getByName(address);
      int bits = base.getAddress().length * 8;
      int prefix = slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1));
      if (prefix < 0 || prefix > bits) throw new NumberFormatException();
      return new Network(base, prefix);
    } catch (UnknownHostException | NumberFormatException e) {
      throw new IllegalArgumentException("a network is written as address/bits: " + text, e);
    }
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
