package org.quorumail.delivery;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.HostLookup.TargetHost;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.smtp.client.ConnectResult;
import org.quorumail.smtp.client.Dial;
import org.quorumail.smtp.client.Login;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.TlsRule;

/**
 * Finds a connection for one message: an idle one of its destination, or a new one, host after host
 * as RFC 5321 §5.1 orders them. Belongs to one attempt and its thread.
 */
final class Connector {
  /** Addresses tried in one attempt, so that a dead domain holds its room no longer than that. */
  private static final int MAX_ADDRESSES = 5;

  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus NO_ANSWER = new EnhancedStatus(4, 4, 1);
  private static final ConnectResult.Unusable CUT =
      new ConnectResult.Unusable(
          NO_ANSWER, "no quick answer, and too many other hosts do not answer either");

  private static final EnhancedStatus NO_TLS = new EnhancedStatus(4, 7, 4);

  /**
   * RFC 8689 §4.2.1: a host without TLS is not enough, nor is an MX record that neither DNSSEC nor
   * MTA-STS authenticates.
   */
  private static final EnhancedStatus NO_SECURE_ROUTE = new EnhancedStatus(5, 7, 30);

  private final DeliveryAgent agent;
  private final Destination destination;
  private final DestinationLimiter limiter;
  private final boolean requireVerifiedTls;
  private final @Nullable Login login; // for all hosts
  private final DialBudget.Permit permit;
  private final Dial dial;
  private final boolean isTrial; // an operator wants the hosts tried, paused or not

  private @Nullable List<TargetHost> hosts; // once they are known
  private int hostIndex; // of the host that was tried last
  private final Set<String> givenUp = new HashSet<>(); // addresses that failed or deferred
  private int triedAddresses; // in vain
  private boolean connectFailed;
  private boolean loginFailed; // at the host that was tried last
  private String lastRemote = "";
  private ConnectResult.@Nullable Unusable lastProblem;
  private boolean mayOfferTlsLater; // a host that could not be asked, or did not answer

  /**
   * @param senderDomain of the reverse-path; empty for the null one
   * @param requireVerifiedTls only TLS, and only hosts that prove their names (RFC 8689)
   * @param permit to dial; it is returned with the first connection
   */
  Connector(
      DeliveryAgent agent,
      Destination destination,
      DestinationLimiter limiter,
      String senderDomain,
      boolean requireVerifiedTls,
      DialBudget.Permit permit) {
    this.permit = permit;
    this.dial = permit.dial();
    this.login = destination.login(senderDomain);
    this.agent = agent;
    this.destination = destination;
    this.limiter = limiter;
    this.requireVerifiedTls = requireVerifiedTls;
    this.mayOfferTlsLater = !requireVerifiedTls;
    this.isTrial = limiter.takeTrial();
    if (isTrial) agent.hosts().forget(destination);
  }

  /** The result of a search. */
  sealed interface ConnectorResult {}

  record Connected(SmtpConnection connection) implements ConnectorResult {}

  /** There is no connection, and every recipient has this outcome. */
  record Decided(Outcome outcome) implements ConnectorResult {}

  /** No host was tried: each of them has failed too often lately. */
  record CircuitOpen(String reason) implements ConnectorResult {}

  ConnectorResult connect() {
    long now = System.nanoTime();
    SmtpConnection idle = limiter.takeIdle(now, peer -> mayServe(peer)).orElse(null);
    if (idle != null && requireVerifiedTls && !isAuthenticated(idle.peer())) {
      limiter.returnConnection(idle, now);
      idle = null;
    }
    ConnectorResult result = idle != null ? new Connected(idle) : connectNew();
    permit.close(); // a later dial of this attempt needs no room: few attempts have one
    return result;
  }

  /** Returns whether the host has proved a name that the configuration gives it (RFC 8689). */
  private static boolean isAuthenticated(ServerEndpoint peer) {
    return peer.tls() == TlsRule.VERIFIED && peer.configured();
  }

  /** Excludes a host that has deferred the message from the rest of this attempt. */
  void giveUp(ServerEndpoint peer, Outcome.Deferred deferral) {
    exclude(peer);
    mayOfferTlsLater = true;
    lastProblem = new ConnectResult.Unusable(deferral.status(), deferral.diagnostic());
    lastRemote = peer.toString();
  }

  /** Returns whether the attempt can go on at another host when it gives these up. */
  boolean hasHostBeside(Set<ServerEndpoint> peers) {
    if (triedAddresses + peers.size() >= MAX_ADDRESSES) return false;
    if (hosts == null && agent.hosts().find(destination) instanceof HostLookup.Found found) {
      hosts = found.hosts();
    }
    if (hosts == null) return false;
    Set<String> without = new HashSet<>(givenUp);
    for (ServerEndpoint peer : peers) without.add(key(peer.name(), peer.address()));
    long now = System.nanoTime();
    for (int i = hostIndex; i < hosts.size(); i++) {
      TargetHost host = hosts.get(i);
      if (!isTrial && agent.breakers().openUntil(host.key(), now) - now > 0) continue;
      if (host.addresses().stream().anyMatch(a -> !without.contains(key(host, a)))) return true;
    }
    return false;
  }

  private ConnectorResult connectNew() {
    if (hosts != null) return connectToNext(hosts);
    return switch (agent.hosts().find(destination)) {
      case HostLookup.Found found -> {
        hosts = found.hosts();
        yield connectToNext(hosts);
      }
      case HostLookup.None none -> failed(none.status(), none.reason(), "");
      case HostLookup.Unknown unknown -> {
        limiter.shrinkWindow();
        yield deferred(unknown.status(), unknown.reason(), "");
      }
      case HostLookup.Decided decided -> new Decided(decided.outcome());
    };
  }

  /**
   * Tries the hosts in their order, from the one on that was tried last. The reason of the last
   * failure goes into the outcome.
   */
  private ConnectorResult connectToNext(List<TargetHost> hosts) {
    for (; hostIndex < hosts.size() && !dial.isAborted(); hostIndex++) {
      ConnectorResult result = tryHost(hosts.get(hostIndex), hosts.size() - hostIndex - 1);
      if (result != null) return result;
    }
    if (dial.isAborted()) {
      connectFailed = true;
      mayOfferTlsLater = true;
      lastProblem = CUT;
    }
    if (lastProblem == null) {
      limiter.openCircuitUntil(earliestTrial(hosts));
      return new CircuitOpen("the circuit of every host is open");
    }
    if (!mayOfferTlsLater) return failed(NO_SECURE_ROUTE, lastProblem.reason(), lastRemote);
    if (connectFailed) limiter.unreachable(System.nanoTime());
    openCircuitIfAllAreOpen(hosts);
    return deferred(lastProblem.status(), lastProblem.reason(), lastRemote);
  }

  /**
   * Null when another host may do.
   *
   * @param hostsAfter each of them keeps one address of those that the attempt may try
   */
  private @Nullable ConnectorResult tryHost(TargetHost host, int hostsAfter) {
    if (host.addresses().stream().allMatch(a -> givenUp.contains(key(host, a)))) return null;
    // in this order: a caller that an open circuit allows must try the host
    boolean allowed =
        triedAddresses < MAX_ADDRESSES
            && (agent.breakers().allows(host.key(), System.nanoTime()) || isTrial);
    if (!allowed) {
      mayOfferTlsLater = true;
      return null;
    }
    if (requireVerifiedTls && !host.configured()) {
      return failed(NO_SECURE_ROUTE, "the name " + host.name() + " is not authenticated", "");
    }
    int limit = Math.max(triedAddresses + 1, MAX_ADDRESSES - hostsAfter);
    loginFailed = false;
    while (triedAddresses < limit && !dial.isAborted()) {
      List<ServerEndpoint> untried =
          host.addresses().stream()
              .filter(address -> !givenUp.contains(key(host, address)))
              .limit(limit - triedAddresses)
              .map(address -> endpoint(host, address))
              .toList();
      if (untried.isEmpty()) break;
      ConnectorResult result = tryAddresses(untried);
      if (result != null) return result;
      connectFailed |= !loginFailed;
    }
    // this message, its sender's account or this node's haste alone say nothing about the host
    if (!requireVerifiedTls && !loginFailed && !dial.isAborted())
      agent.breakers().recordFailure(host.key(), System.nanoTime());
    return null;
  }

  private boolean mayServe(ServerEndpoint peer) {
    return Objects.equals(peer.login(), login)
        && !givenUp.contains(key(peer.name(), peer.address()));
  }

  private static String key(TargetHost host, SocketAddress address) {
    return key(host.name(), address);
  }

  private static String key(String name, SocketAddress address) {
    return name + "/" + address;
  }

  private void exclude(ServerEndpoint peer) {
    if (givenUp.add(key(peer.name(), peer.address()))) triedAddresses++;
  }

  private @Nullable ConnectorResult tryAddresses(List<ServerEndpoint> peers) {
    SmtpClient.HostResult host = agent.client().open(peers, dial);
    host.unreachable().forEach(this::exclude);
    mayOfferTlsLater |= !host.unreachable().isEmpty();
    ServerEndpoint peer = host.peer();
    String nearer = lastRemote;
    lastRemote = peer.toString();
    if (!(host.result() instanceof ConnectResult.Connected)) exclude(peer);
    return switch (host.result()) {
      case ConnectResult.Connected connected -> {
        agent.connectionOpened(destination, connected.connection());
        yield new Connected(connected.connection());
      }
      case ConnectResult.MailLoop loop -> loop(loop.reason(), nearer);
      case ConnectResult.Unusable unusable -> {
        mayOfferTlsLater = true;
        lastProblem = unusable;
        yield null;
      }
      case ConnectResult.LoginRefused refused -> {
        mayOfferTlsLater = true;
        loginFailed = true;
        lastProblem = new ConnectResult.Unusable(refused.status(), refused.reason());
        agent.loginRefused(destination, peer, refused.reason());
        yield null;
      }
      case ConnectResult.TlsNotOffered without -> {
        loginFailed = login != null;
        lastProblem = new ConnectResult.Unusable(NO_TLS, without.reason());
        yield null;
      }
    };
  }

  /**
   * This node is a host of the domain itself: the hosts after it are no nearer (RFC 5321 §5.1). The
   * mail waits for the nearer ones, or loops when there is none.
   */
  private ConnectorResult loop(String reason, String nearerRemote) {
    ConnectResult.Unusable nearer = lastProblem;
    if (nearer != null) return deferred(nearer.status(), nearer.reason(), nearerRemote);
    if (hostIndex > 0) return deferred(NO_ANSWER, "every nearer host is paused", "");
    return failed(LOOP, reason, lastRemote);
  }

  private void openCircuitIfAllAreOpen(List<TargetHost> hosts) {
    long trial = earliestTrial(hosts);
    if (trial - System.nanoTime() > 0) limiter.openCircuitUntil(trial);
  }

  private long earliestTrial(List<TargetHost> hosts) {
    long now = System.nanoTime();
    long earliest = Long.MAX_VALUE; // as a distance from now, since nanoTime may be negative
    for (TargetHost host : hosts) {
      earliest = Math.min(earliest, agent.breakers().openUntil(host.key(), now) - now);
    }
    return now + earliest;
  }

  private ServerEndpoint endpoint(TargetHost host, SocketAddress address) {
    return new ServerEndpoint(
        host.name(),
        address,
        host.lmtp(),
        tlsRule(address),
        host.configured(),
        login,
        destination.certificateNames(host.name(), host.configured()));
  }

  /** The strictest of what the message, the destination and the login ask for. */
  private TlsRule tlsRule(SocketAddress address) {
    if (address instanceof UnixDomainSocketAddress) return TlsRule.OPPORTUNISTIC; // no network
    TlsRule rule = requireVerifiedTls ? TlsRule.VERIFIED : destination.tls();
    return login != null && login.leastTls().compareTo(rule) > 0 ? login.leastTls() : rule;
  }

  private static ConnectorResult deferred(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Outcome.Deferred(status, reason, remote));
  }

  private static ConnectorResult failed(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Outcome.Failed(status, reason, remote));
  }
}
