package org.quorumail.gossip.plumtree;

import java.util.List;
import java.util.Optional;
import org.quorumail.gossip.NodeId;

/**
 * What neighbours say to each other. The sender is never in the message: the transport knows it.
 *
 * <p>Leitão, Pereira, Rodrigues: "Epidemic Broadcast Trees" (SRDS 2007) for Gossip, IHave, Graft
 * and Prune; "HyParView" (DSN 2007) for Neighbour and Disconnect; the rest is ours: NotFound spares
 * a wait, IHaveAck ends the repetition of what was pushed or announced, Sync compares what was
 * seen.
 */
public sealed interface PlumtreeMessage {
  /** In which class a message waits when a link is slow. */
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
   * A broadcast itself.
   *
   * @param hop links it has crossed before this one: 0 from its origin
   */
  record Gossip(TreeId tree, BroadcastId id, int hop, byte[] payload) implements PlumtreeMessage {}

  /** "I have these": repeated until acknowledged. */
  record IHave(List<Announcement> announcements) implements PlumtreeMessage {}

  /**
   * One line of an IHave.
   *
   * @param tree on which the message came: what a graft for it has to name
   * @param hop that a Gossip from the announcer would carry
   */
  record Announcement(TreeId tree, BroadcastId id, int hop) {}

  /** "I have these too": for ids that were pushed or announced. */
  record IHaveAck(List<BroadcastId> ids) implements PlumtreeMessage {}

  /** "Push to me in this tree, and send me this message if I name one." */
  record Graft(TreeId tree, Optional<BroadcastId> id) implements PlumtreeMessage {}

  /** "Do not push to me in this tree, announce." */
  record Prune(TreeId tree) implements PlumtreeMessage {}

  /** The answer to a graft for a message that is gone: ask the next one at once. */
  record NotFound(BroadcastId id) implements PlumtreeMessage {}

  /**
   * "We are neighbours." Makes a link symmetric when two nodes see different memberships, and asks
   * a silent neighbour whether it is there.
   *
   * @param answer true when it answers another Neighbour and wants no answer
   */
  record Neighbour(boolean answer) implements PlumtreeMessage {}

  /** "We are not": the receiver looks for another neighbour. */
  record Disconnect() implements PlumtreeMessage {}

  /**
   * "Have you seen what I have seen from these origins?"
   *
   * @param digest over the states of the origins in the range
   */
  record SyncRequest(SyncRange range, long digest) implements PlumtreeMessage {}

  /**
   * What the answerer has seen; no states when equal.
   *
   * @param range the part of the asked range that is answered; what is behind it is asked for again
   */
  record SyncDigest(SyncRange range, boolean equal, List<OriginState> states)
      implements PlumtreeMessage {}

  /** "Send me these." */
  record SyncPull(List<BroadcastId> ids) implements PlumtreeMessage {}

  /** What was pulled, or what a digest showed as missing. */
  record SyncPush(List<Gossip> messages) implements PlumtreeMessage {}

  /**
   * Origins by name.
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
   * One entry of a version vector with its exceptions.
   *
   * @param oldest the lowest sequence that can still be pulled here; 0 when none can
   * @param floor everything up to here was seen or given up
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
