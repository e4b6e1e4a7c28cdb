package org.quorumail.gossip.plumtree;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/** The messages that were announced but not received, with their announcers and deadlines. */
final class MissingTable {
  /** As many as the unacknowledged announcements of one neighbour. */
  static final int MAX_MISSING = Link.MAX_OUTSTANDING;

  /** The bound of messages that one neighbour announced first; the rest is for the others. */
  static final int MAX_PER_ANNOUNCER = MAX_MISSING / 2;

  /** The bound of announcers per message: the usual number of links, and some former ones. */
  private static final int MAX_ANNOUNCERS = 16;

  static final class MissingMessage {
    final BroadcastId id;
    final TreeId tree;

    /** The neighbours that have it; the next to be grafted from stands first. */
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

  /** The number of missing messages that each neighbour announced first. */
  private final Map<NodeId, Integer> countByFirstAnnouncer = new HashMap<>();

  private final PriorityQueue<Deadline> deadlines =
      new PriorityQueue<>((a, b) -> Long.compare(a.due, b.due));

  @Nullable MissingMessage get(BroadcastId id) {
    return byId.get(id);
  }

  /**
   * Adds a message; the caller has checked the bounds.
   *
   * @param first the first announcer
   */
  MissingMessage add(BroadcastId id, TreeId tree, NodeId first, long due) {
    if (byId.size() >= MAX_MISSING) throw new IllegalStateException("the missing table is full");
    MissingMessage missing = new MissingMessage(id, tree, first);
    if (byId.put(id, missing) != null) throw new IllegalStateException(id + " is missing already");
    countByFirstAnnouncer.merge(first, 1, Integer::sum);
    schedule(missing, due);
    return missing;
  }

  /** Returns whether a neighbour announced its share of the table first. */
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

  /** The next message whose deadline is over; the caller schedules it again or removes it. */
  @Nullable MissingMessage pollDue(long now) {
    while (!deadlines.isEmpty() && deadlines.element().due <= now) {
      Deadline deadline = deadlines.remove();
      if (isCurrent(deadline)) return deadline.missing;
    }
    return null;
  }

  long deadline() {
    while (!deadlines.isEmpty() && !isCurrent(deadlines.element())) deadlines.remove();
    return deadlines.isEmpty() ? Long.MAX_VALUE : deadlines.element().due;
  }

  private boolean isCurrent(Deadline deadline) {
    return deadline.missing.due == deadline.due
        && byId.get(deadline.missing.id) == deadline.missing;
  }

  /** Removes a gone neighbour as announcer; messages grafted from it are due at once. */
  void removeAnnouncer(NodeId announcer, long now) {
    for (MissingMessage missing : byId.values()) {
      missing.removeAnnouncer(announcer);
      if (announcer.equals(missing.graftedPeer)) schedule(missing, now);
    }
  }

  int size() {
    return byId.size();
  }

  /** The number of messages that were grafted. */
  int countGrafted() {
    int count = 0;
    for (MissingMessage missing : byId.values()) if (missing.grafts > 0) count++;
    return count;
  }

  double fillRatio() {
    return byId.size() / (double) MAX_MISSING;
  }

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    if (byId.size() > MAX_MISSING) return byId.size() + " missing messages";
    int counted = 0;
    for (int count : countByFirstAnnouncer.values()) counted += count;
    if (counted != byId.size()) return counted + " missing by announcer, " + byId.size() + " by id";
    Set<BroadcastId> scheduled = new HashSet<>();
    for (Deadline deadline : deadlines) if (isCurrent(deadline)) scheduled.add(deadline.missing.id);
    return scheduled.equals(byId.keySet()) ? null : "a missing message has no deadline";
  }
}
