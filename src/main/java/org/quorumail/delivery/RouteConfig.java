package org.quorumail.delivery;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.Section;

/** One {@code [[route]]}. The first route whose pattern matches the recipient's domain counts. */
public record RouteConfig(DomainPattern domain, List<NextHop> to, List<RouteLogin> logins) {
  /** Reads all {@code [[route]]} tables below the root, in their order. */
  public static List<RouteConfig> readAll(Section root) {
    List<RouteConfig> routes = new ArrayList<>();
    for (Section route : root.sections("route", 0)) routes.add(read(route));
    return List.copyOf(routes);
  }

  private static boolean isOneServer(NextHop hop) {
    return hop instanceof NextHop.Smtp || hop instanceof NextHop.Lmtp;
  }

  private static RouteConfig read(Section route) {
    DomainPattern domain =
        route.value(
            "domain",
            "domain pattern",
            "*",
            new DomainPattern("*"),
            "\"example.org\", \"*.example.org\" (its subdomains) or \"*\"; the first route that"
                + " fits counts, without one it is the domain's MX",
            DomainPattern::parse);
    List<NextHop> to =
        route.list(
            "to",
            "next hops",
            List.of(),
            "\"smtp://host:25?priority=10&weight=100\", \"lmtp://host:24\", \"mx\", \"discard\"",
            NextHop::parse);
    if (to.isEmpty() && !route.hasProblem("to"))
      route.problem("to", "must name at least one next hop");
    List<RouteLogin> logins = RouteLogin.readAll(route);
    if (!logins.isEmpty() && !to.stream().allMatch(RouteConfig::isOneServer))
      route.problem(
          "login",
          "fits next hops \"smtp://host:port\" and \"lmtp://host:port\" alone: an MX could be"
              + " anybody");
    return new RouteConfig(domain, to, logins);
  }
}
