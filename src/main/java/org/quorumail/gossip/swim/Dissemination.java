package org.quorumail.gossip.swim;

import java.util.HashSet;
import java.util.Set;
import org.quorumail.gossip.NodeId;

/**
 * SWIM's dissemination: pending updates go to some random members, round after round, until each
 * was passed on often enough. Other datagrams carry updates too (§4.1 of the paper).
 */
final class Dissemination {
  private final SwimContext context;
  private long nextRound;

  Dissemination(SwimContext context) {
    this.context = context;
    this.nextRound = context.now;
  }

  /** Starts the next round now. */
  void hasten() {
    nextRound = context.now;
  }

  void tick() {
    if (context.now < nextRound || context.updates.isEmpty()) return;
    nextRound = context.now + context.config.gossipInterval();
    Set<NodeId> targets = new HashSet<>();
    for (int i = 0; i < context.config.gossipNodes() && !context.updates.isEmpty(); i++) {
      SwimMember target = context.table.randomLive(context.random, n -> !targets.contains(n.id()));
      if (target == null) return;
      targets.add(target.id());
      context.send(target.address());
    }
  }

  long deadline() {
    return context.updates.isEmpty() ? Long.MAX_VALUE : nextRound;
  }
}
