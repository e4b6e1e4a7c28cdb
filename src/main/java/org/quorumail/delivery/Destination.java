package org.quorumail.delivery;

import java.util.List;
import java.util.Optional;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.client.TlsRule;

/**
 * Next hop and TLS rule: the unit of concurrency and connection reuse. Two are equal when they have
 * the same name.
 *
 * @param name unique, and good for a log: {@code mx:example.org}, {@code smtp://relay:25}
 * @param domain whose MX count if {@code hops} names them
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
