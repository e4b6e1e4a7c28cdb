package org.quorumail.delivery;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.RateLimit;
import org.quorumail.delivery.local.LocalTarget;
import org.quorumail.smtp.client.Login;
import org.quorumail.smtp.client.TlsRule;

/**
 * A next hop and its TLS rule: the unit of concurrency and connection reuse. Two destinations are
 * equal when they have the same name.
 *
 * @param name unique, as logs show it: {@code mx:example.org}, {@code smtp://relay:25}
 * @param logins the first that fits a message's sender is used; without one there is no login
 * @param tlsNames the only names that the certificate of a verified host may have: host names, with
 *     a dot in front any name below, or {@link #NAME_OF_HOST}; empty: as {@link #certificateNames}
 * @param domain the domain whose MX records count if {@code hops} says so
 */
public record Destination(
    String name,
    List<NextHop> hops,
    String domain,
    TlsRule tls,
    List<String> tlsNames,
    int maxConnections,
    Optional<RateLimit> rateLimit,
    List<RouteLogin> logins,
    AddressFamily addressFamily) {
  /** The name of the host itself, wherever it comes from, as an operator writes it. */
  static final String NAME_OF_HOST = "mx";

  public Destination {
    tlsNames = List.copyOf(tlsNames);
    hops = List.copyOf(hops);
    logins = List.copyOf(logins);
  }

  /**
   * The names that a host's certificate may have where it is verified; empty: the host's own name.
   * The name of an MX host comes by DNS without DNSSEC, so anybody who can forge DNS chooses it: it
   * proves nothing. The recipient's domain and what is below it does (RFC 6125 §6.2.1), which is
   * also what Postfix's level "secure" accepts.
   *
   * @param configured whether the configuration names the host, and not the domain's DNS
   */
  List<String> certificateNames(String host, boolean configured) {
    if (tlsNames.isEmpty()) return configured ? List.of() : List.of(domain, "." + domain);
    if (tlsNames.equals(List.of(NAME_OF_HOST))) return List.of();
    return tlsNames.stream().map(name -> name.equals(NAME_OF_HOST) ? host : name).toList();
  }

  /** The mailboxes or the program of a route that has no hosts; null for one with hosts. */
  @Nullable LocalTarget localTarget() {
    return hops.getFirst() instanceof NextHop.Local local ? local.target() : null;
  }

  /**
   * Whether all its hosts are named by the configuration, so that their operator knows this node.
   */
  public boolean isConfigured() {
    return hops.stream().noneMatch(NextHop.Mx.class::isInstance);
  }

  /**
   * The login for mail of a sender.
   *
   * @param senderDomain in lower case; empty for the null reverse-path
   */
  @Nullable Login login(String senderDomain) {
    for (RouteLogin login : logins) {
      if (login.sender().matches(senderDomain)) return login.login();
    }
    return null;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Destination d && d.name.equals(name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name;
  }
}
