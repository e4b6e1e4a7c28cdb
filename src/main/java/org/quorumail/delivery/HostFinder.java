package org.quorumail.delivery;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.quorumail.config.HostPort;
import org.quorumail.config.NextHop;
import org.quorumail.delivery.Hosts.Host;
import org.quorumail.dns.Answer;
import org.quorumail.dns.MailHost;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.EnhancedStatus;

/** Turns a destination into hosts with addresses, RFC 5321 §5.1. */
final class HostFinder {
  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus BAD_LITERAL = new EnhancedStatus(5, 1, 2);

  /** A smart host's name that is absent may be a mistake that its operator is about to repair. */
  private static final EnhancedStatus NO_SMART_HOST = new EnhancedStatus(4, 4, 4);

  private final Resolver resolver;
  private final Predicate<InetAddress> ours;
  private final int mxPort;

  HostFinder(Resolver resolver, Predicate<InetAddress> ours, int mxPort) {
    this.resolver = resolver;
    this.ours = ours;
    this.mxPort = mxPort;
  }

  Hosts hosts(Destination destination) {
    List<Host> found = new ArrayList<>();
    Hosts problem = new Hosts.Unknown(NO_SMART_HOST, "the route names no host");
    for (NextHop hop : Router.inOrder(destination.hops(), ThreadLocalRandom.current())) {
      Hosts some =
          switch (hop) {
            case NextHop.Smtp smtp -> fixed(smtp.host(), false);
            case NextHop.Lmtp lmtp -> fixed(lmtp.host(), true);
            case NextHop.Mx mx -> exchangers(destination.domain());
            case NextHop.Discard discard -> new Hosts.Discard();
          };
      if (some instanceof Hosts.Found f) found.addAll(f.hosts());
      else if (some instanceof Hosts.Discard && found.isEmpty()) return some;
      else problem = some;
    }
    return found.isEmpty() ? problem : new Hosts.Found(found);
  }

  /** A host that the operator named; it may well be a neighbour on the same machine. */
  private Hosts fixed(HostPort at, boolean lmtp) {
    return switch (resolver.addresses(at.host())) {
      case Answer.Found<InetAddress> f ->
          new Hosts.Found(List.of(new Host(at.host(), at.port(), f.values(), lmtp, true)));
      case Answer.Absent<InetAddress> a -> new Hosts.Unknown(NO_SMART_HOST, a.reason());
      case Answer.Unknown<InetAddress> u -> new Hosts.Unknown(u.status(), u.reason());
    };
  }

  private Hosts exchangers(String domain) {
    if (domain.startsWith("[")) return literal(domain);
    return switch (resolver.mailHosts(domain)) {
      case Answer.Found<MailHost> f -> withAddresses(domain, f.values());
      case Answer.Absent<MailHost> a -> new Hosts.None(a.status(), a.reason());
      case Answer.Unknown<MailHost> u -> new Hosts.Unknown(u.status(), u.reason());
    };
  }

  private Hosts withAddresses(String domain, List<MailHost> exchangers) {
    List<Host> hosts = new ArrayList<>();
    List<Integer> preferences = new ArrayList<>();
    int ownPreference = Integer.MAX_VALUE;
    Hosts problem = new Hosts.None(LOOP, "mail for " + domain + " loops back to this host");
    for (MailHost mx : exchangers) {
      switch (resolver.addresses(mx.name())) {
        case Answer.Found<InetAddress> f -> {
          boolean own = f.values().stream().anyMatch(ours);
          if (own) ownPreference = Math.min(ownPreference, mx.preference());
          hosts.add(new Host(mx.name(), mxPort, f.values(), false, false));
          preferences.add(mx.preference());
        }
        case Answer.Absent<InetAddress> a -> problem = worse(problem, a);
        case Answer.Unknown<InetAddress> u -> problem = new Hosts.Unknown(u.status(), u.reason());
      }
    }
    return nearerThanWe(hosts, preferences, ownPreference, problem);
  }

  private static Hosts worse(Hosts problem, Answer.Absent<InetAddress> absent) {
    if (problem instanceof Hosts.Unknown) return problem; // as long as one may come back, wait
    return new Hosts.None(absent.status(), absent.reason());
  }

  /** Hosts no nearer than this one would send it back, RFC 5321 §5.1. */
  private static Hosts nearerThanWe(
      List<Host> hosts, List<Integer> preferences, int ownPreference, Hosts otherwise) {
    List<Host> nearer = new ArrayList<>();
    for (int i = 0; i < hosts.size(); i++) {
      if (preferences.get(i) < ownPreference) nearer.add(hosts.get(i));
    }
    if (!nearer.isEmpty()) return new Hosts.Found(nearer);
    if (hosts.isEmpty() || otherwise instanceof Hosts.Unknown) return otherwise;
    return new Hosts.None(LOOP, "mail for " + hosts.getFirst().name() + " loops back to this host");
  }

  /** {@code user@[192.0.2.1]}, RFC 5321 §4.1.3: no name system is asked. */
  private Hosts literal(String domain) {
    String inside = domain.substring(1, domain.length() - 1);
    String text = inside.regionMatches(true, 0, "IPv6:", 0, 5) ? inside.substring(5) : inside;
    try {
      InetAddress address = InetAddress.ofLiteral(text);
      if (ours.test(address)) {
        return new Hosts.None(LOOP, domain + " is this host, which keeps no mailboxes");
      }
      return new Hosts.Found(List.of(new Host(text, mxPort, List.of(address), false, false)));
    } catch (IllegalArgumentException e) {
      return new Hosts.None(BAD_LITERAL, domain + " is not an address");
    }
  }
}
