package org.quorumail.gossip.swim;

import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Left;

/**
 * This node as the other members see it. No other node raises its incarnation. It refutes every
 * accusation, also one against a former life, until it starts to leave.
 */
final class LocalMember {
  private final SwimContext context;
  private final Runnable onRefuted;
  private boolean leaving;

  /**
   * @param onRefuted called after this node has refuted an accusation
   */
  LocalMember(SwimContext context, Runnable onRefuted) {
    this.context = context;
    this.onRefuted = onRefuted;
  }

  /** This node's own name comes back: an echo, or a former life with a higher incarnation. */
  void onOwnAlive(SwimMember received) {
    if (isNewer(received)) refute(received.incarnation());
  }

  private boolean isNewer(SwimMember received) {
    if (received.incarnation() != context.self.incarnation()) {
      return received.incarnation() > context.self.incarnation();
    }
    return !received.metadata().sameContent(context.self.metadata());
  }

  /** A member declares this incarnation suspect, dead or left; it may be a former life's leave. */
  void onAccusation(long incarnation) {
    if (leaving || incarnation < context.self.incarnation()) return;
    refute(incarnation);
    context.adjustHealth(1);
  }

  /** A prober knows an incarnation of this node that it has not reached since its start. */
  void onHigherIncarnation(long incarnation) {
    refute(incarnation);
  }

  /** Goes one incarnation beyond the given one; beyond the highest there is none. */
  private void refute(long incarnation) {
    if (leaving || incarnation == SwimMember.MAX_INCARNATION) return;
    publish(context.self.withIncarnation(incarnation + 1));
    context.emit(new SwimEffect.Refuted(context.self.incarnation()));
    onRefuted.run();
  }

  /** Replaces this node's description and passes it on. */
  void publish(SwimMember renewed) {
    if (renewed.incarnation() <= context.self.incarnation()) {
      throw new IllegalStateException(
          "the own incarnation only grows: " + renewed + " after " + context.self);
    }
    context.self = renewed;
    context.updates.offer(new Alive(renewed));
  }

  /** Announces the leave; from here on this node refutes nothing. */
  Left startLeaving() {
    leaving = true;
    Left left = new Left(context.self.id(), context.self.incarnation());
    context.updates.offer(left);
    return left;
  }
}
