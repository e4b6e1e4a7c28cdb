package org.quorumail.gossip.sim;

/** A node of the simulation: cores and the little that drives them. */
interface SimulatedNode {
  /** A packet from another node, at this node's own time. */
  void deliver(int from, Object packet, boolean reliable, long localNow);

  /** Something may be due. */
  void wake(long localNow);

  /** This node's own time at which something is due next. */
  long nextDeadline();
}
