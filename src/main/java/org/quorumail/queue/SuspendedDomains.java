package org.quorumail.queue;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;

/** The domains to which an operator has suspended delivery, and the end of each. Thread-safe. */
final class SuspendedDomains {
  private final InstantSource time;
  private volatile Map<String, Instant> until = Map.of();

  SuspendedDomains(InstantSource time) {
    this.time = time;
  }

  /**
   * Replaces all suspensions at once.
   *
   * @param next the ends, by domain in lower case
   * @return whether a suspension has ended by it
   */
  boolean replaceAll(Map<String, Instant> next) {
    Map<String, Instant> former = until;
    until = Map.copyOf(next);
    return former.keySet().stream().anyMatch(d -> !next.containsKey(d));
  }

  boolean contains(String domain) {
    if (until.isEmpty()) return false;
    Instant end = until.get(domain);
    return end != null && time.instant().isBefore(end);
  }
}
