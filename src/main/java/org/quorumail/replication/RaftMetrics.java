package org.quorumail.replication;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;

/**
 * The metrics of the replication. The label {@code group} has as many values as groups are open
 * here.
 */
final class RaftMetrics {
  private final MeterRegistry meters;
  private final Counter elections;

  RaftMetrics(MeterRegistry meters) {
    this.meters = meters;
    this.elections =
        Counter.builder("smtp.cluster.leader.elections")
            .description("Elections of a leader that this node has seen, over all its groups")
            .register(meters);
  }

  void elected() {
    elections.increment();
  }

  Timer appendLatency(String group) {
    return Timer.builder("raft.append.latency")
        .description("Time from the append to the reply: on a quorum and applied")
        .tag("group", group)
        .serviceLevelObjectives(
            Duration.ofMillis(1),
            Duration.ofMillis(5),
            Duration.ofMillis(20),
            Duration.ofMillis(50),
            Duration.ofMillis(200),
            Duration.ofSeconds(1),
            Duration.ofSeconds(5))
        .register(meters);
  }

  void watch(RatisLog log) {
    Gauge.builder("raft.pending", log, RatisLog::pendingBytes)
        .description("Bytes of entries that wait for their quorum")
        .baseUnit("bytes")
        .tag("group", log.name())
        .strongReference(true)
        .register(meters);
    Gauge.builder("raft.role", log, RaftMetrics::role)
        .description("2 ready leader, 1 a leader is known, 0 no leader is known")
        .tag("group", log.name())
        .strongReference(true)
        .register(meters);
  }

  /** Removes the meters of a group, so that a later group of the same name gets its own. */
  void forget(String group) {
    for (String meter : List.of("raft.append.latency", "raft.pending", "raft.role")) {
      meters.find(meter).tag("group", group).meters().forEach(meters::remove);
    }
  }

  private static double role(RatisLog log) {
    if (log.leadership().isPresent()) return 2;
    return log.leader().isPresent() ? 1 : 0;
  }
}
