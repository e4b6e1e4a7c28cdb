package org.quorumail.gossip;

import java.util.HashSet;
import java.util.Set;

/**
 * SWIM's second half: updates go to some members by chance, round after round, until they were
 * passed on often enough. Whatever else is sent takes some along (§4.1 of the paper).
 */
final class Dissemination {
  private final SwimNode node;
  private long nextRound;

  Dissemination(SwimNode node) {
    this.node = node;
    this.nextRound = node.now;
  }

  /** The next round begins now. */
  void hasten() {
    nextRound = node.now;
  }

  void tick() {
    if (node.now < nextRound || node.updates.isEmpty()) return;
    nextRound = node.now + node.config.gossipInterval();
    Set<NodeId> told = new HashSet<>();
    for (int i = 0; i < node.config.gossipNodes() && !node.updates.isEmpty(); i++) {
      Node target = node.table.randomLive(node.random, n -> !told.contains(n.id()));
      if (target == null) return;
      told.add(target.id());
      node.send(target.address());
    }
  }

  long next() {
    return node.updates.isEmpty() ? Long.MAX_VALUE : nextRound;
  }
}
