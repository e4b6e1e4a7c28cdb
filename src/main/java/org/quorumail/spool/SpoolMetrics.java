package org.quorumail.spool;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.quorumail.metrics.Buckets;

/** The metrics of all spools of a node. */
final class SpoolMetrics {
  final Timer commit;
  final DistributionSummary batchSize;
  final Counter bytes;
  final Counter unanswered;
  final Counter takeovers;
  final Counter scrubs;
  final Counter scrubbedBytes;

  /** Deliveries whose final dot is out and whose outcome is not committed. */
  final AtomicLong inDoubt = new AtomicLong();

  private final MeterRegistry registry;

  SpoolMetrics(MeterRegistry registry) {
    this.registry = registry;
    commit =
        Timer.builder("spool.commit")
            .description("Time from the final dot to the quorum's acknowledgement")
            .publishPercentileHistogram()
            .register(registry);
    batchSize =
        DistributionSummary.builder("spool.batch.size")
            .description("Accepted messages and outcomes of attempts per log entry")
            .serviceLevelObjectives(Buckets.counts())
            .register(registry);
    bytes =
        Counter.builder("spool.bytes")
            .baseUnit("bytes")
            .description("Bytes of messages accepted through this node")
            .register(registry);
    unanswered =
        Counter.builder("spool.unanswered")
            .description("Messages for which no quorum answered in time")
            .register(registry);
    takeovers =
        Counter.builder("spool.takeovers")
            .description("Times that this node became owner of another node's spool")
            .register(registry);
    scrubs =
        Counter.builder("spool.scrubs")
            .description("Complete scrubs of all replicas on this node without a checksum error")
            .register(registry);
    scrubbedBytes =
        Counter.builder("spool.scrubbed.bytes")
            .baseUnit("bytes")
            .description("Bytes that the scrub has read")
            .register(registry);
    Gauge.builder("spool.in.doubt", inDoubt, AtomicLong::get)
        .description("Deliveries whose final dot is sent and whose outcome is not committed")
        .register(registry);
  }

  /**
   * Registers the gauges of the spools that this node leads, so that the sum over all nodes counts
   * each message once.
   */
  void queue(Supplier<SpoolCounters> led) {
    for (MessageStatus status : MessageStatus.values()) {
      Gauge.builder("delivery.queue.size", led, l -> l.get().count(status))
          .tag("status", status.text())
          .description("Messages in the spools that this node leads")
          .strongReference(true) // nobody else holds the supplier
          .register(registry);
    }
    Gauge.builder("spool.stored.bytes", led, l -> l.get().bytes())
        .baseUnit("bytes")
        .description("Bytes of messages in the spools that this node leads")
        .register(registry);
  }
}
