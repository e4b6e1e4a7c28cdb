package org.quorumail.queue;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.quorumail.delivery.DeliveryConfig;

/**
 * When the dispatcher sweeps the due indexes: as soon as somebody wants it, when a destination has
 * room for more, when what was deferred is due again, and by interval; but never for more than a
 * fifth of its time. Times are nanoTime where nothing else is said. Of the dispatcher alone, but
 * for {@link #requestSweep} and {@link #noteDueTime}.
 */
final class SweepTimer {
  private static final int MIN_INTERVAL_PER_SWEEP_TIME = 5;
  private static final long MIN_SWEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final InstantSource time;
  private final long scanIntervalNanos;
  private final long processIntervalNanos;
  private volatile boolean requested = true;

  /** When the earliest recipient that waits will be due, in milliseconds of the epoch. */
  private final AtomicLong nextDueMillis = new AtomicLong(Long.MAX_VALUE);

  private long lastSweepNanos = System.nanoTime();
  private long lastSweepDuration;

  SweepTimer(DeliveryConfig config, InstantSource time) {
    this.time = time;
    scanIntervalNanos = config.scanInterval().toNanos();
    processIntervalNanos = config.processInterval().toNanos();
  }

  /** A sweep as soon as one may be. */
  void requestSweep() {
    requested = true;
  }

  /** Something is due then, milliseconds of the epoch; MAX_VALUE for nothing. */
  void noteDueTime(long millis) {
    nextDueMillis.accumulateAndGet(millis, Math::min);
  }

  /** From here on, what is wanted or deferred is for the next sweep. */
  void sweepStarted() {
    requested = false;
    nextDueMillis.set(Long.MAX_VALUE);
  }

  void sweepFinished(long begun) {
    lastSweepNanos = System.nanoTime();
    lastSweepDuration = Math.max(lastSweepNanos - begun, MIN_SWEEP_NANOS);
  }

  /**
   * @param hungry whether a destination has room for what is due
   */
  boolean isSweepDue(long now, boolean hungry) {
    if (now - lastSweepNanos >= scanIntervalNanos) return true;
    if (nanosUntilAllowed(now) > 0) return false;
    if (requested || hungry) return true;
    return time.millis() >= nextDueMillis.get() && nanosUntilProcessing(now) <= 0;
  }

  /** Nanoseconds until it may be time, if nobody wants a sweep before. */
  long nanosUntilSweep(long now, boolean hungry) {
    long pause = Math.max(0, lastSweepNanos + scanIntervalNanos - now);
    if (requested || hungry) pause = Math.min(pause, nanosUntilAllowed(now));
    long due = nextDueMillis.get();
    if (due == Long.MAX_VALUE) return pause;
    long untilDue = TimeUnit.MILLISECONDS.toNanos(Math.max(0, due - time.millis()));
    return Math.min(pause, Math.max(untilDue, nanosUntilProcessing(now)));
  }

  /** Deferred mail becomes due one by one; it is taken up in bunches. */
  private long nanosUntilProcessing(long now) {
    return Math.max(nanosUntilAllowed(now), lastSweepNanos + processIntervalNanos - now);
  }

  private long nanosUntilAllowed(long now) {
    return Math.max(0, lastSweepNanos + MIN_INTERVAL_PER_SWEEP_TIME * lastSweepDuration - now);
  }
}
