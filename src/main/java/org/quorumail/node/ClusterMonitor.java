package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.quorumail.api.ClusterView;
import org.quorumail.api.NodeView;
import org.quorumail.cluster.ClusterEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what changes in the cluster's view into events and series. The node that has become the
 * leader tells all, and so does one that lost sight of the majority or sees it again, and one that
 * took another configuration; that the cluster's state looks different from here is this node's own
 * matter. Runs in one virtual thread.
 */
public final class ClusterMonitor implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterMonitor.class);
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final ClusterView cluster;
  private final ClusterMember member;
  private final ClusterMetrics series;
  private String leader = "";
  private String state = "Forming";

  public ClusterMonitor(ClusterView cluster, ClusterMember member, MeterRegistry meters) {
    this.cluster = cluster;
    this.member = member;
    this.series = new ClusterMetrics(cluster, meters);
  }

  @Override
  public void run() {
    try {
      while (true) {
        update();
        Thread.sleep(INTERVAL);
      }
    } catch (InterruptedException e) {
      LOG.debug("cluster_watch_stopped");
    }
  }

  private void update() {
    try {
      updatePartition(member.metadata().nodeId()); // first: the state depends on it
      ClusterView.ClusterStatus now = cluster.status();
      updateLeader(now);
      updateState(now);
      series.update(cluster.nodes());
    } catch (RuntimeException e) { // a fault of one look: the next one may go well
      LOG.error("cluster_watch_fault reason=\"{}\"", e.toString(), e);
    }
  }

  /** Names the keys only: the values may be secrets. */
  public void publishReload(NodeView.ReloadResult reload) {
    member.publish(
        "ConfigurationUpdated",
        Map.of(
            "changed", String.join(" ", reload.changed()),
            "need_restart", String.join(" ", reload.needRestart())));
  }

  private void updateLeader(ClusterView.ClusterStatus now) {
    String id = now.localNode().id();
    String nowLeader = now.leaderId() == null ? "" : now.leaderId();
    if (!nowLeader.equals(leader) && nowLeader.equals(id)) {
      member.publish("LeaderChanged", Map.of("leader", id, "term", String.valueOf(now.term())));
    }
    leader = nowLeader;
  }

  private void updateState(ClusterView.ClusterStatus now) {
    if (now.state().equals(state)) return;
    Map<String, String> details = Map.of("from", state, "to", now.state());
    String time = Instant.now().toString();
    member.events().add(new ClusterEvent(time, now.localNode().id(), "StateChanged", details));
    state = now.state();
  }

  private void updatePartition(String self) {
    long now = System.nanoTime() / 1_000_000;
    member
        .formation()
        .flatMap(
            formed ->
                member.partitionDetector().update(formed, self, member.membership().members(), now))
        .ifPresent(change -> member.publish(change.type(), change.details()));
  }
}
