package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Update;

/**
 * The updates that are still to be passed on. The least sent goes first, of those the newest (SWIM,
 * section 4.1), each at most as often as the cluster's size demands. There is one update per
 * subject, so the member table bounds the queue.
 */
final class UpdateQueue {
  /** The length of the shortest update; with less room there is no point in searching. */
  private static final int MIN_UPDATE_BYTES = 6;

  /** The number of updates that may fail to fit before a packet counts as full. */
  private static final int MAX_MISFITS = 3;

  private final Map<NodeId, Entry> bySubject = new HashMap<>();
  private final List<Level> byTransmissions = new ArrayList<>();

  private static final class Entry {
    final Update update;
    final int size;
    int transmissions;
    @Nullable Entry previous;
    @Nullable Entry next;

    Entry(Update update) {
      this.update = update;
      this.size = SwimCodec.size(update);
    }
  }

  /** The updates that were sent equally often, as a doubly linked list without extra nodes. */
  private static final class Level {
    @Nullable Entry first;
    @Nullable Entry last;

    void addFirst(Entry entry) {
      entry.next = first;
      if (first == null) last = entry;
      else first.previous = entry;
      first = entry;
    }

    void addLast(Entry entry) {
      entry.previous = last;
      if (last == null) first = entry;
      else last.next = entry;
      last = entry;
    }

    void remove(Entry entry) {
      if (entry.previous == null) first = entry.next;
      else entry.previous.next = entry.next;
      if (entry.next == null) last = entry.previous;
      else entry.next.previous = entry.previous;
      entry.previous = null;
      entry.next = null;
    }
  }

  boolean isEmpty() {
    return bySubject.isEmpty();
  }

  int size() {
    return bySubject.size();
  }

  /** Adds an update; it replaces the one about the same member. */
  void offer(Update update) {
    Entry entry = new Entry(update);
    Entry old = bySubject.put(update.subject(), entry);
    if (old != null) level(old.transmissions).remove(old);
    level(0).addFirst(entry);
  }

  /**
   * Adds updates to a packet.
   *
   * @param room bytes left in the packet
   * @param limit the number of times that an update is sent in all
   */
  void fill(List<? super Update> packet, int room, int limit) {
    int left = room;
    int misfits = 0;
    List<Entry> sent = new ArrayList<>();
    for (Level level : byTransmissions) {
      Entry entry = level.first;
      while (entry != null && left >= MIN_UPDATE_BYTES && misfits < MAX_MISFITS) {
        if (entry.size <= left) {
          left -= entry.size;
          packet.add(entry.update);
          sent.add(entry);
        } else {
          misfits++;
        }
        entry = entry.next;
      }
      if (left < MIN_UPDATE_BYTES || misfits >= MAX_MISFITS) break;
    }
    for (Entry entry : sent) {
      level(entry.transmissions).remove(entry);
      entry.transmissions++;
      if (entry.transmissions < limit) level(entry.transmissions).addLast(entry);
      else bySubject.remove(entry.update.subject());
    }
  }

  private Level level(int sendings) {
    while (byTransmissions.size() <= sendings) byTransmissions.add(new Level());
    return byTransmissions.get(sendings);
  }
}
