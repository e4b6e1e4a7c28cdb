package org.quorumail.tools;

/**
 * One failure that the harness caused.
 *
 * @param at by {@link System#nanoTime}
 * @param inDoubt deliveries of this node that may come twice because of it
 * @param quorumSurvives every node was ready just before, so that a quorum survived
 */
record InjectedFault(Kind kind, int node, long at, long inDoubt, boolean quorumSurvives) {
  enum Kind {
    KILL,
    PAUSE
  }
}
