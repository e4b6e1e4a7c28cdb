package org.quorumail.gossip;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Messages that were announced and have not come: who announced them, in the order of their words,
 * and when to lose patience.
 */
final class MissingTable {
  /** As many as the announcements that a neighbour may have outstanding. */
  static final int MAX_MISSING = Link.MAX_OUTSTANDING;

  /** Of these, so many that one neighbour was the first to announce: the rest is for the others. */
  static final int MAX_OF_ONE = MAX_MISSING / 2;

  /** One for each link and a few that came and went. */
  private static final int MAX_ANNOUNCERS = 16;

  /** A message that is missing. */
  static final class Missing {
    final MessageId id;
    final TreeId tree;

    /** Who has it; the next to be asked stands first. */
    final ArrayDeque<NodeId> announcers = new ArrayDeque<>();

    private final NodeId first;
    private final Map<NodeId, Integer> hops = new HashMap<>();
    int tries;
    long askedAt;
    @Nullable NodeId asked;
    private long due;

    private Missing(MessageId id, TreeId tree, NodeId first) {
      this.id = id;
      this.tree = tree;
      this.first = first;
    }

    void announcedBy(NodeId announcer, int hop) {
      if (announcers.size() >= MAX_ANNOUNCERS || hops.containsKey(announcer)) return;
      announcers.add(announcer);
      hops.put(announcer, hop);
    }

    void forget(NodeId announcer) {
      announcers.remove(announcer);
      hops.remove(announcer);
    }

    int hop(NodeId announcer) {
      return hops.getOrDefault(announcer, Integer.MAX_VALUE);
    }
  }

  private record Timer(long due, Missing missing) {}

  private final Map<MessageId, Missing> byId = new HashMap<>();

  /** How many of them each has announced first. */
  private final Map<NodeId, Integer> byFirst = new HashMap<>();

  private final PriorityQueue<Timer> timers =
      new PriorityQueue<>((a, b) -> Long.compare(a.due, b.due));

  @Nullable Missing get(MessageId id) {
    return byId.get(id);
  }

  /**
   * @param first who was the first to announce it
   */
  Missing add(MessageId id, TreeId tree, NodeId first, long due) {
    Missing missing = new Missing(id, tree, first);
    byId.put(id, missing);
    byFirst.merge(first, 1, Integer::sum);
    wake(missing, due);
    return missing;
  }

  /** Whether a neighbour has announced as many first as one may. */
  boolean isShareUsed(NodeId announcer) {
    return byFirst.getOrDefault(announcer, 0) >= MAX_OF_ONE;
  }

  void wake(Missing missing, long due) {
    missing.due = due;
    timers.add(new Timer(due, missing));
  }

  @Nullable Missing remove(MessageId id) {
    Missing missing = byId.remove(id);
    if (missing != null) byFirst.computeIfPresent(missing.first, (f, n) -> n == 1 ? null : n - 1);
    return missing;
  }

  /** The next one whose patience is over; it has to be woken again or removed. */
  @Nullable Missing pollDue(long now) {
    while (!timers.isEmpty() && timers.element().due <= now) {
      Timer timer = timers.remove();
      if (isCurrent(timer)) return timer.missing;
    }
    return null;
  }

  long deadline() {
    while (!timers.isEmpty() && !isCurrent(timers.element())) timers.remove();
    return timers.isEmpty() ? Long.MAX_VALUE : timers.element().due;
  }

  private boolean isCurrent(Timer timer) {
    return timer.missing.due == timer.due && byId.get(timer.missing.id) == timer.missing;
  }

  /** A neighbour is gone: whoever was asked last in vain is not waited for. */
  void forget(NodeId announcer, long now) {
    for (Missing missing : byId.values()) {
      missing.forget(announcer);
      if (announcer.equals(missing.asked)) wake(missing, now);
    }
  }

  int size() {
    return byId.size();
  }

  /** How many of them were asked for. */
  int grafted() {
    int count = 0;
    for (Missing missing : byId.values()) if (missing.tries > 0) count++;
    return count;
  }

  double use() {
    return byId.size() / (double) MAX_MISSING;
  }
}
