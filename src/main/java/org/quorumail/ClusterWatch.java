package org.quorumail;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Map;
import org.quorumail.api.ClusterView;
import org.quorumail.cluster.ClusterEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what changes in the cluster's view into events and series. The node that has become the
 * leader tells all; that the cluster's state looks different from here is this node's own matter.
 * Runs in one virtual thread.
 */
final class ClusterWatch implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ClusterWatch.class);
  private static final Duration INTERVAL = Duration.ofMillis(500);

  private final ClusterView cluster;
  private final ClusterMember member;

  ClusterWatch(ClusterView cluster, ClusterMember member, MeterRegistry meters) {
    this.cluster = cluster;
    this.member = member;
    // the documented name ends in _total, which Prometheus leaves to counters
    FunctionCounter.builder("smtp.cluster.nodes", cluster, c -> c.status().totalNodes())
        .description("Nodes of the cluster")
        .register(meters);
    Gauge.builder("smtp.cluster.healthy.nodes", cluster, c -> c.status().healthyNodes())
        .description("Nodes that are healthy")
        .strongReference(true)
        .register(meters);
  }

  @Override
  public void run() {
    String leader = "";
    String state = "Forming";
    try {
      while (true) {
        ClusterView.Status now = cluster.status();
        String id = now.localNode().id();
        String nowLeader = now.leaderId() == null ? "" : now.leaderId();
        if (!nowLeader.equals(leader) && nowLeader.equals(id)) {
          member.publish("LeaderChanged", Map.of("leader", id, "term", String.valueOf(now.term())));
        }
        leader = nowLeader;
        if (!now.state().equals(state)) {
          member
              .events()
              .add(
                  new ClusterEvent(
                      java.time.Instant.now().toString(),
                      id,
                      "StateChanged",
                      Map.of("from", state, "to", now.state())));
        }
        state = now.state();
        Thread.sleep(INTERVAL);
      }
    } catch (InterruptedException e) {
      log.debug("cluster_watch_stopped");
    }
  }
}
