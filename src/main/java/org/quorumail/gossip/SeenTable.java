package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

  private final TreeMap<Source, Entry> entries = new TreeMap<>();
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
    }
    boolean isNew = entry.window.add(id.sequence());
    // A repetition does not count: two nodes would keep each other's old origins young for ever.
    if (isNew) entry.lastSeen = now;
    return isNew;
  }

  private void evictOldest() {
    Source oldest = entries.firstKey();
    long when = Long.MAX_VALUE;
    for (Map.Entry<Source, Entry> e : entries.entrySet()) {
      if (e.getValue().lastSeen < when) {
        when = e.getValue().lastSeen;
        oldest = e.getKey();
      }
    }
    entries.remove(oldest);
    evictions++;
  }

  /** Forgets the sources that were silent for that long and are not to be kept. */
  void forget(long now, long silence, Predicate<NodeId> kept) {
    Iterator<Map.Entry<Source, Entry>> all = entries.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<Source, Entry> e = all.next();
      if (now - e.getValue().lastSeen > silence && !kept.test(e.getKey().origin())) {
        all.remove();
        evictions++;
      }
    }
  }

  /** The sources in a range of origins that spoke since a moment, in order. */
  List<Source> active(PlumtreeMessage.SyncRange range, long since) {
    List<Source> active = new ArrayList<>();
    Map<Source, Entry> from =
        range.after().isEmpty()
            ? entries
            : entries.tailMap(new Source(new NodeId(range.after()), Long.MAX_VALUE), false);
    for (Map.Entry<Source, Entry> e : from.entrySet()) {
      if (!range.contains(e.getKey().origin())) break;
      if (e.getValue().lastSeen >= since) active.add(e.getKey());
    }
    return active;
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
