package org.quorumail.gossip.swim;

import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;

/** What {@link Swim} asks of its driver, and what it tells it; carried out in order. */
public sealed interface SwimEffect {
  /**
   * Send it, once, without waiting.
   *
   * @param to where; for an answer, the address the question came from
   * @param reliable over a stream (the one the question came by, else a new one); otherwise as one
   *     datagram: it fits {@link SwimConfig#packetBytes}
   */
  record Send(NodeAddress to, SwimPacket packet, boolean reliable) implements SwimEffect {}

  /** A member is there: new, or back from dead or left. */
  record MemberUp(SwimMember member) implements SwimEffect {}

  /** A member's metadata or address changed, or metadata that was on its way has come. */
  record MemberUpdated(SwimMember member) implements SwimEffect {}

  /** A member is accused; it still counts. Nothing should be moved away from it on this alone. */
  record MemberSuspect(SwimMember member) implements SwimEffect {}

  /** The accusation was refuted. */
  record MemberTrusted(SwimMember member) implements SwimEffect {}

  /** A member is held dead. */
  record MemberDown(SwimMember member) implements SwimEffect {}

  /** A member said good-bye. */
  record MemberLeft(SwimMember member) implements SwimEffect {}

  /**
   * Two nodes claim one id. The known one stays; {@code known} may be this node itself.
   *
   * @param claimed the address of the other
   */
  record Conflict(SwimMember known, NodeAddress claimed) implements SwimEffect {}

  /** This node was accused and raised its incarnation; often a sign that it is too slow. */
  record Refuted(long incarnation) implements SwimEffect {}

  /** A member answered a direct probe after so long. */
  record RoundTrip(NodeId member, long millis) implements SwimEffect {}

  /** Lifeguard's local health: 0 is well; time-outs are multiplied by score + 1. */
  record HealthScore(int score) implements SwimEffect {}

  /** A first exchange of views with another node is done. */
  record Joined(NodeAddress seed, NodeId member) implements SwimEffect {}

  /**
   * The good-bye is over; the driver may stop.
   *
   * @param acknowledged how many members confirmed that they heard it
   */
  record LeaveCompleted(int acknowledged) implements SwimEffect {}
}
