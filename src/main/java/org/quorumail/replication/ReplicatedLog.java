package org.quorumail.replication;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** One Raft group as seen from this node, which may lead it, follow it, or only reach it. */
public interface ReplicatedLog {
  /** The longest entry: a larger one would cost the leader its leadership in Ratis. */
  int ENTRY_BYTES_MAX = 1 << 20;

  /** The group's name, unique in the cluster, such as {@code spool-node-1} or {@code meta}. */
  String name();

  /**
   * Appends an entry through the current leader, here or elsewhere. If the leader changes meanwhile
   * the entry is sent again to the next one under the same call id, so that it is applied at most
   * once. The array must not be changed afterwards.
   *
   * @return completes with the state's answer once a quorum has the entry on disk and the leader
   *     has applied it; completes exceptionally with {@link NoQuorumException} when that was not
   *     known within the patience, in which case the entry may still be committed later
   */
  CompletableFuture<AppendResult> append(byte[] entry, Duration patience);

  /** Present while this node is the ready leader: elected, and all older entries applied. */
  Optional<Leadership> leadership();

  /** The peer that leads the group as far as this node knows. */
  Optional<String> leader();

  /** An orderly hand-over to the peer, which must have caught up; false when it did not happen. */
  boolean transferLeadership(String peer, Duration patience);

  /** An entry that is committed and applied. */
  record AppendResult(LogPosition position, byte[] reply) {}
}
