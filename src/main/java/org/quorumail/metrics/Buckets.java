package org.quorumail.metrics;

import java.time.Duration;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** The bounds of histogram buckets, few enough that a scrape stays small. */
public final class Buckets {
  private static final Duration[] WORK =
      Stream.of(1, 5, 20, 50, 200, 1_000, 5_000, 30_000, 300_000)
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private static final Duration[] WAITING =
      Stream.of(1, 10, 60, 600, 3_600, 4 * 3_600, 86_400, 5 * 86_400)
          .map(Duration::ofSeconds)
          .toArray(Duration[]::new);

  private static final double[] SIZES =
      LongStream.of(1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 25 << 20)
          .asDoubleStream()
          .toArray();

  private static final double[] COUNTS = {1, 2, 5, 10, 20, 50, 100, 200, 500};

  private Buckets() {}

  /** Bounds for work: one millisecond to five minutes. */
  public static Duration[] work() {
    return WORK.clone();
  }

  /** Bounds for the time in the queue: one second to five days. */
  public static Duration[] waiting() {
    return WAITING.clone();
  }

  /** Bounds for octets of messages: 1 KiB to 25 MiB. */
  public static double[] sizes() {
    return SIZES.clone();
  }

  /** Bounds for the number of things in a batch. */
  public static double[] counts() {
    return COUNTS.clone();
  }
}
