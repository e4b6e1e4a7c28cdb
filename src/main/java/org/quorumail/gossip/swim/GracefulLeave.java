package org.quorumail.gossip.swim;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.Ping;

/**
 * A graceful leave. Some members, the witnesses, are pinged with the leave in front: an ack proves
 * that the witness received it and will pass it on. The leave is over when enough witnesses have
 * answered, or at the time-out.
 */
final class GracefulLeave {
  /** With this many witnesses the leave survives the loss of two of them. */
  private static final int WITNESSES = 3;

  private static final int REPEAT_MILLIS = 300;

  private final SwimContext context;
  private final Left left;
  private final long deadline;
  private final Map<Long, NodeId> witnessBySequence = new HashMap<>();
  private final Set<NodeId> witnesses = new HashSet<>();
  private boolean isOver;

  GracefulLeave(SwimContext context, Left left) {
    this.context = context;
    this.left = left;
    this.deadline = context.now + context.config.leaveTimeout();
  }

  boolean isOver() {
    return isOver;
  }

  private int witnessesWanted() {
    return Math.min(WITNESSES, context.table.live());
  }

  void pingWitnesses() {
    if (isOver) return;
    int wanted = witnessesWanted();
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
      context.send(member.address(), left, ping);
    }
    context.timers.set(Math.min(deadline, context.now + REPEAT_MILLIS), this::pingWitnesses);
  }

  /** Returns whether the ack was for the leave. */
  boolean onAck(long sequence) {
    NodeId witness = witnessBySequence.get(sequence);
    if (witness == null) return false;
    if (witnesses.add(witness) && witnesses.size() >= witnessesWanted()) pingWitnesses();
    return true;
  }
}
