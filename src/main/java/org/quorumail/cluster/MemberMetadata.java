package org.quorumail.cluster;

import java.util.List;

/**
 * What a node says about itself to the others. Soft state: it may be old, and nothing that could
 * lose mail depends on it.
 *
 * @param peerId the node's name in Raft: its id and a random part that a wiped directory loses
 * @param proposal the digest of the formation that this node would found, see {@link
 *     FormationVote}; empty while it has none in mind
 * @param formed the members of the cluster as this node has stored them; empty before the formation
 * @param load the figures of {@code /cluster/nodes}
 */
public record MemberMetadata(
    String nodeId,
    String peerId,
    String host,
    int port,
    int raftPort,
    String region,
    String zone,
    int expect,
    String proposal,
    List<Formation.Member> formed,
    NodeLoad load) {

  /** Most of a card's size is its members; a cluster of 50 nodes stays far below. */
  static final int MAX_BYTES = 64 * 1024;

  public MemberMetadata {
    formed = List.copyOf(formed);
  }

  MemberMetadata with(NodeLoad changed) {
    return new MemberMetadata(
        nodeId, peerId, host, port, raftPort, region, zone, expect, proposal, formed, changed);
  }

  /** How a node is doing; rates are the receiver's business. */
  public record NodeLoad(
      String version,
      boolean ready,
      boolean draining,
      long startedMillis,
      int activeConnections,
      long messagesProcessed,
      double cpuUsage,
      long memoryUsageMb) {

    /** Only what seldom changes. */
    NodeLoad withoutFigures() {
      return new NodeLoad(version, ready, draining, startedMillis, 0, 0, 0, 0);
    }

    /** The figures of the other one, which was reported on its own. */
    NodeLoad withFiguresOf(NodeLoad other) {
      return new NodeLoad(
          version,
          ready,
          draining,
          startedMillis,
          other.activeConnections,
          other.messagesProcessed,
          other.cpuUsage,
          other.memoryUsageMb);
    }
  }
}
