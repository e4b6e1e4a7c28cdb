package org.quorumail.gossip.sim;

/** A node of the simulation: its cores and their driver. */
interface SimulatedNode {
  /** Delivers a packet from another node, at this node's local time. */
  void deliver(int from, Object packet, boolean reliable, long localNow);

  /** Runs the timers that are due at this node's local time. */
  void wake(long localNow);

  /** The local time of the next timer. */
  long nextDeadline();
}
