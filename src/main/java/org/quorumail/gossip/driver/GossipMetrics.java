package org.quorumail.gossip.driver;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.quorumail.gossip.plumtree.PlumtreeMeter;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.transport.DropReason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The series of gossip: {@code plumtree_…} as the core counts them, {@code gossip_…} of the driver.
 */
public final class GossipMetrics implements PlumtreeMeter {
  private static final Logger log = LoggerFactory.getLogger(GossipMetrics.class);

  private final MeterRegistry registry;
  private final Map<DropReason, Counter> drops = new EnumMap<>(DropReason.class);
  private final Map<PlumtreeMetric, Counter> counters = new EnumMap<>(PlumtreeMetric.class);
  private final Map<PlumtreeMetric, DistributionSummary> histograms =
      new EnumMap<>(PlumtreeMetric.class);
  private final Map<PlumtreeMetric, Long> gauges = new ConcurrentHashMap<>();
  private final Counter stalls;
  private final io.micrometer.core.instrument.Timer stalled;
  private volatile int health;

  /**
   * @param broadcasts whether the {@code plumtree_} series are kept
   */
  public GossipMetrics(MeterRegistry registry, boolean broadcasts) {
    this.registry = registry;
    for (DropReason reason : DropReason.values()) {
      drops.put(
          reason,
          Counter.builder("gossip.frames.dropped")
              .description("Frames and messages that were not taken, by reason")
              .tag("reason", reason.label())
              .register(registry));
    }
    if (broadcasts) {
      for (PlumtreeMetric metric : PlumtreeMetric.values()) register(metric);
    }
    this.stalls =
        Counter.builder("gossip.stalls")
            .description("Times that the gossip thread was late by more than 250 ms")
            .register(registry);
    this.stalled =
        io.micrometer.core.instrument.Timer.builder("gossip.stall.duration")
            .description("How late it was then")
            .register(registry);
    Gauge.builder("gossip.health.score", this, m -> m.health)
        .description("Lifeguard's local health: 0 is well, 7 as bad as it gets")
        .register(registry);
  }

  private void register(PlumtreeMetric metric) {
    switch (metric.kind()) {
      case COUNTER ->
          counters.put(
              metric, Counter.builder(name(metric)).description(metric.help()).register(registry));
      case GAUGE ->
          Gauge.builder(name(metric), gauges, g -> g.getOrDefault(metric, 0L))
              .description(metric.help())
              .register(registry);
      case HISTOGRAM ->
          histograms.put(
              metric,
              DistributionSummary.builder(name(metric))
                  .description(metric.help())
                  .serviceLevelObjectives(metric.buckets())
                  .register(registry));
    }
  }

  /** Micrometer's spelling of the series' name. */
  private static String name(PlumtreeMetric metric) {
    return "plumtree." + metric.name().toLowerCase(Locale.ROOT).replace('_', '.');
  }

  void countDropped(DropReason reason) {
    Counter counter = drops.get(reason);
    if (counter != null) counter.increment();
  }

  /** A member's message that is not in our format. */
  void countMalformed(String reason) {
    countDropped(DropReason.MALFORMED);
    log.debug("gossip_malformed reason=\"{}\"", reason);
  }

  void stalled(Duration lateness) {
    stalls.increment();
    stalled.record(lateness.toNanos(), TimeUnit.NANOSECONDS);
  }

  void setHealthScore(int score) {
    health = score;
  }

  public void setGauge(PlumtreeMetric metric, long value) {
    gauges.put(metric, value);
  }

  @Override
  public void count(PlumtreeMetric metric, long by) {
    Counter counter = counters.get(metric);
    if (counter != null) counter.increment((double) by);
  }

  @Override
  public void sample(PlumtreeMetric histogram, double value) {
    DistributionSummary summary = histograms.get(histogram);
    if (summary != null) summary.record(value);
  }

  /** Members by state, read when asked. */
  void registerMemberGauge(MemberDirectory book) {
    Gauge.builder("gossip.members", book, MemberDirectory::memberCount)
        .description("Other members, alive or suspect")
        .register(registry);
  }
}
