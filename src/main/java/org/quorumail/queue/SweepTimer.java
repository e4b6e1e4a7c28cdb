package org.quorumail.queue;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.quorumail.delivery.DeliveryConfig;

/**
 * The times of the dispatcher's sweeps over the due indexes. A sweep is due when one is requested,
 * when a destination has room for its backlog, when deferred mail is due again, and by interval.
 * Sweeps take no more than a fifth of the dispatcher's time. Times are nanoTime unless named
 * otherwise. Used by the dispatcher alone, but for {@link #requestSweep} and {@link #noteDueTime}.
 */
final class SweepTimer {
  private static final int MIN_INTERVAL_PER_SWEEP_TIME = 5;
  private static final long MIN_SWEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final InstantSource time;
  private final long scanIntervalNanos;
  private final long processIntervalNanos;
  private volatile boolean requested = true;

  /** The due time of the earliest deferred recipient, in milliseconds of the epoch. */
  private final AtomicLong nextDueMillis = new AtomicLong(Long.MAX_VALUE);

  private long lastSweepNanos = System.nanoTime();
  private long lastSweepDuration;

  SweepTimer(DeliveryConfig config, InstantSource time) {
    this.time = time;
    scanIntervalNanos = config.scanInterval().toNanos();
    processIntervalNanos = config.processInterval().toNanos();
  }

  /** Requests a sweep as soon as one is allowed. */
  void requestSweep() {
    requested = true;
  }

  /** Notes that mail is due at a time, in milliseconds of the epoch; MAX_VALUE for none. */
  void noteDueTime(long millis) {
    nextDueMillis.accumulateAndGet(millis, Math::min);
  }

  /** Starts a sweep: later requests and due times count for the next one. */
  void sweepStarted() {
    requested = false;
    nextDueMillis.set(Long.MAX_VALUE);
  }

  void sweepFinished(long begun) {
    lastSweepNanos = System.nanoTime();
    lastSweepDuration = Math.max(lastSweepNanos - begun, MIN_SWEEP_NANOS);
  }

  /**
   * @param roomForBacklog whether a destination has room for mail that is due
   */
  boolean isSweepDue(long now, boolean roomForBacklog) {
    if (now - lastSweepNanos >= scanIntervalNanos) return true;
    if (nanosUntilAllowed(now) > 0) return false;
    if (requested || roomForBacklog) return true;
    return time.millis() >= nextDueMillis.get() && nanosUntilProcessing(now) <= 0;
  }

  /** Nanoseconds until a sweep may be due, if none is requested before. */
  long nanosUntilSweep(long now, boolean roomForBacklog) {
    long pause = Math.max(0, lastSweepNanos + scanIntervalNanos - now);
    if (requested || roomForBacklog) pause = Math.min(pause, nanosUntilAllowed(now));
    long due = nextDueMillis.get();
    if (due == Long.MAX_VALUE) return pause;
    long untilDue = TimeUnit.MILLISECONDS.toNanos(Math.max(0, due - time.millis()));
    return Math.min(pause, Math.max(untilDue, nanosUntilProcessing(now)));
  }

  /** Deferred mail becomes due message by message; it is taken up in batches. */
  private long nanosUntilProcessing(long now) {
    return Math.max(nanosUntilAllowed(now), lastSweepNanos + processIntervalNanos - now);
  }

  private long nanosUntilAllowed(long now) {
    return Math.max(0, lastSweepNanos + MIN_INTERVAL_PER_SWEEP_TIME * lastSweepDuration - now);
  }
}
