package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/** What the driver has to do, or may want to tell, after an input of {@link Plumtree}. */
public sealed interface PlumtreeEffect {
  /** Send to a node; what cannot be sent may be dropped, it is repeated until acknowledged. */
  record Send(NodeId to, PlumtreeMessage message, SendPriority priority)
      implements PlumtreeEffect {}

  /**
   * Hand to the application, exactly once per message.
   *
   * @param hops links crossed; 0 for the node's own
   */
  record Deliver(BroadcastId id, byte[] payload, int hops) implements PlumtreeEffect {}

  /** A peer is pushed to from now on. */
  record EagerPromotion(TreeId tree, NodeId peer) implements PlumtreeEffect {}

  /** A peer only gets announcements from now on. */
  record LazyDemotion(TreeId tree, NodeId peer) implements PlumtreeEffect {}

  record GraftSent(NodeId peer, BroadcastId id) implements PlumtreeEffect {}

  record PruneSent(NodeId peer) implements PlumtreeEffect {}

  /** No announcer delivered in time; the next announcement or anti-entropy starts anew. */
  record GraftFailed(BroadcastId id, NodeId peer) implements PlumtreeEffect {}

  /** A link of the overlay was made: the driver may open a connection and watch it. */
  record NeighbourAdded(NodeId peer) implements PlumtreeEffect {}

  /** A link of the overlay is gone. */
  record NeighbourRemoved(NodeId peer, Reason reason) implements PlumtreeEffect {}

  enum Reason {
    /** The membership says that it is gone. */
    DEPARTED,
    /** A send to it failed. */
    UNREACHABLE,
    /** It acknowledged nothing for several rounds. */
    SILENT,
    /** The membership changed and another node is the neighbour now. */
    REPLACED,
    /** It told us so. */
    DISCONNECTED
  }
}
