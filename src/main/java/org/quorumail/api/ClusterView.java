package org.quorumail.api;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.ClusterEventLog;

/**
 * The API's view of the cluster, as this node sees it. Thread-safe and without waiting, except for
 * {@link #transferLeadership}, {@link #removeNode} and {@link #replaceNode}.
 */
public interface ClusterView {
  ClusterStatus status();

  /** All nodes, this one included, by id. */
  List<ClusterNode> nodes();

  ReplicationStats replication();

  /**
   * Transfers the leadership of a group to another node; empty when this node does not lead it.
   *
   * @param group such as {@code meta} or {@code spool-node-1}
   * @param successor the id of a node; empty for any
   */
  Optional<ElectionResult> transferLeadership(String group, String successor);

  /** Removes a node that is lost for good from the cluster; waits for the meta group. */
  RemovalResult removeNode(String id);

  /** Gives all places of one node to another one; waits for the meta group. */
  ReplacementResult replaceNode(String formerId, String replacementId);

  /** Lets this node leave the cluster for good; the process drains and ends later. */
  DepartureResult leave();

  /**
   * The answer to a node's order to leave.
   *
   * @param reason why the node stays; empty when it leaves
   */
  record DepartureResult(boolean leaves, String id, String reason) {}

  /**
   * The result of a replacement.
   *
   * @param reason why nothing was changed; empty when the node was replaced
   */
  record ReplacementResult(boolean replaced, String id, String replacement, String reason) {}

  /**
   * The result of a removal.
   *
   * @param reason why the node is a member still; empty when it was removed
   */
  record RemovalResult(boolean removed, String id, String reason) {}

  /**
   * The result of a hand-over.
   *
   * @param elected whether another node leads now
   * @param reason why no other node leads; empty when one does
   */
  record ElectionResult(String group, boolean elected, @Nullable String leaderId, String reason) {}

  /** The events of the cluster since this node started. */
  ClusterEventLog events();

  /**
   * The cluster's status. {@code state} is one of Forming, Healthy, Degraded, NoQuorum,
   * Partitioned, Rebalancing, ShuttingDown.
   *
   * @param warning what a cluster of this size does not survive; null for a sound number of nodes
   */
  record ClusterStatus(
      int totalNodes,
      int healthyNodes,
      int unhealthyNodes,
      @Nullable String leaderId,
      String state,
      long term,
      LocalNode localNode,
      @Nullable String warning) {}

  record LocalNode(String id, String role, String status, long uptimeSeconds) {}

  /**
   * One node of the cluster.
   *
   * @param role leader, follower, candidate or listener of the meta group
   * @param status healthy, degraded, unhealthy, disconnected or maintenance
   * @param maintenanceReason null unless an operator has set the node to maintenance
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
      NodeMetadata metadata,
      @Nullable String maintenanceReason) {}

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
