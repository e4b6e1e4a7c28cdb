package org.quorumail.delivery;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.delivery.HostLookup.TargetHost;
import org.quorumail.dns.Resolver;

/**
 * The way that mail for a domain would take now, for the question of an operator.
 *
 * @param source the setting that decides: {@code override}, {@code delivery.domains}, {@code
 *     route[N]} or {@code mx}
 * @param destination the unit of limits and connections
 * @param hops what takes the mail: hosts with their addresses, in the order of one attempt, or the
 *     mailbox, program or outcome of the route
 * @param problem why there is no hop; empty when there is one
 */
public record RouteExplanation(
    String source, String destination, List<String> hops, String problem) {
  private static final int SMTP_PORT = 25;

  public RouteExplanation {
    hops = List.copyOf(hops);
  }

  /**
   * Explains the way. Asks DNS, so it may block for a bounded time.
   *
   * @param hostname of the node, which finds itself among the MX hosts by it
   * @param domain in lower case, as in a {@link org.quorumail.mail.MailAddress}
   */
  public static RouteExplanation of(
      String hostname,
      String domain,
      List<RouteConfig> routes,
      DeliveryConfig delivery,
      MxOverrides overrides,
      Resolver resolver) {
    Destination destination = new Router(routes, delivery, overrides).destination(domain);
    String source = source(domain, routes, delivery, overrides);
    if (destination.localTarget() != null)
      return found(source, destination, List.of(destination.hops().getFirst().text()));
    HostFinder finder = new HostFinder(resolver, hostname, new OwnAddresses(), SMTP_PORT);
    return switch (finder.find(destination)) {
      case HostLookup.Found found -> found(source, destination, addresses(found.hosts()));
      case HostLookup.Decided decided ->
          found(source, destination, List.of(destination.hops().getFirst().text()));
      case HostLookup.None none -> lost(source, destination, none.reason());
      case HostLookup.Unknown unknown -> lost(source, destination, unknown.reason());
    };
  }

  private static RouteExplanation found(String source, Destination at, List<String> hops) {
    return new RouteExplanation(source, at.name(), hops, "");
  }

  private static RouteExplanation lost(String source, Destination at, String reason) {
    return new RouteExplanation(source, at.name(), List.of(), reason);
  }

  private static List<String> addresses(List<TargetHost> hosts) {
    List<String> all = new ArrayList<>();
    for (TargetHost host : hosts) all.addAll(host.endpoints());
    return all;
  }

  private static String source(
      String domain, List<RouteConfig> routes, DeliveryConfig delivery, MxOverrides overrides) {
    if (overrides.find(domain).isPresent()) return "override";
    if (Optional.ofNullable(delivery.domains().get(domain))
        .flatMap(DomainConfig::mxOverride)
        .isPresent()) return "delivery.domains";
    for (int i = 0; i < routes.size(); i++) {
      if (routes.get(i).domain().matches(domain)) return "route[" + i + "]";
    }
    return "mx";
  }
}
