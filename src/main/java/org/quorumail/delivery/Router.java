package org.quorumail.delivery;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.HostPort;
import org.quorumail.smtp.client.TlsRule;

/** Finds the destination of a domain: its override, the first matching route, or its MX hosts. */
public final class Router {
  /** Sessions to one destination at once, where the configuration gives no other number. */
  static final int DEFAULT_CONNECTIONS = 20;

  private static final NextHop.Mx MX = new NextHop.Mx();

  private volatile List<Route> routes;
  private volatile Domains domains;
  private final boolean acceptsAnyCertificate;
  private final AddressFamily addressFamily;
  private final MxOverrides overrides;

  private record Route(
      DomainPattern pattern,
      List<NextHop> hops,
      List<RouteLogin> logins,
      String name,
      boolean byDomain) {}

  public Router(List<RouteConfig> routes, DeliveryConfig delivery, MxOverrides overrides) {
    this.overrides = overrides;
    this.routes = routes.stream().map(Router::route).toList();
    domains = new Domains(delivery.domains(), Map.of());
    addressFamily = delivery.addressFamily();
    acceptsAnyCertificate = delivery.acceptInvalidCerts();
  }

  /** Replaces all routes; they count from the next attempt on. */
  public void replaceRoutes(List<RouteConfig> next) {
    routes = next.stream().map(Router::route).toList();
  }

  /**
   * Replaces the settings of all domains; they count from the next attempt on. A domain whose
   * settings differ becomes another destination, with connections and limits of its own.
   */
  public synchronized void replaceDomains(Map<String, DomainConfig> next) {
    domains = domains.replacedBy(next);
  }

  /**
   * The settings of domains.
   *
   * @param changes how often those of a domain were changed, as far as they were
   */
  private record Domains(Map<String, DomainConfig> settings, Map<String, Integer> changes) {
    Domains replacedBy(Map<String, DomainConfig> next) {
      Map<String, Integer> counted = new HashMap<>(changes);
      Set<String> names = new HashSet<>(settings.keySet());
      names.addAll(next.keySet());
      for (String name : names) {
        if (!Objects.equals(settings.get(name), next.get(name)))
          counted.merge(name, 1, Integer::sum);
      }
      return new Domains(next, Map.copyOf(counted));
    }

    String suffix(String domain) {
      Integer count = changes.get(domain);
      return count == null ? "" : " #" + count;
    }
  }

  private static Route route(RouteConfig config) {
    String name = config.to().stream().map(NextHop::text).collect(Collectors.joining(","));
    if (!config.logins().isEmpty()) // other accounts, other limits and connections
    name +=
          config.logins().stream()
              .map(
                  l ->
                      l.login().username()
                          + (l.sender().text().equals("*") ? "" : " for " + l.sender()))
              .collect(Collectors.joining(", ", " as ", ""));
    return new Route(config.domain(), config.to(), config.logins(), name, config.to().contains(MX));
  }

  /**
   * The destination of a domain.
   *
   * @param domain in lower case, as in a {@link org.quorumail.mail.MailAddress}
   */
  public Destination destination(String domain) {
    DomainConfig own = domains.settings.get(domain);
    Optional<HostPort> override = overrides.find(domain);
    if (override.isEmpty() && own != null) override = own.mxOverride();
    if (override.isPresent()) {
      NextHop hop =
          new NextHop.Smtp(override.get(), NextHop.DEFAULT_PRIORITY, NextHop.DEFAULT_WEIGHT);
      return destination(hop.text(), List.of(hop), List.of(), domain, own);
    }
    for (Route route : routes) {
      if (!route.pattern.matches(domain)) continue;
      String name = route.byDomain ? route.name + ":" + domain : route.name;
      return destination(name, route.hops, route.logins, domain, own);
    }
    return destination("mx:" + domain, List.of(MX), List.of(), domain, own);
  }

  /** A domain with limits of its own shares neither connections nor limits with others. */
  private Destination destination(
      String name,
      List<NextHop> hops,
      List<RouteLogin> logins,
      String domain,
      @Nullable DomainConfig own) {
    String suffix = domains.suffix(domain);
    if (own == null) {
      return new Destination(
          name + suffix,
          hops,
          domain,
          TlsRule.OPPORTUNISTIC,
          List.of(),
          DEFAULT_CONNECTIONS,
          Optional.empty(),
          logins,
          addressFamily);
    }
    String special = name.endsWith(domain) ? name : name + " for " + domain;
    return new Destination(
        special + suffix,
        hops,
        domain,
        tls(own),
        own.tlsNames(),
        own.maxConnections(),
        own.rateLimit(),
        logins,
        own.addressFamily().orElse(addressFamily));
  }

  private TlsRule tls(DomainConfig own) {
    if (!own.requireTls()) return TlsRule.OPPORTUNISTIC;
    return acceptsAnyCertificate || own.acceptInvalidCerts() ? TlsRule.ENCRYPTED : TlsRule.VERIFIED;
  }

  /** The hops in the order in which one attempt tries them: by priority, then drawn by weight. */
  static List<NextHop> inAttemptOrder(List<NextHop> hops, java.util.random.RandomGenerator random) {
    List<NextHop> rest = new ArrayList<>(hops);
    List<NextHop> ordered = new ArrayList<>(hops.size());
    while (!rest.isEmpty()) ordered.add(draw(rest, random));
    return ordered;
  }

  private static NextHop draw(List<NextHop> rest, java.util.random.RandomGenerator random) {
    int best = rest.stream().mapToInt(NextHop::attemptPriority).min().orElseThrow();
    List<NextHop> equal = rest.stream().filter(h -> h.attemptPriority() == best).toList();
    int sum = equal.stream().mapToInt(NextHop::attemptWeight).sum();
    int drawn = sum == 0 ? 0 : random.nextInt(sum);
    for (NextHop hop : equal) {
      drawn -= hop.attemptWeight();
      if (drawn < 0 || sum == 0) {
        rest.remove(hop);
        return hop;
      }
    }
    throw new IllegalStateException("weights do not add up");
  }
}
