package org.quorumail.gossip.driver;

import java.time.Duration;

/**
 * The detector of pauses of this process: it was stopped, its heap was collected, or no processor
 * was free. For some time after a pause this node counts as degraded and accuses no other node.
 *
 * <p>All times are in nanoseconds. Used by the gossip thread alone.
 */
final class PauseDetector {
  /** A busy machine with few processors is often 100 ms late. */
  static final Duration TOLERANCE = Duration.ofMillis(250);

  private static final Duration MIN_DEGRADED = Duration.ofSeconds(1);

  /** A node that pauses often must still detect, some time, that another one has died. */
  private static final Duration MAX_DEGRADED = Duration.ofSeconds(10);

  private long degradedUntil;
  private boolean isDegraded;

  /**
   * Records a wait or a piece of work.
   *
   * @param delay the time that it took longer than expected
   * @return true when it was a pause
   */
  boolean recordDelay(long delay, long now) {
    if (delay <= TOLERANCE.toNanos()) return false;
    long rest = Math.clamp(2 * delay, MIN_DEGRADED.toNanos(), MAX_DEGRADED.toNanos());
    if (!isDegraded || degradedUntil - now < rest) degradedUntil = now + rest;
    isDegraded = true;
    return true;
  }

  boolean isDegraded(long now) {
    if (isDegraded && degradedUntil - now <= 0) isDegraded = false;
    return isDegraded;
  }
}
