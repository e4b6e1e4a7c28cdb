package org.quorumail.delivery;

/** The IP versions by which a next hop is called, and their order. */
public enum AddressFamily {
  /** Both, in the order of RFC 6724. */
  ANY,
  /** Only IPv4. */
  IPV4,
  /** Only IPv6. */
  IPV6,
  PREFER_IPV4,
  PREFER_IPV6
}
