package org.quorumail.gossip.plumtree;

import java.util.List;
import java.util.Optional;
import org.quorumail.gossip.NodeId;

/**
 * The messages between neighbours. They do not name their sender, which the transport has checked.
 *
 * <p>Gossip, IHave, Graft and Prune are those of Leitão, Pereira, Rodrigues: "Epidemic Broadcast
 * Trees" (SRDS 2007). Neighbour and Disconnect are those of "HyParView" (DSN 2007). The others are
 * additions: NotFound saves a time-out, IHaveAck ends the repetition of announcements, and Sync
 * compares the seen messages.
 */
public sealed interface PlumtreeMessage {
  /** The class in which a message waits for a slow link. */
  default SendPriority priority() {
    return switch (this) {
      case Graft m -> SendPriority.CRITICAL;
      case NotFound m -> SendPriority.CRITICAL;
      case Neighbour m -> SendPriority.CRITICAL;
      case Disconnect m -> SendPriority.CRITICAL;
      case Gossip m -> SendPriority.HIGH;
      case IHave m -> SendPriority.NORMAL;
      case IHaveAck m -> SendPriority.NORMAL;
      case SyncRequest m -> SendPriority.NORMAL;
      case SyncDigest m -> SendPriority.NORMAL;
      case SyncPull m -> SendPriority.NORMAL;
      case SyncPush m -> SendPriority.NORMAL;
      case Prune m -> SendPriority.LOW;
    };
  }

  /**
   * A broadcast with its payload.
   *
   * @param hop the number of links crossed before this one: 0 from its origin
   */
  record Gossip(TreeId tree, BroadcastId id, int hop, byte[] payload) implements PlumtreeMessage {}

  /** "I have these": repeated until acknowledged. */
  record IHave(List<Announcement> announcements) implements PlumtreeMessage {}

  /**
   * One line of an IHave.
   *
   * @param tree the tree of the message, which a graft for it names
   * @param hop the hop of a Gossip from the announcer
   */
  record Announcement(TreeId tree, BroadcastId id, int hop) {}

  /** "I have these too": acknowledges pushed or announced messages. */
  record IHaveAck(List<BroadcastId> ids) implements PlumtreeMessage {}

  /** "Push to me in this tree, and send me this message if I name one." */
  record Graft(TreeId tree, Optional<BroadcastId> id) implements PlumtreeMessage {}

  /** "Do not push to me in this tree, announce." */
  record Prune(TreeId tree) implements PlumtreeMessage {}

  /** "The message is gone, graft it from another": the answer to a graft. */
  record NotFound(BroadcastId id) implements PlumtreeMessage {}

  /**
   * "We are neighbours." It makes a link symmetric when two nodes see different memberships, and
   * makes a silent neighbour answer.
   *
   * @param answer whether it answers another Neighbour and needs no answer
   */
  record Neighbour(boolean answer) implements PlumtreeMessage {}

  /** "We are not neighbours": the receiver chooses another one. */
  record Disconnect() implements PlumtreeMessage {}

  /**
   * "Have you seen what I have seen from these origins?"
   *
   * @param digest a hash over the states of the origins in the range
   */
  record SyncRequest(SyncRange range, long digest) implements PlumtreeMessage {}

  /**
   * "These are the states of my origins"; there are none when they are equal.
   *
   * @param range the answered part of the requested range; a further request asks for the rest
   */
  record SyncDigest(SyncRange range, boolean equal, List<OriginState> states)
      implements PlumtreeMessage {}

  /** "Send me these." */
  record SyncPull(List<BroadcastId> ids) implements PlumtreeMessage {}

  /** "These you pulled", or "these you lack by your digest". */
  record SyncPush(List<Gossip> messages) implements PlumtreeMessage {}

  /**
   * A range of origins by name.
   *
   * @param after exclusive; empty: from the first
   * @param upTo inclusive; empty: to the last
   */
  record SyncRange(String after, String upTo) {
    public static final SyncRange ALL = new SyncRange("", "");

    boolean contains(NodeId origin) {
      return origin.value().compareTo(after) > 0
          && (upTo.isEmpty() || origin.value().compareTo(upTo) <= 0);
    }
  }

  /**
   * One entry of a version vector.
   *
   * @param oldest the lowest sequence that can still be pulled; 0 when there is none
   * @param floor all sequences up to this one were seen or given up
   * @param words bit i of word w: sequence {@code floor + 1 + 64 w + i} was seen
   */
  record OriginState(NodeId origin, long incarnation, long oldest, long floor, long[] words) {
    boolean has(long sequence) {
      if (sequence <= floor) return true;
      long index = sequence - floor - 1;
      int word = (int) Math.min(index >>> 6, Integer.MAX_VALUE);
      return word < words.length && (words[word] >>> (index & 63) & 1) != 0;
    }
  }
}
