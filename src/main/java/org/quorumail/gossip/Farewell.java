package org.quorumail.gossip;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.quorumail.gossip.SwimMessage.Left;
import org.quorumail.gossip.SwimMessage.Ping;

/**
 * A graceful leave: some members are pinged with the good-bye in front, so each answer proves that
 * it was heard; those pass it on. Over when enough have, or at the time-out.
 */
final class Farewell {
  /** So many witnesses: the news survives two of them. */
  private static final int WITNESSES = 3;

  private static final int REPEAT_MILLIS = 300;

  private final SwimNode node;
  private final Left goodbye;
  private final long deadline;
  private final Map<Long, NodeId> asked = new HashMap<>();
  private final Set<NodeId> witnesses = new HashSet<>();
  private boolean isOver;

  Farewell(SwimNode node, Left goodbye) {
    this.node = node;
    this.goodbye = goodbye;
    this.deadline = node.now + node.config.leaveTimeout();
  }

  boolean isOver() {
    return isOver;
  }

  void ask() {
    if (isOver) return;
    int wanted = Math.min(WITNESSES, node.table.live());
    if (witnesses.size() >= wanted || node.now >= deadline) {
      isOver = true;
      node.effect(new SwimEffect.LeaveCompleted(witnesses.size()));
      return;
    }
    Set<NodeId> tried = new HashSet<>(witnesses);
    for (int i = witnesses.size(); i < wanted; i++) {
      Node member = node.table.randomLive(node.random, n -> !tried.contains(n.id()));
      if (member == null) break;
      tried.add(member.id());
      long sequence = node.nextSequence();
      asked.put(sequence, member.id());
      Ping ping = new Ping(sequence, member.id(), member.incarnation(), node.self.id());
      node.send(member.address(), goodbye, ping);
    }
    node.timers.set(Math.min(deadline, node.now + REPEAT_MILLIS), this::ask);
  }

  /** Whether the answer was to the good-bye. */
  boolean ack(long sequence) {
    NodeId witness = asked.get(sequence);
    if (witness == null) return false;
    if (witnesses.add(witness) && witnesses.size() >= Math.min(WITNESSES, node.table.live())) {
      ask();
    }
    return true;
  }
}
