package org.quorumail.delivery;

import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The circuit breakers of all hosts that have failed lately. */
final class CircuitBreakers {
  private static final Logger log = LoggerFactory.getLogger(CircuitBreakers.class);

  private final CircuitBreakerConfig limits;
  private final ConcurrentHashMap<String, CircuitBreaker> byHost = new ConcurrentHashMap<>();

  CircuitBreakers(CircuitBreakerConfig limits) {
    this.limits = limits;
  }

  boolean allows(String host, long now) {
    CircuitBreaker breaker = byHost.get(host);
    return breaker == null || breaker.allows(now);
  }

  void recordSuccess(String host) {
    CircuitBreaker breaker = byHost.get(host);
    if (breaker == null) return;
    if (breaker.isOpen()) log.info("event=circuit_closed host={}", host);
    breaker.succeeded();
  }

  void recordFailure(String host, long now) {
    CircuitBreaker breaker = byHost.computeIfAbsent(host, h -> new CircuitBreaker(limits));
    if (breaker.failed(now)) {
      log.warn("event=circuit_opened host={} seconds={}", host, limits.openFor().toSeconds());
    }
  }

  /** When the host may be tried again; now or earlier when its circuit is closed. */
  long openUntil(String host, long now) {
    CircuitBreaker breaker = byHost.get(host);
    return breaker == null || !breaker.isOpen() ? now : breaker.openUntil();
  }

  int openCount() {
    return (int) byHost.values().stream().filter(CircuitBreaker::isOpen).count();
  }

  void removeUnused(long now) {
    byHost.values().removeIf(b -> b.forgettable(now));
  }
}
