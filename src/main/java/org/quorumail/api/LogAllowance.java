package org.quorumail.api;

import java.time.Duration;

/** A limit of log lines that strangers can cause. Thread-safe. */
final class LogAllowance {
  private static final int LINES = 10;
  private static final Duration INTERVAL = Duration.ofSeconds(10);

  private long startNanos = System.nanoTime();
  private int taken;
  private long suppressed;

  /** Returns the number of lines suppressed before this one, or -1 when this one is suppressed. */
  synchronized long take() {
    long now = System.nanoTime();
    if (now - startNanos >= INTERVAL.toNanos()) {
      startNanos = now;
      taken = 0;
    }
    if (taken >= LINES) {
      suppressed++;
      return -1;
    }
    taken++;
    long before = suppressed;
    suppressed = 0;
    return before;
  }
}
