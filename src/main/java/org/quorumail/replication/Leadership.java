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
}
