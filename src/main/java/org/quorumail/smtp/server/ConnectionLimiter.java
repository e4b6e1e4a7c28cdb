package org.quorumail.smtp.server;

import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.Network;
import org.quorumail.smtp.Reply;

/**
 * The limiter of a listener's connections, in all and from each client: an IPv4 address, or the /64
 * network of an IPv6 address. Thread-safe.
 */
final class ConnectionLimiter {
  /** The reply when {@link #acquire} is empty. */
  static final Reply TOO_MANY = Reply.of(421, "4.7.0", "Too many connections, try again later");

  private static final Reply TOO_MANY_FROM_ADDRESS =
      Reply.of(421, "4.7.0", "Too many connections from your address, try again later");

  private final ListenerLimits limits;
  private final AtomicInteger active = new AtomicInteger();
  private final Map<Network, Integer> perClient = new ConcurrentHashMap<>();

  ConnectionLimiter(ListenerLimits limits) {
    this.limits = limits;
  }

  int active() {
    return active.get();
  }

  /** Counts a connection whose client is not known yet; empty when the limit is reached. */
  Optional<Permit> acquire() {
    if (active.incrementAndGet() <= limits.connections()) return Optional.of(new Permit());
    active.decrementAndGet();
    return Optional.empty();
  }

  /** The permit of one connection, until {@link #release}. Used by one thread at a time. */
  final class Permit {
    private @Nullable Network client;
    private boolean released;

    /**
     * Counts the connection for the client at this address only; returns the refusal if that has
     * too many.
     */
    Optional<Reply> assignTo(InetAddress address) {
      Network by = Network.ofClient(address);
      if (by.equals(client)) return Optional.empty();
      releaseClient();
      client = by;
      boolean fits = perClient.merge(by, 1, Integer::sum) <= limits.connectionsPerIp();
      return fits ? Optional.empty() : Optional.of(TOO_MANY_FROM_ADDRESS);
    }

    void release() {
      if (released) throw new IllegalStateException("a connection's permit is released once");
      released = true;
      releaseClient();
      active.decrementAndGet();
    }

    private void releaseClient() {
      if (client == null) return;
      perClient.computeIfPresent(client, (network, count) -> count == 1 ? null : count - 1);
      client = null;
    }
  }
}
