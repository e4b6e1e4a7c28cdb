package org.quorumail.gossip;

import org.quorumail.gossip.SwimMessage.Alive;
import org.quorumail.gossip.SwimMessage.Left;

/**
 * What this node says of itself: nobody else may raise its incarnation. It goes beyond whatever is
 * said against it, also against a former life, until it has said good-bye.
 */
final class OwnWord {
  private final SwimNode node;
  private final Runnable onRefuted;
  private boolean leaving;

  /**
   * @param onRefuted called after this node has contradicted somebody
   */
  OwnWord(SwimNode node, Runnable onRefuted) {
    this.node = node;
    this.onRefuted = onRefuted;
  }

  /** Its own name comes back: an echo, or a former life that got further. */
  void heard(Node said) {
    if (isNews(said)) refute(said.incarnation());
  }

  private boolean isNews(Node said) {
    if (said.incarnation() != node.self.incarnation()) {
      return said.incarnation() > node.self.incarnation();
    }
    return !said.meta().sameContent(node.self.meta());
  }

  /** Held suspect, dead or left at that height; a former life's good-bye still goes around. */
  void accused(long incarnation) {
    if (leaving || incarnation < node.self.incarnation()) return;
    refute(incarnation);
    node.scoreHealth(1);
  }

  /** A prober knows this node at a height that it has not reached since its start. */
  void formerLife(long incarnation) {
    refute(incarnation);
  }

  /** Goes beyond whatever was said of it; at the top of the range nothing can be said any more. */
  private void refute(long incarnation) {
    if (leaving || incarnation == Node.MAX_INCARNATION) return;
    announce(node.self.withIncarnation(incarnation + 1));
    node.effect(new SwimEffect.Refuted(node.self.incarnation()));
    onRefuted.run();
  }

  /** Publishes this node anew. */
  void announce(Node renewed) {
    node.self = renewed;
    node.updates.offer(new Alive(renewed));
  }

  /** From here on nothing is refuted. */
  Left sayGoodbye() {
    leaving = true;
    Left goodbye = new Left(node.self.id(), node.self.incarnation());
    node.updates.offer(goodbye);
    return goodbye;
  }
}
