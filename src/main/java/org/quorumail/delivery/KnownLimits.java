package org.quorumail.delivery;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Optional;
import org.quorumail.smtp.NextHopLimits;

/**
 * The limits that the hosts of destinations have given lately. The front refuses mail of strangers
 * by them that could only be returned to a forged sender. Thread-safe.
 */
final class KnownLimits {
  private static final int MAX_DESTINATIONS = 10_000; // some 2 MB

  /** Hosts of a destination count together for this time, the most generous first. */
  static final Duration TOGETHER = Duration.ofHours(1);

  /** Without a connection for this time nothing is known: mail is accepted and tried. */
  static final Duration FORGET_AFTER = Duration.ofDays(1);

  private final Cache<String, Learnt> byDestination;
  private final Ticker ticker;

  private record Learnt(NextHopLimits limits, long sinceNanos) {}

  KnownLimits() {
    this(Ticker.systemTicker());
  }

  KnownLimits(Ticker ticker) {
    this.ticker = ticker;
    byDestination =
        Caffeine.newBuilder()
            .maximumSize(MAX_DESTINATIONS)
            .expireAfterWrite(FORGET_AFTER)
            .ticker(ticker)
            .build();
  }

  /** Learns the limits of one host of the destination. */
  void learn(Destination destination, NextHopLimits limits) {
    long now = ticker.read();
    byDestination
        .asMap()
        .compute(
            destination.name(),
            (name, known) ->
                known == null || now - known.sinceNanos() >= TOGETHER.toNanos()
                    ? new Learnt(limits, now)
                    : new Learnt(known.limits().or(limits), known.sinceNanos()));
  }

  /** The limits of a destination; empty when they are not known. */
  Optional<NextHopLimits> find(Destination destination) {
    return Optional.ofNullable(byDestination.getIfPresent(destination.name())).map(Learnt::limits);
  }
}
