package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

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

    Entry(SequenceWindow window) {
      this.window = window;
    }
  }

  /** A few lives of each of some ten thousand members: 16 bytes each without gaps. */
  private static final int MAX_SOURCES = 65_536;

  private static final Source[] NONE = {};

  private final Map<Source, Entry> entries = new HashMap<>();

  /** All sources in order; empty when it has to be made anew, which a new source is rare for. */
  private Source[] sorted = NONE;

  private long evictions;

  boolean contains(MessageId id) {
    Entry entry = entries.get(Source.of(id));
    return entry != null && entry.window.contains(id.sequence());
  }

  /** Whether it is new. */
  boolean add(MessageId id, long now) {
    Source source = Source.of(id);
    Entry entry = entries.get(source);
    if (entry == null) {
      if (entries.size() >= MAX_SOURCES) evictOldest();
      entry = new Entry(SequenceWindow.startingNear(id.sequence()));
      entries.put(source, entry);
      sorted = NONE;
    }
    boolean isNew = entry.window.add(id.sequence());
    // A repetition does not count: two nodes would keep each other's old origins young for ever.
    if (isNew) entry.lastSeen = now;
    return isNew;
  }

  private void evictOldest() {
    Comparator<Map.Entry<Source, Entry>> age = Comparator.comparingLong(e -> e.getValue().lastSeen);
    // equally old ones by name: which of them goes must not depend on a hash table's order
    entries.entrySet().stream()
        .min(age.thenComparing(Map.Entry::getKey))
        .ifPresent(oldest -> entries.remove(oldest.getKey()));
    sorted = NONE;
    evictions++;
  }

  /** Forgets the sources that were silent for that long and are not to be kept. */
  void forget(long now, long silence, Predicate<NodeId> kept) {
    Iterator<Map.Entry<Source, Entry>> all = entries.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<Source, Entry> e = all.next();
      if (now - e.getValue().lastSeen > silence && !kept.test(e.getKey().origin())) {
        all.remove();
        sorted = NONE;
        evictions++;
      }
    }
  }

  /** The sources in a range of origins that spoke since a moment, in order. */
  List<Source> active(PlumtreeMessage.SyncRange range, long since) {
    if (sorted.length != entries.size()) {
      sorted = entries.keySet().toArray(NONE);
      Arrays.sort(sorted);
    }
    List<Source> active = new ArrayList<>();
    for (int i = behind(range.after()); i < sorted.length; i++) {
      Source source = sorted[i];
      if (!range.contains(source.origin())) break;
      Entry entry = entries.get(source);
      if (entry != null && entry.lastSeen >= since) active.add(source);
    }
    return active;
  }

  /** Where the origins behind a name begin. */
  private int behind(String name) {
    if (name.isEmpty()) return 0;
    int at = Arrays.binarySearch(sorted, new Source(new NodeId(name), Long.MAX_VALUE));
    return at < 0 ? -at - 1 : at + 1;
  }

  SequenceWindow window(Source source) {
    Entry entry = entries.get(source);
    return entry == null ? new SequenceWindow() : entry.window;
  }

  boolean knows(Source source) {
    return entries.containsKey(source);
  }

  int size() {
    return entries.size();
  }

  double use() {
    return entries.size() / (double) MAX_SOURCES;
  }

  long evictions() {
    return evictions;
  }
}
