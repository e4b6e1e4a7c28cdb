package org.quorumail.gossip.net;

import java.time.Duration;

/**
 * Whether this node is in a state to judge others: the gossip thread was late a moment ago, because
 * the process was stopped, the heap was collected, or no processor was free. Until some time has
 * passed without that, the core is told that this node is the sick one and accuses nobody.
 *
 * <p>All times in nanoseconds; used by the gossip thread alone.
 */
final class LagGate {
  /** A machine with few processors is often 100 ms late when it is busy. */
  static final Duration TOLERANCE = Duration.ofMillis(250);

  private static final Duration SHORTEST = Duration.ofSeconds(1);

  /** A node that is late for good must still notice, some time, that another one has died. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private long sickUntil;
  private boolean isSick;

  /**
   * Notes a wait or a piece of work.
   *
   * @param late by how much it took longer than it was meant to
   * @return true when it was a stall
   */
  boolean note(long late, long now) {
    if (late <= TOLERANCE.toNanos()) return false;
    long rest = Math.clamp(2 * late, SHORTEST.toNanos(), LONGEST.toNanos());
    if (!isSick || sickUntil - now < rest) sickUntil = now + rest;
    isSick = true;
    return true;
  }

  boolean isSick(long now) {
    if (isSick && sickUntil - now <= 0) isSick = false;
    return isSick;
  }
}
