package org.quorumail.gossip.swim;

import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;

/** An action that {@link Swim} asks of its driver, or an event that it reports, in order. */
public sealed interface SwimEffect {
  /**
   * Send the packet once, without waiting.
   *
   * @param to the receiver; for an answer, the address that the question came from
   * @param reliable over a stream (the question's, else a new one); otherwise as one datagram,
   *     which fits {@link SwimConfig#packetBytes}
   */
  record Send(NodeAddress to, SwimPacket packet, boolean reliable) implements SwimEffect {}

  /** A member is alive: new, or back from dead or left. */
  record MemberUp(SwimMember member) implements SwimEffect {}

  /** A member's metadata or address changed, or its metadata was fetched. */
  record MemberUpdated(SwimMember member) implements SwimEffect {}

  /** A member is accused. It still counts; nothing should be moved away from it on this alone. */
  record MemberSuspect(SwimMember member) implements SwimEffect {}

  /** A suspect refuted the accusation. */
  record MemberTrusted(SwimMember member) implements SwimEffect {}

  /** A member is declared dead. */
  record MemberDown(SwimMember member) implements SwimEffect {}

  /** A member left gracefully. */
  record MemberLeft(SwimMember member) implements SwimEffect {}

  /**
   * Two nodes claim one id. The known node stays; it may be this node itself.
   *
   * @param claimed the address of the other node
   */
  record Conflict(SwimMember known, NodeAddress claimed) implements SwimEffect {}

  /** This node refuted an accusation; often a sign that it is too slow. */
  record Refuted(long incarnation) implements SwimEffect {}

  /** A member answered the first ping of a probe after this time. */
  record RoundTrip(NodeId member, long millis) implements SwimEffect {}

  /** Lifeguard's local health changed: 0 is healthy; time-outs are multiplied by score + 1. */
  record HealthScore(int score) implements SwimEffect {}

  /** The first push/pull with a seed is done. */
  record Joined(NodeAddress seed, NodeId member) implements SwimEffect {}

  /**
   * The graceful leave is over; the driver may stop.
   *
   * @param acknowledged the number of members that confirmed it
   */
  record LeaveCompleted(int acknowledged) implements SwimEffect {}
}
