package org.quorumail.gossip.plumtree;

/** A token bucket on the caller's clock. */
final class RateLimiter {
  private final double perMilli;
  private final double burst;
  private double tokens;
  private long last;

  RateLimiter(double perSecond, double burst, long now) {
    this.perMilli = perSecond / 1_000;
    this.burst = burst;
    this.tokens = burst;
    this.last = now;
  }

  /** Whether the amount may go now; one amount above the burst may go from a full bucket. */
  boolean tryTake(double amount, long now) {
    tokens = Math.min(burst, tokens + Math.max(0, now - last) * perMilli);
    last = Math.max(last, now);
    if (tokens < Math.min(amount, burst)) return false;
    tokens -= amount;
    return true;
  }
}
