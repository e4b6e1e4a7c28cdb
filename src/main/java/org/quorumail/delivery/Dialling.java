package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Disposition.Responsibility;
import org.quorumail.delivery.Hosts.Host;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.client.Opening;
import org.quorumail.smtp.client.Peer;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.TlsRule;

/**
 * The way to a connection for one message: an idle one of its destination, or a new one, host after
 * host as RFC 5321 §5.1 has it. Used by one thread.
 */
final class Dialling {
  /** Addresses dialled in one attempt, so that a dead domain holds a place no longer than that. */
  private static final int MAX_DIALS = 5;

  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus NO_TLS = new EnhancedStatus(4, 7, 4);

  /**
   * RFC 8689 §4.2.1: a host without TLS is not enough, nor is an MX record that neither DNSSEC nor
   * MTA-STS vouches for.
   */
  private static final EnhancedStatus NO_SECURE_ROUTE = new EnhancedStatus(5, 7, 30);

  private static final EnhancedStatus DISCARDED = new EnhancedStatus(2, 0, 0);

  private final Deliveries shared;
  private final Destination destination;
  private final Flow flow;
  private final boolean strict;

  /**
   * @param strict only by TLS, and only to who proves its name (RFC 8689)
   */
  Dialling(Deliveries shared, Destination destination, Flow flow, boolean strict) {
    this.shared = shared;
    this.destination = destination;
    this.flow = flow;
    this.strict = strict;
  }

  /** What it came to. */
  sealed interface End {}

  record Connected(SmtpConnection connection) implements End {}

  /** There is no connection, and that decides it for every recipient. */
  record Decided(Disposition disposition) implements End {}

  /** Nobody was asked: every host has failed too often lately. */
  record LeftAlone(String reason) implements End {}

  End connection() {
    SmtpConnection idle = flow.takeIdle(System.nanoTime()).orElse(null);
    if (idle != null && strict && idle.peer().tls() != TlsRule.VERIFIED) {
      flow.giveBack(idle, System.nanoTime());
      idle = null;
    }
    return idle != null ? new Connected(idle) : dialled();
  }

  private End dialled() {
    return switch (shared.hosts().hosts(destination)) {
      case Hosts.Found found -> firstThatOpens(found.hosts());
      case Hosts.None none -> refused(none.status(), none.reason(), "");
      case Hosts.Unknown unknown -> {
        flow.troubled();
        yield later(unknown.status(), unknown.reason(), "");
      }
      case Hosts.Discard discard ->
          new Decided(
              new Disposition.Delivered(
                  DISCARDED, "discarded by a route", "discard", Responsibility.DELIVERED));
    };
  }

  /** What the last host said goes into the outcome. */
  private End firstThatOpens(List<Host> hosts) {
    int dials = 0;
    String remote = "";
    Opening.@Nullable Unusable problem = null;
    boolean hopeless = strict; // until there is a host that may have TLS another time
    for (Host host : hosts) {
      // in this order: who asks an open circuit and hears yes has to try it
      if (dials >= MAX_DIALS || !shared.breakers().allows(host.key(), System.nanoTime())) {
        hopeless = false;
        continue;
      }
      if (strict && !host.explicit()) {
        return refused(NO_SECURE_ROUTE, "the name " + host.name() + " is not authenticated", "");
      }
      for (InetAddress address : host.addresses()) {
        if (dials++ == MAX_DIALS) break;
        Peer peer = peer(host, address);
        remote = peer.toString();
        switch (shared.client().open(peer)) {
          case Opening.Ready ready -> {
            shared.connectionOpened();
            return new Connected(ready.connection());
          }
          case Opening.Ourselves ourselves -> {
            return refused(LOOP, ourselves.reason(), remote);
          }
          case Opening.Unusable unusable -> {
            hopeless = false;
            problem = unusable;
          }
          case Opening.WithoutTls without ->
              problem = new Opening.Unusable(NO_TLS, without.reason());
        }
      }
      // what this message alone demands says nothing about the host
      if (!strict) shared.breakers().failed(host.key(), System.nanoTime());
    }
    if (problem == null) {
      flow.closeUntil(earliestTrial(hosts));
      return new LeftAlone("the circuit of every host is open");
    }
    if (hopeless) return refused(NO_SECURE_ROUTE, problem.reason(), remote);
    flow.troubled();
    closeIfAllAreOpen(hosts);
    return later(problem.status(), problem.reason(), remote);
  }

  private void closeIfAllAreOpen(List<Host> hosts) {
    long trial = earliestTrial(hosts);
    if (trial - System.nanoTime() > 0) flow.closeUntil(trial);
  }

  private long earliestTrial(List<Host> hosts) {
    long now = System.nanoTime();
    long earliest = Long.MAX_VALUE; // as a distance from now, since nanoTime may be negative
    for (Host host : hosts) {
      earliest = Math.min(earliest, shared.breakers().openUntil(host.key(), now) - now);
    }
    return now + earliest;
  }

  private Peer peer(Host host, InetAddress address) {
    return new Peer(
        host.name(),
        new InetSocketAddress(address, host.port()),
        host.lmtp(),
        strict ? TlsRule.VERIFIED : destination.tls(),
        host.explicit());
  }

  private static End later(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Disposition.TryLater(status, reason, remote));
  }

  private static End refused(EnhancedStatus status, String reason, String remote) {
    return new Decided(new Disposition.Refused(status, reason, remote));
  }
}
