package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/** An action that {@link Plumtree} asks of its driver, or an event that it reports, in order. */
public sealed interface PlumtreeEffect {
  /** Send to a node. A failed send may be dropped, as messages are repeated until acknowledged. */
  record Send(NodeId to, PlumtreeMessage message, SendPriority priority)
      implements PlumtreeEffect {}

  /**
   * Deliver to the application; emitted once per message.
   *
   * @param hops the number of links that the message crossed
   */
  record Deliver(BroadcastId id, byte[] payload, int hops) implements PlumtreeEffect {}

  /** A peer receives the payloads of a tree from now on. */
  record EagerPromotion(TreeId tree, NodeId peer) implements PlumtreeEffect {}

  /** A peer receives only the announcements of a tree from now on. */
  record LazyDemotion(TreeId tree, NodeId peer) implements PlumtreeEffect {}

  record GraftSent(NodeId peer, BroadcastId id) implements PlumtreeEffect {}

  record PruneSent(NodeId peer) implements PlumtreeEffect {}

  /** No announcer sent the payload in time; an announcement or anti-entropy may still bring it. */
  record GraftFailed(BroadcastId id, NodeId peer) implements PlumtreeEffect {}

  /** A link was added to the overlay: the driver may open a connection and watch it. */
  record NeighbourAdded(NodeId peer) implements PlumtreeEffect {}

  /** A link was removed from the overlay. */
  record NeighbourRemoved(NodeId peer, Reason reason) implements PlumtreeEffect {}

  enum Reason {
    /** The membership reports that the node is dead or has left. */
    DEPARTED,
    /** A send to the node failed. */
    UNREACHABLE,
    /** The node acknowledged nothing for several rounds. */
    SILENT,
    /** The membership changed and another node is the neighbour now. */
    REPLACED,
    /** The node sent a disconnect. */
    DISCONNECTED
  }
}
