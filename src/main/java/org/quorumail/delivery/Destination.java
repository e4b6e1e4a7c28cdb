package org.quorumail.delivery;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.client.Login;
import org.quorumail.smtp.client.TlsRule;

/**
 * A next hop and its TLS rule: the unit of concurrency and connection reuse. Two destinations are
 * equal when they have the same name.
 *
 * @param name unique, as logs show it: {@code mx:example.org}, {@code smtp://relay:25}
 * @param logins the first that fits a message's sender is used; without one there is no login
 * @param domain the domain whose MX records count if {@code hops} says so
 */
public record Destination(
    String name,
    List<NextHop> hops,
    String domain,
    TlsRule tls,
    int maxConnections,
    Optional<RateLimit> rateLimit,
    List<RouteLogin> logins) {
  public Destination {
    hops = List.copyOf(hops);
    logins = List.copyOf(logins);
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
