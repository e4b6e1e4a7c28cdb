package org.quorumail.gossip.driver;

import java.time.Duration;

/**
 * Whether this node is in a state to judge others: the gossip thread was late a moment ago, because
 * the process was stopped, the heap was collected, or no processor was free. Until some time has
 * passed without that, the core is told that this node is the sick one and accuses nobody.
 *
 * <p>All times in nanoseconds; used by the gossip thread alone.
 */
final class PauseDetector {
  /** A machine with few processors is often 100 ms late when it is busy. */
  static final Duration TOLERANCE = Duration.ofMillis(250);

  private static final Duration MIN_DEGRADED = Duration.ofSeconds(1);

  /** A node that is late for good must still notice, some time, that another one has died. */
  private static final Duration MAX_DEGRADED = Duration.ofSeconds(10);

  private long degradedUntil;
  private boolean isDegraded;

  /**
   * Notes a wait or a piece of work.
   *
   * @param late by how much it took longer than it was meant to
   * @return true when it was a stall
   */
  boolean recordDelay(long late, long now) {
    if (late <= TOLERANCE.toNanos()) return false;
    long rest = Math.clamp(2 * late, MIN_DEGRADED.toNanos(), MAX_DEGRADED.toNanos());
    if (!isDegraded || degradedUntil - now < rest) degradedUntil = now + rest;
    isDegraded = true;
    return true;
  }

  boolean isDegraded(long now) {
    if (isDegraded && degradedUntil - now <= 0) isDegraded = false;
    return isDegraded;
  }
}
