package org.quorumail.gossip.plumtree;

/** Where a core counts; called by its owner only. */
public interface PlumtreeMeter {
  void count(PlumtreeMetric counter, long by);

  /** One sample of a histogram, in the unit of its name. */
  void sample(PlumtreeMetric histogram, double value);
}
