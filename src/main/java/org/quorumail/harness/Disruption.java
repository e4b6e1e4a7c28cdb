package org.quorumail.harness;

/**
 * One failure that the harness caused.
 *
 * @param at by {@link System#nanoTime}
 * @param inDoubt deliveries of this node that may come twice because of it
 * @param isClean every node was ready just before, so that a quorum survived
 */
record Disruption(Kind kind, int node, long at, long inDoubt, boolean isClean) {
  enum Kind {
    KILL,
    PAUSE
  }
}
