package org.quorumail.gossip.driver;

import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.swim.SwimMember;

/**
 * The application's callbacks. One virtual thread calls them in the order of the events. A callback
 * may block; beyond {@link DelegateDispatcher#MAX_QUEUED} waiting calls, or {@link
 * DelegateDispatcher#MAX_QUEUED_BYTES} of payloads, further calls are dropped and counted.
 */
public interface GossipDelegate {
  /** A broadcast of another node arrived; each is delivered exactly once. */
  default void onDeliver(BroadcastId id, byte[] payload) {}

  default void onEagerPromotion(NodeId peer) {}

  default void onLazyDemotion(NodeId peer) {}

  default void onGraftSent(NodeId peer, BroadcastId id) {}

  default void onPruneSent(NodeId peer) {}

  default void onGraftFailed(BroadcastId id, NodeId peer) {}

  /** A member joined, or returned. */
  default void onMemberUp(SwimMember node) {}

  /** A member's metadata or address changed. */
  default void onMemberUpdated(SwimMember node) {}

  /** A member is suspected to be dead; it still counts as a member. */
  default void onMemberSuspect(SwimMember node) {}

  /** A suspected member refuted the suspicion. */
  default void onMemberTrusted(SwimMember node) {}

  default void onMemberDown(SwimMember node) {}

  /** A member left gracefully. */
  default void onMemberLeft(SwimMember node) {}

  /**
   * Another node claims this node's id, or two others claim one id.
   *
   * @param known the member that keeps the id
   * @param claimed the address of the other node
   */
  default void onConflict(SwimMember known, org.quorumail.gossip.NodeAddress claimed) {}
}
