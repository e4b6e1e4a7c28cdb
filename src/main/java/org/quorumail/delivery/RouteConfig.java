package org.quorumail.delivery;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.Section;
import org.quorumail.delivery.local.LocalTarget;
import org.quorumail.delivery.local.MailboxAccount;
import org.quorumail.delivery.local.Pipe;

/** One {@code [[route]]}. The first route whose pattern matches the recipient's domain counts. */
public record RouteConfig(DomainPattern domain, List<NextHop> to, List<RouteLogin> logins) {
  /** Reads all {@code [[route]]} tables below the root, in their order. */
  public static List<RouteConfig> readAll(Section root) {
    List<RouteConfig> routes = new ArrayList<>();
    for (Section route : root.sections("route", 0)) routes.add(read(route));
    return List.copyOf(routes);
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
            "\"smtp://host:25?priority=10&weight=100\", \"lmtp://host:24\", \"lmtp+unix:/path\","
                + " \"mx\", \"discard\"; alone: \"maildir:/path/{user}\", \"mbox:/path/{user}\","
                + " \"pipe:/program {recipient}\", \"error:550 5.1.1 text\"",
            NextHopParser::parse);
    if (to.isEmpty() && !route.hasProblem("to"))
      route.problem("to", "must name at least one next hop");
    List<RouteLogin> logins = RouteLogin.readAll(route);
    if (!logins.isEmpty() && !to.stream().allMatch(NextHop::isServer))
      route.problem(
          "login",
          "fits next hops \"smtp://host:port\" and \"lmtp://host:port\" alone: an MX could be"
              + " anybody");
    if (to.size() > 1 && to.stream().anyMatch(NextHop::standsAlone))
      route.problem("to", "a mailbox, a program or an error must be the only next hop of a route");
    return new RouteConfig(domain, withLocalSettings(route, to), logins);
  }

  private static List<NextHop> withLocalSettings(Section route, List<NextHop> to) {
    Optional<MailboxAccount> account =
        route.optional(
            "user",
            "user or user:group",
            "(that of the node)",
            "account that owns the mailboxes and runs the program; a node that runs as root acts"
                + " for it",
            MailboxAccount::parse);
    Duration timeout =
        route.duration(
            "timeout",
            Pipe.DEFAULT_TIMEOUT.toSeconds() + "s",
            "1s",
            "1h",
            "time after which a program of \"pipe:\" is killed, and the mail waits");
    if (account.isPresent() && to.stream().noneMatch(hop -> hop instanceof NextHop.Local))
      route.problem("user", "fits next hops \"maildir:\", \"mbox:\" and \"pipe:\" alone");
    return to.stream().map(hop -> withLocalSettings(hop, account, timeout)).toList();
  }

  private static NextHop withLocalSettings(
      NextHop hop, Optional<MailboxAccount> account, Duration timeout) {
    if (!(hop instanceof NextHop.Local local)) return hop;
    LocalTarget target = local.target() instanceof Pipe p ? p.withTimeout(timeout) : local.target();
    return new NextHop.Local(account.map(target::withAccount).orElse(target));
  }
}
