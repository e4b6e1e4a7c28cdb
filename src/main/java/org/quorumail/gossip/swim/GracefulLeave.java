package org.quorumail.gossip.swim;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.Ping;

/**
 * A graceful leave: some members are pinged with the good-bye in front, so each answer proves that
 * it was heard; those pass it on. Over when enough have, or at the time-out.
 */
final class GracefulLeave {
  /** So many witnesses: the news survives two of them. */
  private static final int WITNESSES = 3;

  private static final int REPEAT_MILLIS = 300;

  private final SwimContext context;
  private final Left goodbye;
  private final long deadline;
  private final Map<Long, NodeId> witnessBySequence = new HashMap<>();
  private final Set<NodeId> witnesses = new HashSet<>();
  private boolean isOver;

  GracefulLeave(SwimContext node, Left goodbye) {
    this.context = node;
    this.goodbye = goodbye;
    this.deadline = node.now + node.config.leaveTimeout();
  }

  boolean isOver() {
    return isOver;
  }

  void pingWitnesses() {
    if (isOver) return;
    int wanted = Math.min(WITNESSES, context.table.live());
    if (witnesses.size() >= wanted || context.now >= deadline) {
      isOver = true;
      context.emit(new SwimEffect.LeaveCompleted(witnesses.size()));
      return;
    }
    Set<NodeId> tried = new HashSet<>(witnesses);
    for (int i = witnesses.size(); i < wanted; i++) {
      SwimMember member = context.table.randomLive(context.random, n -> !tried.contains(n.id()));
      if (member == null) break;
      tried.add(member.id());
      long sequence = context.nextSequence();
      witnessBySequence.put(sequence, member.id());
      Ping ping = new Ping(sequence, member.id(), member.incarnation(), context.self.id());
      context.send(member.address(), goodbye, ping);
    }
    context.timers.set(Math.min(deadline, context.now + REPEAT_MILLIS), this::pingWitnesses);
  }

  /** Whether the answer was to the good-bye. */
  boolean onAck(long sequence) {
    NodeId witness = witnessBySequence.get(sequence);
    if (witness == null) return false;
    if (witnesses.add(witness) && witnesses.size() >= Math.min(WITNESSES, context.table.live())) {
      pingWitnesses();
    }
    return true;
  }
}
