package org.quorumail.gossip.transport;

import org.quorumail.gossip.plumtree.PlumtreeMeter;
import org.quorumail.gossip.plumtree.PlumtreeMetric;

/** The counters and gauges of a transport. Thread-safe. */
public interface TransportMeter extends PlumtreeMeter {
  /** Sets the current value of a gauge. */
  void setGauge(PlumtreeMetric gauge, long value);
}
