package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.quorumail.api.ClusterView;
import org.quorumail.api.NodeView;
import org.quorumail.cluster.ClusterEvent;

/**
 * The monitor of this node's view of the cluster: it turns changes into events, log lines and
 * metrics. A node publishes to all nodes that it has become the leader, that it lost or regained
 * sight of the majority, and that it was reconfigured. A change of the cluster's state as seen from
 * here is an event of this node alone. Called by one thread, except for {@link #publishReload}.
 */
public final class ClusterMonitor {
  /** The time between two updates. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  private final ClusterView cluster;
  private final ClusterMember member;
  private final ClusterMetrics metrics;
  private final ClusterStateLog stateLog = new ClusterStateLog();
  private String leader = "";
  private String state = "Forming";

  public ClusterMonitor(ClusterView cluster, ClusterMember member, MeterRegistry meters) {
    this.cluster = cluster;
    this.member = member;
    this.metrics = new ClusterMetrics(cluster, meters);
  }

  /** Compares the cluster with the last update. */
  public void update() {
    updatePartition(member.metadata().nodeId()); // first: the state depends on it
    ClusterView.ClusterStatus now = cluster.status();
    updateLeader(now);
    updateState(now);
    List<ClusterView.ClusterNode> nodes = cluster.nodes();
    stateLog.update(now, nodes);
    metrics.update(nodes);
  }

  /** Publishes the keys that changed, never their values: these may be secrets. */
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
    if (!nowLeader.isEmpty() && now.term() == 0) return; // no entry of this leader is applied yet
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
