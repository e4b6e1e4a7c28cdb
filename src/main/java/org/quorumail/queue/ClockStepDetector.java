package org.quorumail.queue;

import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A comparison of the wall clock with the monotonic clock, which finds out that the wall clock was
 * set. While the two disagree nobody knows the age of a message, so none may expire. A step is
 * accepted when the monotonic clock has run for as long as the step is wide: a pause of an hour
 * costs an hour, and a clock that is years ahead is never believed. Thread-safe.
 */
final class ClockStepDetector {
  private static final Logger LOG = LoggerFactory.getLogger(ClockStepDetector.class);

  /** More than time servers correct in steps, less than any age that counts. */
  private static final long TOLERANCE_MILLIS = Duration.ofMinutes(1).toMillis();

  private final InstantSource wall;
  private final LongSupplier nanos;
  private long baseWallMillis;
  private long baseNanos;
  private long stepMillis;
  private long stepNanos; // the time at which the step was seen
  private boolean steppedBack;

  /**
   * @param nanos the monotonic clock
   */
  ClockStepDetector(InstantSource wall, LongSupplier nanos) {
    this.wall = wall;
    this.nanos = nanos;
    rebase(nanos.getAsLong());
  }

  /** The distance of the wall clock from where it should be; zero while the clocks agree. */
  synchronized Duration step() {
    long now = nanos.getAsLong();
    long elapsed = TimeUnit.NANOSECONDS.toMillis(now - baseNanos);
    long difference = wall.millis() - baseWallMillis - elapsed;
    if (Math.abs(difference - stepMillis) > TOLERANCE_MILLIS) changeStep(difference, now);
    long seen = TimeUnit.NANOSECONDS.toMillis(now - stepNanos);
    if (stepMillis != 0 && seen >= Math.abs(stepMillis)) {
      LOG.info("event=clock_step_accepted seconds={}", stepMillis / 1000);
      rebase(now);
    }
    return Duration.ofMillis(stepMillis);
  }

  /** Returns whether the age of a message can be known from the wall clock. */
  boolean clocksAgree() {
    return step().isZero();
  }

  /** Returns whether the wall clock was ever set back, so that stored times may be too late. */
  synchronized boolean hasSteppedBack() {
    return steppedBack;
  }

  private void changeStep(long difference, long now) {
    steppedBack |= difference < stepMillis;
    boolean agree = Math.abs(difference) <= TOLERANCE_MILLIS;
    stepMillis = agree ? 0 : difference;
    stepNanos = now;
    if (agree) LOG.info("event=clock_right_again");
    else {
      LOG.warn(
          "event=clock_stepped seconds={} reason=\"no message expires until the clock is set right;"
              + " if it is right now, restart the node\"",
          difference / 1000);
    }
  }

  private void rebase(long now) {
    baseWallMillis = wall.millis();
    baseNanos = now;
    stepMillis = 0;
  }
}
