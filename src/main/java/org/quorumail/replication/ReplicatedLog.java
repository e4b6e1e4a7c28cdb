package org.quorumail.replication;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The log of one Raft group as this node sees it. This node may lead the group, follow in it, or
 * only reach it.
 */
public interface ReplicatedLog {
  /** The longest entry; a larger one would make the leader step down in Ratis. */
  int ENTRY_BYTES_MAX = 1 << 20;

  /** The group's name, unique in the cluster, such as {@code spool-node-1} or {@code meta}. */
  String name();

  /**
   * Appends an entry through the current leader, here or elsewhere. If the leader changes
   * meanwhile, the entry is sent to the next one under the same call id, so that it is applied at
   * most once. It is sent again for some seconds only, but an attempt that a leader holds is waited
   * for until the timeout. The array must not be changed afterwards.
   *
   * @return completes with the state's reply once a quorum has the entry on disk and the leader has
   *     applied it. Completes exceptionally with {@link NoQuorumException} after the timeout, or
   *     when the entry cannot be sent again; it may still be committed later
   */
  CompletableFuture<AppendResult> append(byte[] entry, Duration timeout);

  /** Present while this node is the ready leader: elected, and all older entries applied. */
  Optional<Leadership> leadership();

  /** The peer that leads the group as far as this node knows. */
  Optional<String> leader();

  /**
   * Whether this node is a member that follows a leader: it has received from it within an election
   * timeout, so that the group has probably a quorum.
   */
  default boolean isFollowing() {
    return false;
  }

  /**
   * Whether this node has opened the group to join it and is not yet brought up to date: its state
   * may lack anything.
   */
  default boolean isJoining() {
    return false;
  }

  /** Asks this node's replica for a snapshot, which shortens its log. Does not wait for it. */
  void requestSnapshot();

  /**
   * Transfers the leadership to the peer; false when it did not happen. A peer that does not answer
   * or lacks many entries is refused before anything changes ({@link RaftNode#transferObstacle}).
   */
  boolean transferLeadership(String peer, Duration timeout);

  /** An entry that is committed and applied. */
  record AppendResult(LogPosition position, byte[] reply) {}
}
