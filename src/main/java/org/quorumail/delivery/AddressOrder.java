package org.quorumail.delivery;

import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.quorumail.config.Network;

/**
 * The order in which the addresses of one host are called: by RFC 6724 §6, then the families
 * alternate (RFC 8305 §4), so that one that leads nowhere does not use up an attempt. Thread-safe.
 */
final class AddressOrder {
  private static final int GLOBAL = 14;
  private static final int SITE_LOCAL = 5;
  private static final int LINK_LOCAL = 2;

  /** A line of the policy table of RFC 6724 §2.1. */
  private record Policy(Network prefix, int precedence, int label) {}

  private static final List<Policy> POLICIES =
      List.of(
          policy("::1/128", 50, 0),
          policy("::/96", 1, 3),
          policy("2001::/32", 5, 5),
          policy("2002::/16", 30, 2),
          policy("3ffe::/16", 1, 12),
          policy("fec0::/10", 1, 11),
          policy("fc00::/7", 3, 13));

  private static final Policy IPV4 = policy("0.0.0.0/0", 35, 4); // ::ffff:0:0/96 there
  private static final Policy OTHER = policy("::/0", 40, 1);

  private final Function<InetAddress, Optional<InetAddress>> sourceFor;

  /** An order by the routes that this machine has. */
  AddressOrder() {
    this(AddressOrder::systemSource);
  }

  /**
   * @param sourceFor the address from which this machine calls another; empty where no route leads
   */
  AddressOrder(Function<InetAddress, Optional<InetAddress>> sourceFor) {
    this.sourceFor = sourceFor;
  }

  /** Returns the addresses of the wanted families in their order; the last may be unreachable. */
  List<InetAddress> sort(List<InetAddress> addresses, AddressFamily family) {
    List<InetAddress> wanted = addresses.stream().filter(a -> isWanted(a, family)).toList();
    if (wanted.size() < 2) return wanted;
    List<Candidate> sorted = new ArrayList<>();
    for (InetAddress address : wanted) sorted.add(new Candidate(address, sourceFor.apply(address)));
    sorted.sort(preferred(family).thenComparing(AddressOrder::compare));
    return alternating(sorted.stream().map(Candidate::address).toList());
  }

  private static boolean isWanted(InetAddress address, AddressFamily family) {
    return switch (family) {
      case IPV4 -> address instanceof Inet4Address;
      case IPV6 -> address instanceof Inet6Address;
      case ANY, PREFER_IPV4, PREFER_IPV6 -> true;
    };
  }

  /** A preference of the operator is stronger than the table, but not than a missing route. */
  private static Comparator<Candidate> preferred(AddressFamily family) {
    return Comparator.comparing((Candidate c) -> c.source.isEmpty())
        .thenComparing(
            c ->
                switch (family) {
                  case PREFER_IPV4 -> c.address instanceof Inet6Address;
                  case PREFER_IPV6 -> c.address instanceof Inet4Address;
                  case ANY, IPV4, IPV6 -> false;
                });
  }

  private record Candidate(InetAddress address, Optional<InetAddress> source) {}

  /** The rules 2, 5, 6, 8 and 9; rule 1 came before, and equal ones keep their order. */
  private static int compare(Candidate a, Candidate b) {
    return Comparator.comparing((Candidate c) -> !isScopeMatched(c))
        .thenComparing(c -> !isLabelMatched(c))
        .thenComparingInt(c -> -policyOf(c.address).precedence)
        .thenComparingInt(c -> scope(c.address))
        .thenComparingInt(c -> -commonPrefix(c))
        .compare(a, b);
  }

  private static boolean isScopeMatched(Candidate c) {
    return c.source.filter(source -> scope(source) == scope(c.address)).isPresent();
  }

  private static boolean isLabelMatched(Candidate c) {
    return c.source.filter(s -> policyOf(s).label == policyOf(c.address).label).isPresent();
  }

  private static int scope(InetAddress address) {
    if (address.isLoopbackAddress() || address.isLinkLocalAddress()) return LINK_LOCAL;
    boolean siteLocal = address instanceof Inet6Address && address.isSiteLocalAddress();
    return siteLocal ? SITE_LOCAL : GLOBAL; // private IPv4 addresses have global scope, §3.2
  }

  /** Rule 9 is for IPv6 alone: IPv4 networks say nothing about nearness. */
  private static int commonPrefix(Candidate c) {
    if (!(c.address instanceof Inet6Address) || c.source.isEmpty()) return 0;
    byte[] here = c.source.get().getAddress();
    byte[] there = c.address.getAddress();
    int bits = 0;
    while (bits < 64 && bit(here, bits) == bit(there, bits)) bits++;
    return bits;
  }

  private static int bit(byte[] bytes, int index) {
    return (bytes[index / 8] >> (7 - index % 8)) & 1;
  }

  private static Policy policyOf(InetAddress address) {
    if (address instanceof Inet4Address) return IPV4;
    for (Policy policy : POLICIES) if (policy.prefix.contains(address)) return policy;
    return OTHER;
  }

  private static List<InetAddress> alternating(List<InetAddress> sorted) {
    List<InetAddress> rest = new ArrayList<>(sorted);
    List<InetAddress> ordered = new ArrayList<>(sorted.size());
    Class<?> last = Object.class;
    while (!rest.isEmpty()) {
      Class<?> before = last;
      InetAddress next =
          rest.stream()
              .filter(address -> address.getClass() != before)
              .findFirst()
              .orElse(rest.getFirst());
      rest.remove(next);
      ordered.add(next);
      last = next.getClass();
    }
    return ordered;
  }

  /** A UDP socket that is connected sends nothing, and has the source address. */
  private static Optional<InetAddress> systemSource(InetAddress address) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(address, 25);
      InetAddress source = socket.getLocalAddress();
      return source == null || source.isAnyLocalAddress() ? Optional.empty() : Optional.of(source);
    } catch (SocketException | UncheckedIOException e) {
      return Optional.empty(); // no route
    }
  }

  private static Policy policy(String prefix, int precedence, int label) {
    return new Policy(Network.parse(prefix), precedence, label);
  }
}
