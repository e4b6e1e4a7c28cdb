package org.quorumail.node;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.quorumail.cluster.GroupMembers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The changes of members that this node has begun as the leader of groups, at most one per group. A
 * change lasts until the new member has the log of the group, which takes long for a long queue or
 * on a busy machine. Nothing waits for it, so the node takes over committed maps and changes its
 * other groups meanwhile. Used by one thread.
 */
final class GroupMemberChanges {
  private static final Logger LOG = LoggerFactory.getLogger(GroupMemberChanges.class);

  /** A change that lasts longer is begun again: its reply may be lost. */
  static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final Starter starter;
  private final UnaryOperator<String> nodeOfPeer;
  private final LongSupplier nanoTime;
  private final Map<String, RunningChange> running = new TreeMap<>();

  /** Begins a change of members; the future ends when the group has committed it. */
  interface Starter {
    CompletableFuture<?> begin(String group, GroupMembers next);
  }

  private record RunningChange(GroupMembers next, CompletableFuture<?> result, long since) {}

  /**
   * @param nodeOfPeer the node id of a peer, for the log
   */
  GroupMemberChanges(Starter starter, UnaryOperator<String> nodeOfPeer, LongSupplier nanoTime) {
    this.starter = starter;
    this.nodeOfPeer = nodeOfPeer;
    this.nanoTime = nanoTime;
  }

  /** Forgets and logs the changes that have ended, or lasted too long. */
  void removeEnded() {
    for (String group : List.copyOf(running.keySet())) {
      RunningChange change = running.get(group);
      if (change == null) continue;
      boolean isLate = nanoTime.getAsLong() - change.since > TIMEOUT.toNanos();
      if (!change.result.isDone() && !isLate) continue;
      running.remove(group);
      LOG.info(
          "event=group_members_changed group={} voters={} listeners={} done={} reason=\"{}\"",
          group,
          names(change.next.voters()),
          names(change.next.listeners()),
          change.result.isDone() && !change.result.isCompletedExceptionally(),
          reason(change.result));
    }
  }

  boolean isRunning(String group) {
    return running.containsKey(group);
  }

  /** Begins a change in a group in which none runs. */
  void begin(String group, GroupMembers next) {
    if (isRunning(group)) throw new IllegalStateException("two changes at once in " + group);
    long now = nanoTime.getAsLong();
    running.put(group, new RunningChange(next, starter.begin(group, next), now));
  }

  private static String reason(CompletableFuture<?> result) {
    if (!result.isDone()) return "no reply within %d s".formatted(TIMEOUT.toSeconds());
    return result.isCompletedExceptionally()
        ? String.valueOf(result.exceptionNow().getMessage())
        : "";
  }

  private List<String> names(List<String> peerIds) {
    List<String> names = new ArrayList<>(peerIds);
    names.replaceAll(nodeOfPeer);
    return names.stream().sorted().toList();
  }
}
