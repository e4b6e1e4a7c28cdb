package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Disposition.Responsibility;
import org.quorumail.delivery.HostLookup.TargetHost;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.client.ConnectResult;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.TlsRule;

/**
 * The way to a connection for one message: an idle one of its destination, or a new one, host after
 * host as RFC 5321 §5.1 has it. Used by one thread.
 */
final class Connector {
  /** Addresses dialled in one attempt, so that a dead domain holds a place no longer than that. */
  private static final int MAX_CONNECTS = 5;

  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus NO_TLS = new EnhancedStatus(4, 7, 4);

  /**
   * RFC 8689 §4.2.1: a host without TLS is not enough, nor is an MX record that neither DNSSEC nor
   * MTA-STS vouches for.
   */
  private static final EnhancedStatus NO_SECURE_ROUTE = new EnhancedStatus(5, 7, 30);

  private static final EnhancedStatus DISCARDED = new EnhancedStatus(2, 0, 0);

  private final DeliveryAgent shared;
  private final Destination destination;
  private final DestinationLimiter flow;
  private final boolean requireVerifiedTls;

  /**
   * @param strict only by TLS, and only to who proves its name (RFC 8689)
   */
  Connector(
      DeliveryAgent shared, Destination destination, DestinationLimiter flow, boolean strict) {
    this.shared = shared;
    this.destination = destination;
    this.flow = flow;
    this.requireVerifiedTls = strict;
  }

  /** What it came to. */
  sealed interface ConnectorResult {}

  record Connected(SmtpConnection connection) implements ConnectorResult {}

  /** There is no connection, and that decides it for every recipient. */
  record Decided(Disposition disposition) implements ConnectorResult {}

  /** Nobody was asked: every host has failed too often lately. */
  record CircuitOpen(String reason) implements ConnectorResult {}

  ConnectorResult connect() {
    SmtpConnection idle = flow.takeIdle(System.nanoTime()).orElse(null);
    if (idle != null && requireVerifiedTls && idle.peer().tls() != TlsRule.VERIFIED) {
      flow.returnConnection(idle, System.nanoTime());
      idle = null;
    }
    return idle != null ? new Connected(idle) : connectNew();
  }

  private ConnectorResult connectNew() {
    return switch (shared.hosts().find(destination)) {
      case HostLookup.Found found -> connectToFirst(found.hosts());
      case HostLookup.None none -> refused(none.status(), none.reason(), "");
      case HostLookup.Unknown unknown -> {
        flow.shrinkWindow();
        yield later(unknown.status(), unknown.reason(), "");
      }
      case HostLookup.Discard discard ->
          new Decided(
              new Disposition.Delivered(
                  DISCARDED, "discarded by a route", "discard", Responsibility.DELIVERED));
    };
  }

  /** What the last host said goes into the outcome. */
  private ConnectorResult connectToFirst(List<TargetHost> hosts) {
    int dials = 0;
    String remote = "";
    ConnectResult.@Nullable Unusable problem = null;
    boolean hopeless = requireVerifiedTls; // until there is a host that may have TLS another time
    for (TargetHost host : hosts) {
      // in this order: who asks an open circuit and hears yes has to try it
      if (dials >= MAX_CONNECTS || !shared.breakers().allows(host.key(), System.nanoTime())) {
        hopeless = false;
        continue;
      }
      if (requireVerifiedTls && !host.configured()) {
        return refused(NO_SECURE_ROUTE, "the name " + host.name() + " is not authenticated", "");
      }
      for (InetAddress address : host.addresses()) {
        if (dials++ == MAX_CONNECTS) break;
        ServerEndpoint peer = peer(host, address);
        remote = peer.toString();
        switch (shared.client().open(peer)) {
          case ConnectResult.Connected ready -> {
            shared.connectionOpened();
            return new Connected(ready.connection());
          }
          case ConnectResult.MailLoop ourselves -> {
            return refused(LOOP, ourselves.reason(), remote);
          }
          case ConnectResult.Unusable unusable -> {
            hopeless = false;
            problem = unusable;
          }
          case ConnectResult.TlsNotOffered without ->
              problem = new ConnectResult.Unusable(NO_TLS, without.reason());
        }
      }
      // what this message alone demands says nothing about the host
      if (!requireVerifiedTls) shared.breakers().recordFailure(host.key(), System.nanoTime());
    }
    if (problem == null) {
      flow.openCircuitUntil(earliestTrial(hosts));
      return new CircuitOpen("the circuit of every host is open");
    }
    if (hopeless) return refused(NO_SECURE_ROUTE, problem.reason(), remote);
    flow.shrinkWindow();
    closeIfAllAreOpen(hosts);
    return later(problem.status(), problem.reason(), remote);
  }

  private void closeIfAllAreOpen(List<TargetHost> hosts) {
    long trial = earliestTrial(hosts);
    if (trial - System.nanoTime() > 0) flow.openCircuitUntil(trial);
  }

  private long earliestTrial(List<TargetHost> hosts) {
    long now = System.nanoTime();
    long earliest = Long.MAX_VALUE; // as a distance from now, since nanoTime may be negative
    for (TargetHost host : hosts) {
      earliest = Math.min(earliest, shared.breakers().openUntil(host.key(), now) - now);
    }
    return now + earliest;
  }

  private ServerEndpoint peer(TargetHost host, InetAddress address) {
    return new ServerEndpoint(
        host.name(),
        new InetSocketAddress(address, host.port()),
        host.lmtp(),
        requireVerifiedTls ? TlsRule.VERIFIED : destination.tls(),
        host.configured());
  }

  private static ConnectorResult later(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Disposition.TryLater(status, reason, remote));
  }

  private static ConnectorResult refused(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Disposition.Refused(status, reason, remote));
  }
}
