package org.quorumail.gossip.plumtree;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * Plain counts for a core's owner; a driver counts in its own registry. Of a histogram it keeps the
 * number of samples, their sum and how many are at or below each bound.
 */
public final class PlumtreeCounters implements PlumtreeMeter {
  /** Powers of two from 2^-10 (a millisecond) to 2^16 (the largest default payload). */
  private static final double[] BOUNDS = bounds();

  private static final class Series {
    long count;
    double sum;
    final long[] buckets = new long[BOUNDS.length];
  }

  private final Map<PlumtreeMetric, Series> seriesByMetric = new EnumMap<>(PlumtreeMetric.class);

  public PlumtreeCounters() {
    for (PlumtreeMetric metric : PlumtreeMetric.values()) seriesByMetric.put(metric, new Series());
  }

  private static double[] bounds() {
    double[] bounds = new double[27];
    for (int i = 0; i < bounds.length; i++) bounds[i] = Math.scalb(1.0, i - 10);
    return bounds;
  }

  private Series of(PlumtreeMetric metric) {
    Series series = seriesByMetric.get(metric);
    if (series == null) throw new IllegalStateException("every metric has its series");
    return series;
  }

  @Override
  public void count(PlumtreeMetric counter, long by) {
    of(counter).count += by;
  }

  @Override
  public void sample(PlumtreeMetric histogram, double value) {
    Series series = of(histogram);
    series.count++;
    series.sum += value;
    int place = Arrays.binarySearch(BOUNDS, value);
    int bucket = place >= 0 ? place : -place - 1;
    if (bucket < BOUNDS.length) series.buckets[bucket]++;
  }

  /** A counter's value, or the number of a histogram's samples. */
  public long count(PlumtreeMetric metric) {
    return of(metric).count;
  }

  /** The sum of a histogram's samples. */
  public double sum(PlumtreeMetric histogram) {
    return of(histogram).sum;
  }

  /** How many samples are at or below {@link #bound} of the same index. */
  public long countAtOrBelow(PlumtreeMetric histogram, int index) {
    long total = 0;
    for (int i = 0; i <= index; i++) total += of(histogram).buckets[i];
    return total;
  }

  public static int boundCount() {
    return BOUNDS.length;
  }

  public static double bound(int index) {
    return BOUNDS[index];
  }
}
