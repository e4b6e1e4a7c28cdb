package org.quorumail.gossip.plumtree;

/** The receiver of a core's counts and samples; called by the core's owner only. */
public interface PlumtreeMeter {
  void count(PlumtreeMetric counter, long by);

  /** Records one sample of a histogram, in the unit of its name. */
  void sample(PlumtreeMetric histogram, double value);
}
