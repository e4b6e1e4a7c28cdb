package org.quorumail.tools;

/**
 * One fault that the {@link FaultInjector} has caused.
 *
 * @param at time by {@link System#nanoTime}
 * @param inDoubt upper bound of this node's deliveries that may be duplicated
 * @param quorumSurvives true when every node was ready just before, so that a quorum survived
 */
record InjectedFault(Kind kind, int node, long at, long inDoubt, boolean quorumSurvives) {
  enum Kind {
    KILL,
    PAUSE,
    /** Stopped in order and started again: nothing is in doubt. */
    RESTART,
    /** Taken out of service by an operator, and put back. */
    MAINTENANCE,
    /** Killed, its directory lost, removed, and joined again under the same id. */
    WIPE,
    /** Its places given to another node; joined again with an empty directory. */
    REPLACE,
    /** Left in order; joined again with an empty directory. */
    LEAVE
  }
}
