package org.quorumail.replication;

import java.time.Duration;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * The clock of a lease: the monotonic clock, and the moments at which it is known to have stood
 * still. A suspended computer, and a virtual machine that its hypervisor pauses, do not count that
 * time: their monotonic clock goes on as if nothing had happened, while others elect a leader. The
 * wall clock jumps ahead then, in most cases before the first process runs again.
 *
 * <p>A jump beyond the slack makes all earlier confirmations of the lease void. A clock that was
 * set ahead looks the same, and costs one heartbeat. A wall clock that stands still too shows
 * nothing. Thread-safe, without a lock on the usual way.
 */
final class LeaseClock {
  /**
   * The longest time between two readings that belong together. A thread that was held up for
   * longer would see a clock that goes back, and the next one a jump. A suspended computer does not
   * count that time.
   */
  private static final long HELD_UP_NANOS = 10_000_000;

  private final LongSupplier wallMillis;
  private final LongSupplier nanos;
  private final long slackMillis;
  private final LongConsumer onJump;

  /** The distance of the two clocks at the last reading; small changes are corrections by NTP. */
  private volatile long distanceMillis;

  private volatile boolean hasJumped;
  private volatile long lastJumpNanos;

  /**
   * @param slack the longest pause that the lease allows for
   * @param onJump called with the milliseconds of each jump
   */
  LeaseClock(LongSupplier wallMillis, LongSupplier nanos, Duration slack, LongConsumer onJump) {
    this.wallMillis = wallMillis;
    this.nanos = nanos;
    this.slackMillis = slack.toMillis();
    this.onJump = onJump;
    this.distanceMillis = distance(wallMillis.getAsLong(), nanos.getAsLong());
  }

  /** The monotonic time now, as {@link System#nanoTime}. */
  long now() {
    long before = nanos.getAsLong();
    long wall = wallMillis.getAsLong();
    long now = nanos.getAsLong();
    if (now - before > HELD_UP_NANOS) return now;
    long distance = distance(wall, now);
    long ahead = distance - distanceMillis;
    if (ahead > slackMillis) jump(distance, now);
    else if (ahead != 0) distanceMillis = distance;
    return now;
  }

  /** Returns whether something that happened at this monotonic time still proves anything. */
  boolean trusts(long atNanos) {
    return !hasJumped || atNanos - lastJumpNanos > 0;
  }

  private void jump(long distance, long now) {
    long ahead;
    synchronized (this) {
      ahead = distance - distanceMillis;
      if (ahead <= slackMillis) return; // another thread has seen it
      lastJumpNanos = now;
      hasJumped = true;
      distanceMillis = distance;
    }
    onJump.accept(ahead);
  }

  private static long distance(long wallMillis, long nanos) {
    return wallMillis - Math.floorDiv(nanos, 1_000_000L);
  }
}
