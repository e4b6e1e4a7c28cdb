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
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.TransportMeter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metrics of gossip: {@code plumtree_…} as the core counts them, {@code gossip_…} of the
 * driver. Thread-safe.
 */
public final class GossipMetrics implements TransportMeter {
  private static final Logger LOG = LoggerFactory.getLogger(GossipMetrics.class);

  private final MeterRegistry registry;
  private final Map<DropReason, Counter> drops = new EnumMap<>(DropReason.class);
  private final Map<PlumtreeMetric, Counter> counters = new EnumMap<>(PlumtreeMetric.class);
  private final Map<PlumtreeMetric, DistributionSummary> histograms =
      new EnumMap<>(PlumtreeMetric.class);
  private final Map<PlumtreeMetric, Long> gauges = new ConcurrentHashMap<>();
  private final Counter pauses;
  private final io.micrometer.core.instrument.Timer pauseDuration;
  private volatile int health;

  /**
   * Registers the meters.
   *
   * @param broadcasts whether the {@code plumtree_} series are registered
   */
  public GossipMetrics(MeterRegistry registry, boolean broadcasts) {
    this.registry = registry;
    for (DropReason reason : DropReason.values()) {
      drops.put(
          reason,
          Counter.builder("gossip.frames.dropped")
              .description("Frames and messages dropped, by reason")
              .tag("reason", reason.label())
              .register(registry));
    }
    if (broadcasts) {
      for (PlumtreeMetric metric : PlumtreeMetric.values()) register(metric);
    }
    this.pauses =
        Counter.builder("gossip.stalls")
            .description("Pauses of more than 250 ms of the gossip thread")
            .register(registry);
    this.pauseDuration =
        io.micrometer.core.instrument.Timer.builder("gossip.stall.duration")
            .description("Length of the gossip thread's pauses")
            .serviceLevelObjectives(
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30))
            .register(registry);
    Gauge.builder("gossip.health.score", this, m -> m.health)
        .description("Local health score of Lifeguard: 0 is healthy, 7 the worst")
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

  /** Counts a member's message that is malformed. */
  void countMalformed(String reason) {
    countDropped(DropReason.MALFORMED);
    LOG.debug("event=gossip_malformed reason=\"{}\"", reason);
  }

  void recordPause(Duration pause) {
    pauses.increment();
    pauseDuration.record(pause.toNanos(), TimeUnit.NANOSECONDS);
  }

  void setHealthScore(int score) {
    health = score;
  }

  @Override
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

  /** Registers the gauge of the other members. */
  void registerMemberGauge(MemberDirectory members) {
    Gauge.builder("gossip.members", members, MemberDirectory::memberCount)
        .description("Other members, alive or suspect")
        .register(registry);
  }
}
