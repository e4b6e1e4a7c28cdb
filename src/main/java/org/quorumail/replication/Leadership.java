package org.quorumail.replication;

/** This node's leadership of one group in one term. */
public interface Leadership {
  long term();

  /**
   * Returns whether no other node can have been elected yet: a quorum has acknowledged this leader
   * more recently than the shortest election timeout. Reads memory only, by the monotonic clock.
   * Stays false once the term has ended.
   */
  boolean hasLease();

  /**
   * Whether a quorum has acknowledged this leader a moment ago, with or without a lease: that of a
   * new leader begins later, and that of one that hands over is given up. Says nothing about what
   * this node may deliver.
   */
  default boolean hasQuorum() {
    return hasLease();
  }
}
