package org.quorumail.cluster;

import java.util.List;
import java.util.Optional;

/**
 * The other nodes of the cluster, as far as this node knows. Everything above asks only this
 * interface. It is soft state: ownership of mail moves by Raft alone.
 */
public interface Membership extends AutoCloseable {
  /** All other nodes that were ever seen; this node is not among them. */
  List<Member> members();

  /**
   * The reason why this node finds no other: every address that it was given was reached, and none
   * trusts this node or is trusted by it. One sentence; empty while any of them is only silent.
   */
  Optional<String> joinFailure();

  /** The reason why this node cannot take part: another node has its id. One sentence. */
  default Optional<String> idConflict() {
    return Optional.empty();
  }

  /** Whether a node is there whose metadata have not arrived yet. */
  default boolean awaitsMetadata() {
    return false;
  }

  /** Sends an event to all other nodes, as far as this membership can. */
  default void broadcast(ClusterEvent event) {}

  /** Uses the secrets of another configuration from now on. */
  default void replaceSecrets(ClusterConfig changed) {}

  /**
   * Announces that this node leaves, so that no other declares it dead; waits some seconds at most.
   */
  default void leave() throws InterruptedException {}

  @Override
  void close();

  /**
   * Another node.
   *
   * @param lastContactMillis of its last sign of life, milliseconds since 1970 on this node's clock
   */
  record Member(MemberMetadata metadata, Presence presence, long lastContactMillis) {
    public boolean reachable() {
      return presence == Presence.ALIVE;
    }
  }

  /** The state of another node as this node sees it. */
  enum Presence {
    ALIVE,
    /** It does not answer at the moment; it may be slow, paused or gone. */
    SUSPECT,
    /** It was declared dead. */
    DEAD,
    /** It announced that it leaves. */
    LEFT
  }
}
