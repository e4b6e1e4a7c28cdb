package org.quorumail.queue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The domains to which an operator has suspended delivery. They are kept in memory only: a restart
 * resumes them all. Thread-safe.
 */
final class SuspendedDomains {
  static final int MAX = 10_000;

  private final InstantSource time;
  private final ConcurrentHashMap<String, Instant> until = new ConcurrentHashMap<>();

  SuspendedDomains(InstantSource time) {
    this.time = time;
  }

  /** False when too many domains are suspended already. */
  boolean add(String domain, Duration duration) {
    until.values().removeIf(u -> !time.instant().isBefore(u));
    if (until.size() >= MAX) return false;
    until.put(domain, time.instant().plus(duration));
    return true;
  }

  boolean remove(String domain) {
    return until.remove(domain) != null;
  }

  boolean contains(String domain) {
    if (until.isEmpty()) return false;
    Instant end = until.get(domain);
    return end != null && time.instant().isBefore(end);
  }

  Map<String, Duration> remaining() {
    Instant now = time.instant();
    Map<String, Duration> left = new TreeMap<>();
    until.forEach(
        (domain, end) -> {
          if (now.isBefore(end)) left.put(domain, Duration.between(now, end));
        });
    return left;
  }
}
