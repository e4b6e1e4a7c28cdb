package org.quorumail.gossip.swim;

import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Left;

/**
 * What this node says of itself: nobody else may raise its incarnation. It goes beyond whatever is
 * said against it, also against a former life, until it has said good-bye.
 */
final class LocalMember {
  private final SwimContext context;
  private final Runnable onRefuted;
  private boolean leaving;

  /**
   * @param onRefuted called after this node has contradicted somebody
   */
  LocalMember(SwimContext node, Runnable onRefuted) {
    this.context = node;
    this.onRefuted = onRefuted;
  }

  /** Its own name comes back: an echo, or a former life that got further. */
  void onOwnAlive(SwimMember said) {
    if (isNewer(said)) refute(said.incarnation());
  }

  private boolean isNewer(SwimMember said) {
    if (said.incarnation() != context.self.incarnation()) {
      return said.incarnation() > context.self.incarnation();
    }
    return !said.metadata().sameContent(context.self.metadata());
  }

  /** Held suspect, dead or left at that height; a former life's good-bye still goes around. */
  void onAccusation(long incarnation) {
    if (leaving || incarnation < context.self.incarnation()) return;
    refute(incarnation);
    context.adjustHealth(1);
  }

  /** A prober knows this node at a height that it has not reached since its start. */
  void onHigherIncarnation(long incarnation) {
    refute(incarnation);
  }

  /** Goes beyond whatever was said of it; at the top of the range nothing can be said any more. */
  private void refute(long incarnation) {
    if (leaving || incarnation == SwimMember.MAX_INCARNATION) return;
    publish(context.self.withIncarnation(incarnation + 1));
    context.emit(new SwimEffect.Refuted(context.self.incarnation()));
    onRefuted.run();
  }

  /** Publishes this node anew. */
  void publish(SwimMember renewed) {
    context.self = renewed;
    context.updates.offer(new Alive(renewed));
  }

  /** From here on nothing is refuted. */
  Left startLeaving() {
    leaving = true;
    Left goodbye = new Left(context.self.id(), context.self.incarnation());
    context.updates.offer(goodbye);
    return goodbye;
  }
}
