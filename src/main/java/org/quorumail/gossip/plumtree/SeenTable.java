package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/**
 * The seen messages: a window of sequences per source, which is this node's version vector. A
 * source is kept while its origin is a member. Otherwise it is kept for at least three times the
 * cache's time to live after its last message. So no message that a cache still holds is taken for
 * a new one. While the table has room, sources are kept without limit.
 */
final class SeenTable {
  private static final class Entry {
    final SequenceWindow window;
    long lastSeen;

    /** The highest sequence at the mark. */
    long highestAtMark;

    long markedAt;

    Entry(long first, long now) {
      window = SequenceWindow.startingNear(first);
      highestAtMark = first;
      markedAt = now;
    }
  }

  /** A few incarnations of each of some ten thousand members: 16 bytes each without gaps. */
  static final int MAX_SOURCES = 65_536;

  /** The bound of skipped members: a new source costs some microseconds, not milliseconds. */
  private static final int MAX_MEMBERS_SKIPPED = 64;

  private static final BroadcastSource[] NONE = {};

  private final Predicate<NodeId> isMember;

  /** The longest silent source first, except for members that an eviction skipped. */
  private final LinkedHashMap<BroadcastSource, Entry> entries = new LinkedHashMap<>();

  /** All sources in order; empty when it must be rebuilt, which rare new sources demand. */
  private BroadcastSource[] sorted = NONE;

  private long evictions;

  SeenTable(Predicate<NodeId> isMember) {
    this.isMember = isMember;
  }

  boolean contains(BroadcastId id) {
    Entry entry = entries.get(BroadcastSource.of(id));
    return entry != null && entry.window.contains(id.sequence());
  }

  /** Adds a message; returns whether it is new. */
  boolean add(BroadcastId id, long now) {
    BroadcastSource source = BroadcastSource.of(id);
    Entry entry = entries.get(source);
    if (entry == null) {
      if (entries.size() >= MAX_SOURCES) evictOne();
      entry = new Entry(id.sequence(), now);
      sorted = NONE;
    } else if (entry.window.contains(id.sequence())) {
      // A repetition does not renew the source, or two nodes would keep old origins for each other.
      return false;
    }
    entries.putLast(source, entry);
    entry.window.add(id.sequence());
    entry.lastSeen = now;
    return true;
  }

  /** Removes the longest silent source that is no member's, or a member's if there is no other. */
  private void evictOne() {
    for (int i = 0; i < MAX_MEMBERS_SKIPPED; i++) {
      Map.Entry<BroadcastSource, Entry> oldest = entries.firstEntry();
      if (!isMember.test(oldest.getKey().origin())) break;
      entries.putLast(oldest.getKey(), oldest.getValue());
    }
    entries.pollFirstEntry();
    sorted = NONE;
    evictions++;
  }

  /**
   * Gives up the gaps older than the time-out, as no cache holds those messages any more. Until
   * then the windows of two nodes with different starts differ, and are compared entry by entry.
   */
  void giveUpOldGaps(long now, long timeout) {
    for (Entry entry : entries.values()) {
      if (now - entry.markedAt < timeout) continue;
      entry.window.giveUpTo(entry.highestAtMark);
      entry.highestAtMark = entry.window.highest();
      entry.markedAt = now;
    }
  }

  /** Removes the sources that were silent for that long and whose origins are no members. */
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

  /** The sources in a range of origins with new messages since that time, in order. */
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

  /** The number of sources in a range of origins, active or not. */
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

  /** The index of the first origin behind a name. */
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

  /** The number of evictions since the last call. */
  long takeEvictions() {
    long taken = evictions;
    evictions = 0;
    return taken;
  }

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    if (entries.size() > MAX_SOURCES) return entries.size() + " seen sources";
    for (Map.Entry<BroadcastSource, Entry> e : entries.entrySet()) {
      if (!e.getValue().window.isNormalised()) return "the window of " + e.getKey() + " has a gap";
    }
    return null;
  }
}
