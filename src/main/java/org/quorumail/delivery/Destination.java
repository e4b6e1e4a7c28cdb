package org.quorumail.delivery;

import java.util.List;
import java.util.Optional;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.client.TlsRule;

/**
 * A next hop and its TLS rule: the unit of concurrency and connection reuse. Two destinations are
 * equal when they have the same name.
 *
 * @param name unique, as logs show it: {@code mx:example.org}, {@code smtp://relay:25}
 * @param domain the domain whose MX records count if {@code hops} says so
 */
public record Destination(
    String name,
    List<NextHop> hops,
    String domain,
    TlsRule tls,
    int maxConnections,
    Optional<RateLimit> rateLimit) {
  public Destination {
    hops = List.copyOf(hops);
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
