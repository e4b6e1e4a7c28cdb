package org.quorumail.gossip.net;

import org.quorumail.gossip.MessageId;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;

/**
 * Told of what happens, in order, by one virtual thread of its own: it may take its time, but when
 * it lags by {@link DelegateThread#MAX_WAITING} calls, or {@link DelegateThread#MAX_WAITING_BYTES}
 * of payloads, further ones are dropped and counted.
 */
public interface GossipDelegate {
  /** A broadcast of another node, exactly once. */
  default void onDeliver(MessageId id, byte[] payload) {}

  default void onEagerPromotion(NodeId peer) {}

  default void onLazyDemotion(NodeId peer) {}

  default void onGraftSent(NodeId peer, MessageId id) {}

  default void onPruneSent(NodeId peer) {}

  default void onGraftFailed(MessageId id, NodeId peer) {}

  /** A member is there: new, or back. */
  default void onMemberUp(Node node) {}

  /** A member's metadata or address changed. */
  default void onMemberUpdated(Node node) {}

  /** A member is accused of not answering; it still counts. */
  default void onMemberSuspect(Node node) {}

  /** The accusation was refuted. */
  default void onMemberTrusted(Node node) {}

  default void onMemberDown(Node node) {}

  /** A member said good-bye. */
  default void onMemberLeft(Node node) {}

  /**
   * Another node claims this node's id, or two others the same.
   *
   * @param known the one that stays
   * @param claimed the address of the other
   */
  default void onConflict(Node known, org.quorumail.gossip.Address claimed) {}
}
