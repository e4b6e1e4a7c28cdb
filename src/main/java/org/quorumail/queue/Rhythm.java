package org.quorumail.queue;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.quorumail.config.Config.DeliveryConfig;

/**
 * When the dispatcher sweeps the due indexes: as soon as somebody wants it, when a destination has
 * room for more, when what was deferred is due again, and by interval; but never for more than a
 * fifth of its time. Times are nanoTime where nothing else is said. Of the dispatcher alone, but
 * for {@link #want} and {@link #dueAt}.
 */
final class Rhythm {
  private static final int SWEEP_SHARE = 5;
  private static final long SHORTEST_SWEEP = TimeUnit.MILLISECONDS.toNanos(2);

  private final InstantSource time;
  private final long scan;
  private final long process;
  private volatile boolean wanted = true;

  /** When the earliest recipient that waits will be due, in milliseconds of the epoch. */
  private final AtomicLong nextDue = new AtomicLong(Long.MAX_VALUE);

  private long sweptAt = System.nanoTime();
  private long sweepTook;

  Rhythm(DeliveryConfig config, InstantSource time) {
    this.time = time;
    scan = config.scanInterval().toNanos();
    process = config.processInterval().toNanos();
  }

  /** A sweep as soon as one may be. */
  void want() {
    wanted = true;
  }

  /** Something is due then, milliseconds of the epoch; MAX_VALUE for nothing. */
  void dueAt(long millis) {
    nextDue.accumulateAndGet(millis, Math::min);
  }

  /** From here on, what is wanted or deferred is for the next sweep. */
  void begin() {
    wanted = false;
    nextDue.set(Long.MAX_VALUE);
  }

  void end(long begun) {
    sweptAt = System.nanoTime();
    sweepTook = Math.max(sweptAt - begun, SHORTEST_SWEEP);
  }

  /**
   * @param hungry whether a destination has room for what is due
   */
  boolean isTime(long now, boolean hungry) {
    if (now - sweptAt >= scan) return true;
    if (untilAllowed(now) > 0) return false;
    if (wanted || hungry) return true;
    return time.millis() >= nextDue.get() && untilProcessing(now) <= 0;
  }

  /** Nanoseconds until it may be time, if nobody wants a sweep before. */
  long pause(long now, boolean hungry) {
    long pause = Math.max(0, sweptAt + scan - now);
    if (wanted || hungry) pause = Math.min(pause, untilAllowed(now));
    long due = nextDue.get();
    if (due == Long.MAX_VALUE) return pause;
    long untilDue = TimeUnit.MILLISECONDS.toNanos(Math.max(0, due - time.millis()));
    return Math.min(pause, Math.max(untilDue, untilProcessing(now)));
  }

  /** Deferred mail becomes due one by one; it is taken up in bunches. */
  private long untilProcessing(long now) {
    return Math.max(untilAllowed(now), sweptAt + process - now);
  }

  private long untilAllowed(long now) {
    return Math.max(0, sweptAt + SWEEP_SHARE * sweepTook - now);
  }
}
