package org.quorumail.gossip.plumtree;

/** A token bucket; the caller passes the time. */
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

  /** Takes an amount if the bucket holds it; a full bucket also allows one above the burst. */
  boolean tryTake(double amount, long now) {
    tokens = Math.min(burst, tokens + Math.max(0, now - last) * perMilli);
    last = Math.max(last, now);
    if (tokens < Math.min(amount, burst)) return false;
    tokens -= amount;
    return true;
  }
}
