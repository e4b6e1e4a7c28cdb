package org.quorumail.tools;

import java.time.Duration;

/**
 * A histogram of durations: 32 buckets to each power of two of nanoseconds, so every percentile is
 * exact to about 3 %. Constant memory; one thread writes, {@link #add} merges afterwards.
 */
final class Latencies {
  private static final int SUB_BITS = 5;
  private static final int SUB = 1 << SUB_BITS;

  private final long[] counts = new long[(64 - SUB_BITS) * SUB];
  private long count;
  private long max;

  void record(long nanos) {
    long value = Math.max(0, nanos);
    counts[bucket(value)]++;
    count++;
    max = Math.max(max, value);
  }

  void add(Latencies other) {
    for (int i = 0; i < counts.length; i++) counts[i] += other.counts[i];
    count += other.count;
    max = Math.max(max, other.max);
  }

  long count() {
    return count;
  }

  Duration max() {
    return Duration.ofNanos(max);
  }

  /** The duration below which the given share (0 to 1) of all recorded ones lies. */
  Duration percentile(double share) {
    long rank = Math.max(1, (long) Math.ceil(share * count));
    long seen = 0;
    for (int i = 0; i < counts.length; i++) {
      seen += counts[i];
      if (seen >= rank && seen > 0) return Duration.ofNanos(Math.min(max, upperBound(i)));
    }
    return Duration.ZERO;
  }

  private static int bucket(long value) {
    if (value < SUB) return (int) value;
    int shift = 63 - Long.numberOfLeadingZeros(value) - SUB_BITS;
    return ((shift + 1) << SUB_BITS) + (int) ((value >>> shift) - SUB);
  }

  private static long upperBound(int bucket) {
    if (bucket < SUB) return bucket;
    int shift = (bucket >>> SUB_BITS) - 1;
    long inBucket = SUB + (long) (bucket & (SUB - 1));
    return ((inBucket + 1) << shift) - 1;
  }
}
