package org.quorumail.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.ClusterEventLog;

/**
 * The cluster as this node sees it. Implemented by the composition root. Thread-safe, no waiting.
 */
public interface ClusterView {
  ClusterStatus status();

  /** All nodes, this one included, by id. */
  List<ClusterNode> nodes();

  ReplicationStats replication();

  /** Has the leader of the cluster hand over to another node; who leads then, or why it stays. */
  ElectionResult transferLeadership();

  /**
   * @param elected whether another node leads now
   * @param reason why not; empty when it does
   */
  record ElectionResult(boolean elected, @Nullable String leaderId, String reason) {}

  /** What happened in the cluster since this node started. */
  ClusterEventLog events();

  /**
   * {@code state}: Forming, Healthy, Degraded, NoQuorum, Partitioned, Rebalancing, ShuttingDown.
   */
  record ClusterStatus(
      int totalNodes,
      int healthyNodes,
      int unhealthyNodes,
      @Nullable String leaderId,
      String state,
      long term,
      LocalNode localNode) {}

  record LocalNode(String id, String role, String status, long uptimeSeconds) {}

  /**
   * @param role leader, follower, candidate or listener of the meta group
   * @param status healthy, degraded, unhealthy, disconnected or maintenance
   * @param lastHeartbeat ISO 8601, UTC
   */
  record ClusterNode(
      String id,
      String address,
      int port,
      String role,
      String status,
      String region,
      String zone,
      @Nullable String lastHeartbeat,
      NodeMetadata metadata) {}

  record NodeMetadata(
      String version,
      long uptimeSeconds,
      long activeConnections,
      long messagesProcessed,
      double cpuUsage,
      long memoryUsageMb) {}

  record ReplicationStats(
      long pendingUpdates, long failedReplications, double avgLatencyMs, List<GroupStatus> spools) {
    public ReplicationStats {
      spools = List.copyOf(spools);
    }
  }

  /** One Raft group of which this node is a member. */
  record GroupStatus(
      String name, String role, @Nullable String leader, long term, long index, int replicas) {}
}
