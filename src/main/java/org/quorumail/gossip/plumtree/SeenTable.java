package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.quorumail.gossip.NodeId;

/**
 * What this node has seen: a window of sequences per source, which is its version vector. A source
 * is kept while its origin is a member, and otherwise at least for three times the cache's time to
 * live after its last message, so nothing that any cache can still offer is taken for new; while
 * the table has room it is kept for ever.
 */
final class SeenTable {
  private static final class Entry {
    final SequenceWindow window;
    long lastSeen;

    /** The highest at some moment. */
    long highestAtMark;

    long markedAt;

    Entry(long first, long now) {
      window = SequenceWindow.startingNear(first);
      highestAtMark = first;
      markedAt = now;
    }
  }

  /** A few lives of each of some ten thousand members: 16 bytes each without gaps. */
  static final int MAX_SOURCES = 65_536;

  /** So that many members in front cost a newcomer some microseconds and not milliseconds. */
  private static final int MAX_MEMBERS_SKIPPED = 64;

  private static final BroadcastSource[] NONE = {};

  private final Predicate<NodeId> isMember;

  /** Silent for longest first, but for members that eviction has passed over. */
  private final LinkedHashMap<BroadcastSource, Entry> entries = new LinkedHashMap<>();

  /** All sources in order; empty when it has to be made anew, which a new source is rare for. */
  private BroadcastSource[] sorted = NONE;

  private long evictions;

  SeenTable(Predicate<NodeId> isMember) {
    this.isMember = isMember;
  }

  boolean contains(BroadcastId id) {
    Entry entry = entries.get(BroadcastSource.of(id));
    return entry != null && entry.window.contains(id.sequence());
  }

  /** Whether it is new. */
  boolean add(BroadcastId id, long now) {
    BroadcastSource source = BroadcastSource.of(id);
    Entry entry = entries.get(source);
    if (entry == null) {
      if (entries.size() >= MAX_SOURCES) evictOne();
      entry = new Entry(id.sequence(), now);
      sorted = NONE;
    } else if (entry.window.contains(id.sequence())) {
      // A repetition does not count: two nodes would keep each other's old origins young for ever.
      return false;
    }
    entries.putLast(source, entry);
    entry.window.add(id.sequence());
    entry.lastSeen = now;
    return true;
  }

  /** The one silent for longest that is no member's; one of a member when there are only those. */
  private void evictOne() {
    for (int i = 0; i < MAX_MEMBERS_SKIPPED; i++) {
      Map.Entry<BroadcastSource, Entry> eldest = entries.firstEntry();
      if (!isMember.test(eldest.getKey().origin())) break;
      entries.putLast(eldest.getKey(), eldest.getValue());
    }
    entries.pollFirstEntry();
    sorted = NONE;
    evictions++;
  }

  /**
   * Gives up what was missing that long ago already: no cache offers it any more. Until then two
   * nodes of which one came later have different windows, and compare entry by entry.
   */
  void giveUpOldGaps(long now, long patience) {
    for (Entry entry : entries.values()) {
      if (now - entry.markedAt < patience) continue;
      entry.window.giveUpTo(entry.highestAtMark);
      entry.highestAtMark = entry.window.highest();
      entry.markedAt = now;
    }
  }

  /** Forgets the sources that were silent for that long and are no members'. */
  void removeSilent(long now, long silence) {
    Iterator<Map.Entry<BroadcastSource, Entry>> all = entries.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<BroadcastSource, Entry> e = all.next();
      if (now - e.getValue().lastSeen > silence && !isMember.test(e.getKey().origin())) {
        all.remove();
        sorted = NONE;
        evictions++;
      }
    }
  }

  /** The sources in a range of origins that spoke since a moment, in order. */
  List<BroadcastSource> active(PlumtreeMessage.SyncRange range, long since) {
    sort();
    List<BroadcastSource> active = new ArrayList<>();
    for (int i = indexAfter(range.after()); i < sorted.length; i++) {
      BroadcastSource source = sorted[i];
      if (!range.contains(source.origin())) break;
      Entry entry = entries.get(source);
      if (entry != null && entry.lastSeen >= since) active.add(source);
    }
    return active;
  }

  /** How many sources there are in a range of origins, whether they spoke lately or not. */
  int count(PlumtreeMessage.SyncRange range) {
    sort();
    int end = range.upTo().isEmpty() ? sorted.length : indexAfter(range.upTo());
    return Math.max(0, end - indexAfter(range.after()));
  }

  private void sort() {
    if (sorted.length == entries.size()) return;
    sorted = entries.keySet().toArray(NONE);
    Arrays.sort(sorted);
  }

  /** Where the origins behind a name begin. */
  private int indexAfter(String name) {
    if (name.isEmpty()) return 0;
    int at = Arrays.binarySearch(sorted, new BroadcastSource(new NodeId(name), Long.MAX_VALUE));
    return at < 0 ? -at - 1 : at + 1;
  }

  SequenceWindow window(BroadcastSource source) {
    Entry entry = entries.get(source);
    return entry == null ? new SequenceWindow() : entry.window;
  }

  boolean hasSource(BroadcastSource source) {
    return entries.containsKey(source);
  }

  int size() {
    return entries.size();
  }

  double fillRatio() {
    return entries.size() / (double) MAX_SOURCES;
  }

  /** Since the last time. */
  long takeEvictions() {
    long taken = evictions;
    evictions = 0;
    return taken;
  }
}
