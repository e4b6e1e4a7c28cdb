package org.quorumail.gossip.plumtree;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/**
 * Messages that were announced and have not come: who announced them, in the order of their words,
 * and when to lose patience.
 */
final class MissingTable {
  /** As many as the announcements that a neighbour may have outstanding. */
  static final int MAX_MISSING = Link.MAX_OUTSTANDING;

  /** Of these, so many that one neighbour was the first to announce: the rest is for the others. */
  static final int MAX_PER_ANNOUNCER = MAX_MISSING / 2;

  /** One for each link and a few that came and went. */
  private static final int MAX_ANNOUNCERS = 16;

  /** A message that is missing. */
  static final class MissingMessage {
    final BroadcastId id;
    final TreeId tree;

    /** Who has it; the next to be asked stands first. */
    final ArrayDeque<NodeId> announcers = new ArrayDeque<>();

    private final NodeId firstAnnouncer;
    private final Map<NodeId, Integer> hops = new HashMap<>();
    int grafts;
    long graftedAt;
    @Nullable NodeId graftedPeer;
    private long due;

    private MissingMessage(BroadcastId id, TreeId tree, NodeId first) {
      this.id = id;
      this.tree = tree;
      this.firstAnnouncer = first;
    }

    void announcedBy(NodeId announcer, int hop) {
      if (announcers.size() >= MAX_ANNOUNCERS || hops.containsKey(announcer)) return;
      announcers.add(announcer);
      hops.put(announcer, hop);
    }

    void removeAnnouncer(NodeId announcer) {
      announcers.remove(announcer);
      hops.remove(announcer);
    }

    int hop(NodeId announcer) {
      return hops.getOrDefault(announcer, Integer.MAX_VALUE);
    }
  }

  private record Deadline(long due, MissingMessage missing) {}

  private final Map<BroadcastId, MissingMessage> byId = new HashMap<>();

  /** How many of them each has announced first. */
  private final Map<NodeId, Integer> countByFirstAnnouncer = new HashMap<>();

  private final PriorityQueue<Deadline> deadlines =
      new PriorityQueue<>((a, b) -> Long.compare(a.due, b.due));

  @Nullable MissingMessage get(BroadcastId id) {
    return byId.get(id);
  }

  /**
   * @param first who was the first to announce it
   */
  MissingMessage add(BroadcastId id, TreeId tree, NodeId first, long due) {
    MissingMessage missing = new MissingMessage(id, tree, first);
    byId.put(id, missing);
    countByFirstAnnouncer.merge(first, 1, Integer::sum);
    schedule(missing, due);
    return missing;
  }

  /** Whether a neighbour has announced as many first as one may. */
  boolean isShareExhausted(NodeId announcer) {
    return countByFirstAnnouncer.getOrDefault(announcer, 0) >= MAX_PER_ANNOUNCER;
  }

  void schedule(MissingMessage missing, long due) {
    missing.due = due;
    deadlines.add(new Deadline(due, missing));
  }

  @Nullable MissingMessage remove(BroadcastId id) {
    MissingMessage missing = byId.remove(id);
    if (missing != null)
      countByFirstAnnouncer.computeIfPresent(
          missing.firstAnnouncer, (f, n) -> n == 1 ? null : n - 1);
    return missing;
  }

  /** The next one whose patience is over; it has to be woken again or removed. */
  @Nullable MissingMessage pollDue(long now) {
    while (!deadlines.isEmpty() && deadlines.element().due <= now) {
      Deadline timer = deadlines.remove();
      if (isCurrent(timer)) return timer.missing;
    }
    return null;
  }

  long deadline() {
    while (!deadlines.isEmpty() && !isCurrent(deadlines.element())) deadlines.remove();
    return deadlines.isEmpty() ? Long.MAX_VALUE : deadlines.element().due;
  }

  private boolean isCurrent(Deadline timer) {
    return timer.missing.due == timer.due && byId.get(timer.missing.id) == timer.missing;
  }

  /** A neighbour is gone: whoever was asked last in vain is not waited for. */
  void removeAnnouncer(NodeId announcer, long now) {
    for (MissingMessage missing : byId.values()) {
      missing.removeAnnouncer(announcer);
      if (announcer.equals(missing.graftedPeer)) schedule(missing, now);
    }
  }

  int size() {
    return byId.size();
  }

  /** How many of them were asked for. */
  int countGrafted() {
    int count = 0;
    for (MissingMessage missing : byId.values()) if (missing.grafts > 0) count++;
    return count;
  }

  double fillRatio() {
    return byId.size() / (double) MAX_MISSING;
  }
}
