package org.quorumail.delivery;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The circuit breakers of all hosts that have failed lately. A host that fails too often is not
 * tried for a while; then one attempt tries it again, and its result decides for all. Thread-safe.
 * Times are nanoTime.
 */
final class CircuitBreakers {
  private static final Logger LOG = LoggerFactory.getLogger(CircuitBreakers.class);

  /**
   * A host that nobody has tried for so long after its circuit might close is forgotten: its mail
   * has gone elsewhere or has expired, and hosts that never come back must not gather here.
   */
  static final Duration FORGET_AFTER = Duration.ofHours(1);

  private final CircuitBreakerConfig limits;
  private final ConcurrentHashMap<String, Circuit> byHost = new ConcurrentHashMap<>();

  CircuitBreakers(CircuitBreakerConfig limits) {
    this.limits = limits;
  }

  /**
   * Returns whether the host may be tried. After a true on an open circuit the caller must try the
   * host: the others wait for its result.
   */
  boolean allows(String host, long now) {
    Circuit circuit = byHost.get(host);
    return circuit == null || circuit.allows(now);
  }

  void recordSuccess(String host) {
    Circuit circuit = byHost.get(host);
    if (circuit != null && circuit.close()) LOG.info("event=circuit_closed host={}", host);
  }

  void recordFailure(String host, long now) {
    Circuit circuit = byHost.computeIfAbsent(host, h -> new Circuit(limits));
    if (circuit.recordFailure(now)) {
      LOG.warn("event=circuit_opened host={} seconds={}", host, limits.openFor().toSeconds());
    }
  }

  /** The time at which the host may be tried again; now or earlier when its circuit is closed. */
  long openUntil(String host, long now) {
    Circuit circuit = byHost.get(host);
    return circuit == null ? now : circuit.openUntil(now);
  }

  int openCount() {
    return (int) byHost.values().stream().filter(Circuit::isOpen).count();
  }

  void removeUnused(long now) {
    byHost.values().removeIf(circuit -> circuit.isUnused(now));
  }

  /** The circuit of one host. */
  private static final class Circuit {
    private final CircuitBreakerConfig limits;
    private final Deque<Long> failures = new ArrayDeque<>(); // at most limits.failures()
    private boolean open;
    private long openUntil;

    Circuit(CircuitBreakerConfig limits) {
      this.limits = limits;
    }

    synchronized boolean allows(long now) {
      if (!open) return true;
      if (now - openUntil < 0) return false;
      openUntil = now + limits.openFor().toNanos(); // the others wait for this one
      return true;
    }

    /** Returns whether it was open. */
    synchronized boolean close() {
      boolean wasOpen = open;
      open = false;
      failures.clear();
      return wasOpen;
    }

    /** Returns whether this failure has opened the circuit. */
    synchronized boolean recordFailure(long now) {
      failures.addLast(now);
      long since = now - limits.within().toNanos();
      while (failures.getFirst() - since < 0) failures.removeFirst();
      boolean opens = !open && failures.size() >= limits.failures();
      if (open || opens) openUntil = now + limits.openFor().toNanos();
      open |= opens;
      if (failures.size() >= limits.failures()) failures.removeFirst();
      return opens;
    }

    synchronized boolean isOpen() {
      return open;
    }

    synchronized long openUntil(long now) {
      return open ? openUntil : now;
    }

    /** Returns whether there is nothing to remember. */
    synchronized boolean isUnused(long now) {
      if (open) return now - openUntil > FORGET_AFTER.toNanos();
      return failures.isEmpty() || now - failures.getLast() > limits.within().toNanos();
    }
  }
}
