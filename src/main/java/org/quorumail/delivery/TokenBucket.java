package org.quorumail.delivery;

import org.quorumail.config.RateLimit;

/** A rate with bursts. Times are nanoTime. Guarded by its {@link DestinationLimiter}. */
final class TokenBucket {
  private final RateLimit limit;
  private double tokens;
  private long filled;

  TokenBucket(RateLimit limit, long now) {
    this.limit = limit;
    this.tokens = limit.burst();
    this.filled = now;
  }

  /** Takes a token if there is one. */
  boolean take(long now) {
    tokens = Math.min(limit.burst(), tokens + (now - filled) / 1e9 * limit.perSecond());
    filled = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  }

  /** Nanoseconds until there is one. */
  long untilNext() {
    return (long) Math.ceil((1 - tokens) / limit.perSecond() * 1e9);
  }
}
