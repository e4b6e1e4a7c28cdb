package org.quorumail.gossip.swim;

import java.util.HashSet;
import java.util.Set;
import org.quorumail.gossip.NodeId;

/**
 * SWIM's second half: updates go to some members by chance, round after round, until they were
 * passed on often enough. Whatever else is sent takes some along (§4.1 of the paper).
 */
final class Dissemination {
  private final SwimContext context;
  private long nextRound;

  Dissemination(SwimContext node) {
    this.context = node;
    this.nextRound = node.now;
  }

  /** The next round begins now. */
  void hasten() {
    nextRound = context.now;
  }

  void tick() {
    if (context.now < nextRound || context.updates.isEmpty()) return;
    nextRound = context.now + context.config.gossipInterval();
    Set<NodeId> told = new HashSet<>();
    for (int i = 0; i < context.config.gossipNodes() && !context.updates.isEmpty(); i++) {
      SwimMember target = context.table.randomLive(context.random, n -> !told.contains(n.id()));
      if (target == null) return;
      told.add(target.id());
      context.send(target.address());
    }
  }

  long deadline() {
    return context.updates.isEmpty() ? Long.MAX_VALUE : nextRound;
  }
}
