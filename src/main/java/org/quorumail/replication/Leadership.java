package org.quorumail.replication;

/** This node's leadership of one group in one term. */
public interface Leadership {
  long term();

  /**
   * Whether no other node can have been elected yet: a quorum has acknowledged this leader more
   * recently than the shortest election timeout. Read from memory, no I/O, monotonic clock. False
   * for ever once the term has passed.
   */
  boolean hasLease();
}
