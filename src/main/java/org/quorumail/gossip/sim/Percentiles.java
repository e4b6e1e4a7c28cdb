package org.quorumail.gossip.sim;

import java.util.Arrays;

/** Order statistics of a sample by nearest rank; -1 of an empty one. */
public record Percentiles(long[] sorted) {
  public static Percentiles of(long[] sample) {
    long[] copy = sample.clone();
    Arrays.sort(copy);
    return new Percentiles(copy);
  }

  /** The value below or at which this share of the sample lies. */
  public long at(double share) {
    if (sorted.length == 0) return -1;
    int rank = (int) Math.ceil(share * sorted.length);
    return sorted[Math.clamp(rank - 1, 0, sorted.length - 1)];
  }

  public long max() {
    return at(1);
  }

  public int count() {
    return sorted.length;
  }
}
