package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.HostLookup.TargetHost;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Outcome.SuccessReport;
import org.quorumail.smtp.client.ConnectResult;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.TlsRule;

/**
 * Finds a connection for one message: an idle one of its destination, or a new one, host after host
 * as RFC 5321 §5.1 orders them. Belongs to one attempt and its thread.
 */
final class Connector {
  /** Addresses tried in one attempt, so that a dead domain holds its room no longer than that. */
  private static final int MAX_CONNECTS = 5;

  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus NO_TLS = new EnhancedStatus(4, 7, 4);

  /**
   * RFC 8689 §4.2.1: a host without TLS is not enough, nor is an MX record that neither DNSSEC nor
   * MTA-STS authenticates.
   */
  private static final EnhancedStatus NO_SECURE_ROUTE = new EnhancedStatus(5, 7, 30);

  private static final EnhancedStatus DISCARDED = new EnhancedStatus(2, 0, 0);

  private final DeliveryAgent agent;
  private final Destination destination;
  private final DestinationLimiter limiter;
  private final boolean requireVerifiedTls;

  /** The number of addresses tried in the search that runs. */
  private int connects;

  private String lastRemote = "";
  private ConnectResult.@Nullable Unusable lastProblem;
  private boolean mayOfferTlsLater; // a host that could not be asked, or did not answer

  /**
   * @param requireVerifiedTls only TLS, and only hosts that prove their names (RFC 8689)
   */
  Connector(
      DeliveryAgent agent,
      Destination destination,
      DestinationLimiter limiter,
      boolean requireVerifiedTls) {
    this.agent = agent;
    this.destination = destination;
    this.limiter = limiter;
    this.requireVerifiedTls = requireVerifiedTls;
  }

  /** The result of a search. */
  sealed interface ConnectorResult {}

  record Connected(SmtpConnection connection) implements ConnectorResult {}

  /** There is no connection, and every recipient has this outcome. */
  record Decided(Outcome outcome) implements ConnectorResult {}

  /** No host was tried: each of them has failed too often lately. */
  record CircuitOpen(String reason) implements ConnectorResult {}

  ConnectorResult connect() {
    SmtpConnection idle = limiter.takeIdle(System.nanoTime()).orElse(null);
    if (idle != null && requireVerifiedTls && idle.peer().tls() != TlsRule.VERIFIED) {
      limiter.returnConnection(idle, System.nanoTime());
      idle = null;
    }
    return idle != null ? new Connected(idle) : connectNew();
  }

  private ConnectorResult connectNew() {
    return switch (agent.hosts().find(destination)) {
      case HostLookup.Found found -> connectToFirst(found.hosts());
      case HostLookup.None none -> failed(none.status(), none.reason(), "");
      case HostLookup.Unknown unknown -> {
        limiter.shrinkWindow();
        yield deferred(unknown.status(), unknown.reason(), "");
      }
      case HostLookup.Discard discard ->
          new Decided(
              new Outcome.Delivered(
                  DISCARDED, "discarded by a route", "discard", SuccessReport.DELIVERED));
    };
  }

  /** Tries the hosts in their order. The reason of the last failure goes into the outcome. */
  private ConnectorResult connectToFirst(List<TargetHost> hosts) {
    connects = 0;
    lastRemote = "";
    lastProblem = null;
    mayOfferTlsLater = !requireVerifiedTls;
    for (TargetHost host : hosts) {
      ConnectorResult result = tryHost(host);
      if (result != null) return result;
    }
    if (lastProblem == null) {
      limiter.openCircuitUntil(earliestTrial(hosts));
      return new CircuitOpen("the circuit of every host is open");
    }
    if (!mayOfferTlsLater) return failed(NO_SECURE_ROUTE, lastProblem.reason(), lastRemote);
    limiter.shrinkWindow();
    openCircuitIfAllAreOpen(hosts);
    return deferred(lastProblem.status(), lastProblem.reason(), lastRemote);
  }

  /** Null when another host may do. */
  private @Nullable ConnectorResult tryHost(TargetHost host) {
    // in this order: a caller that an open circuit allows must try the host
    boolean allowed =
        connects < MAX_CONNECTS && agent.breakers().allows(host.key(), System.nanoTime());
    if (!allowed) {
      mayOfferTlsLater = true;
      return null;
    }
    if (requireVerifiedTls && !host.configured()) {
      return failed(NO_SECURE_ROUTE, "the name " + host.name() + " is not authenticated", "");
    }
    for (InetAddress address : host.addresses()) {
      if (connects++ == MAX_CONNECTS) break;
      ConnectorResult result = tryAddress(endpoint(host, address));
      if (result != null) return result;
    }
    // a demand of this message alone says nothing about the host
    if (!requireVerifiedTls) agent.breakers().recordFailure(host.key(), System.nanoTime());
    return null;
  }

  private @Nullable ConnectorResult tryAddress(ServerEndpoint peer) {
    lastRemote = peer.toString();
    return switch (agent.client().open(peer)) {
      case ConnectResult.Connected connected -> {
        agent.connectionOpened();
        yield new Connected(connected.connection());
      }
      case ConnectResult.MailLoop loop -> failed(LOOP, loop.reason(), lastRemote);
      case ConnectResult.Unusable unusable -> {
        mayOfferTlsLater = true;
        lastProblem = unusable;
        yield null;
      }
      case ConnectResult.TlsNotOffered without -> {
        lastProblem = new ConnectResult.Unusable(NO_TLS, without.reason());
        yield null;
      }
    };
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

  private ServerEndpoint endpoint(TargetHost host, InetAddress address) {
    return new ServerEndpoint(
        host.name(),
        new InetSocketAddress(address, host.port()),
        host.lmtp(),
        requireVerifiedTls ? TlsRule.VERIFIED : destination.tls(),
        host.configured());
  }

  private static ConnectorResult deferred(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Outcome.Deferred(status, reason, remote));
  }

  private static ConnectorResult failed(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Outcome.Failed(status, reason, remote));
  }
}
