package org.quorumail.gossip.plumtree;

import java.util.EnumMap;
import java.util.Map;

/**
 * A meter in memory, for tests and simulations; a real driver counts in its own registry. Of a
 * histogram it keeps the number of samples and their sum.
 */
public final class PlumtreeCounters implements PlumtreeMeter {
  private static final class Series {
    long count;
    double sum;
  }

  private final Map<PlumtreeMetric, Series> seriesByMetric = new EnumMap<>(PlumtreeMetric.class);

  public PlumtreeCounters() {
    for (PlumtreeMetric metric : PlumtreeMetric.values()) seriesByMetric.put(metric, new Series());
  }

  private Series of(PlumtreeMetric metric) {
    Series series = seriesByMetric.get(metric);
    if (series == null) throw new IllegalStateException("no series for the metric " + metric);
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
  }

  /** A counter's value, or the number of a histogram's samples. */
  public long count(PlumtreeMetric metric) {
    return of(metric).count;
  }

  /** The sum of a histogram's samples. */
  public double sum(PlumtreeMetric histogram) {
    return of(histogram).sum;
  }
}
