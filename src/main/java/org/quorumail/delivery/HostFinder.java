package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.HostLookup.TargetHost;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;

/** Finds the hosts of a destination and their addresses, RFC 5321 §5.1. Thread-safe. */
final class HostFinder {
  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus BAD_LITERAL = new EnhancedStatus(5, 1, 2);

  /** The absence of a smart host's name may be a mistake that its operator will repair. */
  private static final EnhancedStatus NO_SMART_HOST = new EnhancedStatus(4, 4, 4);

  private static final Outcome DISCARDED =
      new Outcome.Delivered(
          new EnhancedStatus(2, 0, 0),
          "discarded by a route",
          "discard",
          Outcome.SuccessReport.DELIVERED);

  private final Resolver resolver;
  private final String ownName;
  private final Predicate<InetAddress> isOwnAddress;
  private final AddressOrder order = new AddressOrder();
  private final int mxPort;

  /**
   * @param ownName the node's host name: an MX of this name is this node
   * @param isOwnAddress whether an address belongs to this machine
   */
  HostFinder(Resolver resolver, String ownName, Predicate<InetAddress> isOwnAddress, int mxPort) {
    this.resolver = resolver;
    this.ownName = ownName;
    this.isOwnAddress = isOwnAddress;
    this.mxPort = mxPort;
  }

  HostLookup find(Destination destination) {
    AddressFamily family = destination.addressFamily();
    List<TargetHost> found = new ArrayList<>();
    HostLookup problem = new HostLookup.Unknown(NO_SMART_HOST, "the route names no host");
    for (NextHop hop : Router.inAttemptOrder(destination.hops(), ThreadLocalRandom.current())) {
      HostLookup lookup =
          switch (hop) {
            case NextHop.Smtp smtp -> configuredHost(smtp.host(), false, family);
            case NextHop.Lmtp lmtp -> configuredHost(lmtp.host(), true, family);
            case NextHop.LmtpSocket socket -> socket(socket.path());
            case NextHop.Mx mx -> exchangers(destination.domain(), family);
            case NextHop.Discard discard -> new HostLookup.Decided(DISCARDED);
            case NextHop.Reject reject -> new HostLookup.Decided(reject.outcome());
            case NextHop.Local local ->
                throw new IllegalStateException("a mailbox has no host: " + local.text());
          };
      if (lookup instanceof HostLookup.Found f) found.addAll(f.hosts());
      else if (lookup instanceof HostLookup.Decided && found.isEmpty()) return lookup;
      else problem = lookup;
    }
    return found.isEmpty() ? problem : new HostLookup.Found(found);
  }

  /** Forgets the answers of DNS about the hosts of a destination: the next search asks again. */
  void forget(Destination destination) {
    for (NextHop hop : destination.hops()) {
      switch (hop) {
        case NextHop.Smtp smtp -> resolver.forget(smtp.host().host());
        case NextHop.Lmtp lmtp -> resolver.forget(lmtp.host().host());
        case NextHop.Mx mx -> resolver.forget(destination.domain());
        case NextHop.LmtpSocket socket -> {}
        case NextHop.Discard discard -> {}
        case NextHop.Reject reject -> {}
        case NextHop.Local local -> {}
      }
    }
  }

  /** A host that the operator has configured. It may be another server on the same machine. */
  private HostLookup configuredHost(HostPort at, boolean lmtp, AddressFamily family) {
    return switch (addresses(at.host(), family)) {
      case LookupResult.Found<InetAddress> f ->
          new HostLookup.Found(
              List.of(TargetHost.of(at.host(), at.port(), f.values(), lmtp, true)));
      case LookupResult.Absent<InetAddress> a -> new HostLookup.Unknown(NO_SMART_HOST, a.reason());
      case LookupResult.Unknown<InetAddress> u -> new HostLookup.Unknown(u.status(), u.reason());
    };
  }

  private static HostLookup socket(Path path) {
    SocketAddress address = UnixDomainSocketAddress.of(path);
    return new HostLookup.Found(
        List.of(new TargetHost(path.toString(), List.of(address), true, true)));
  }

  private LookupResult<InetAddress> addresses(String host, AddressFamily family) {
    return wanted(host, resolver.addresses(host), family);
  }

  /** A host without an address of the family may get one: the mail waits. */
  private LookupResult<InetAddress> wanted(
      String host, LookupResult<InetAddress> all, AddressFamily family) {
    if (!(all instanceof LookupResult.Found<InetAddress> found)) return all;
    List<InetAddress> sorted = order.sort(found.values(), family);
    if (!sorted.isEmpty()) return new LookupResult.Found<>(sorted);
    return new LookupResult.Unknown<>(
        NO_SMART_HOST,
        host + " has no address of the family " + family.name().toLowerCase(Locale.ROOT));
  }

  private HostLookup exchangers(String domain, AddressFamily family) {
    if (domain.startsWith("[")) return addressLiteral(domain);
    return switch (resolver.mailExchangers(domain)) {
      case LookupResult.Found<MailExchanger> f -> withAddresses(domain, f.values(), family);
      case LookupResult.Absent<MailExchanger> a -> new HostLookup.None(a.status(), a.reason());
      case LookupResult.Unknown<MailExchanger> u -> new HostLookup.Unknown(u.status(), u.reason());
    };
  }

  /** Hosts that are no nearer than this one would send the mail back, RFC 5321 §5.1. */
  private HostLookup withAddresses(
      String domain, List<MailExchanger> exchangers, AddressFamily family) {
    List<TargetHost> hosts = new ArrayList<>();
    HostLookup problem =
        new HostLookup.None(LOOP, "mail for " + domain + " loops back to this host");
    int equalFrom = 0; // the first host of the present preference
    HostLookup problemBefore = problem; // those of nearer hosts
    int preference = Integer.MIN_VALUE;
    for (MailExchanger mx : exchangers) { // best preference first
      if (mx.preference() != preference) {
        preference = mx.preference();
        equalFrom = hosts.size();
        problemBefore = problem;
      }
      LookupResult<InetAddress> all = resolver.addresses(mx.name());
      if (isOwn(mx, all)) {
        List<TargetHost> nearer = hosts.subList(0, equalFrom);
        return nearer.isEmpty()
            ? ownOrWaiting(domain, problemBefore)
            : new HostLookup.Found(nearer);
      }
      switch (wanted(mx.name(), all, family)) {
        case LookupResult.Found<InetAddress> f ->
            hosts.add(TargetHost.of(mx.name(), mxPort, f.values(), false, false));
        case LookupResult.Absent<InetAddress> a -> problem = worse(problem, a);
        case LookupResult.Unknown<InetAddress> u ->
            problem = new HostLookup.Unknown(u.status(), u.reason());
      }
    }
    return hosts.isEmpty() ? problem : new HostLookup.Found(hosts);
  }

  /** The name counts too: the address may be that of a translator or a load balancer. */
  private boolean isOwn(MailExchanger mx, LookupResult<InetAddress> addresses) {
    return mx.name().equalsIgnoreCase(ownName)
        || (addresses instanceof LookupResult.Found<InetAddress> found
            && found.values().stream().anyMatch(isOwnAddress));
  }

  /** A nearer host whose address is not known now may come back; all else is a loop. */
  private static HostLookup ownOrWaiting(String domain, HostLookup nearer) {
    if (nearer instanceof HostLookup.Unknown) return nearer;
    return new HostLookup.None(LOOP, "mail for " + domain + " loops back to this host");
  }

  private static HostLookup worse(HostLookup problem, LookupResult.Absent<InetAddress> absent) {
    if (problem instanceof HostLookup.Unknown) return problem; // one of them may come back
    return new HostLookup.None(absent.status(), absent.reason());
  }

  /** {@code user@[192.0.2.1]}, RFC 5321 §4.1.3: no DNS lookup is made. */
  private HostLookup addressLiteral(String domain) {
    String inside = domain.substring(1, domain.length() - 1);
    String text = inside.regionMatches(true, 0, "IPv6:", 0, 5) ? inside.substring(5) : inside;
    try {
      InetAddress address = InetAddress.ofLiteral(text);
      if (isOwnAddress.test(address)) {
        return new HostLookup.None(LOOP, domain + " is this host, which keeps no mailboxes");
      }
      return new HostLookup.Found(
          List.of(TargetHost.of(text, mxPort, List.of(address), false, false)));
    } catch (IllegalArgumentException e) {
      return new HostLookup.None(BAD_LITERAL, domain + " is not an address");
    }
  }
}
