package org.quorumail.gossip.driver;

import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.swim.SwimMember;

/**
 * Told of what happens, in order, by one virtual thread of its own: it may take its time, but when
 * it lags by {@link DelegateDispatcher#MAX_QUEUED} calls, or {@link
 * DelegateDispatcher#MAX_QUEUED_BYTES} of payloads, further ones are dropped and counted.
 */
public interface GossipDelegate {
  /** A broadcast of another node, exactly once. */
  default void onDeliver(BroadcastId id, byte[] payload) {}

  default void onEagerPromotion(NodeId peer) {}

  default void onLazyDemotion(NodeId peer) {}

  default void onGraftSent(NodeId peer, BroadcastId id) {}

  default void onPruneSent(NodeId peer) {}

  default void onGraftFailed(BroadcastId id, NodeId peer) {}

  /** A member is there: new, or back. */
  default void onMemberUp(SwimMember node) {}

  /** A member's metadata or address changed. */
  default void onMemberUpdated(SwimMember node) {}

  /** A member is accused of not answering; it still counts. */
  default void onMemberSuspect(SwimMember node) {}

  /** The accusation was refuted. */
  default void onMemberTrusted(SwimMember node) {}

  default void onMemberDown(SwimMember node) {}

  /** A member said good-bye. */
  default void onMemberLeft(SwimMember node) {}

  /**
   * Another node claims this node's id, or two others the same.
   *
   * @param known the one that stays
   * @param claimed the address of the other
   */
  default void onConflict(SwimMember known, org.quorumail.gossip.NodeAddress claimed) {}
}
