package org.quorumail.gossip;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.gossip.SwimMessage.Update;

/**
 * The updates still to be passed on: what was sent least goes first, of those the newest (SWIM,
 * section 4.1), each at most as often as the cluster's size asks. One update per subject, so it is
 * bounded by the table.
 */
final class UpdateQueue {
  /** Shorter than any update: below it there is no point in looking further. */
  private static final int SHORTEST = 6;

  /** Longer updates that did not fit any more, before a packet counts as full. */
  private static final int MISFITS = 3;

  private final Map<NodeId, Entry> bySubject = new HashMap<>();
  private final List<ArrayDeque<Entry>> bySendings = new ArrayList<>();

  private static final class Entry {
    final Update update;
    final int size;
    int sendings;
    boolean replaced;

    Entry(Update update) {
      this.update = update;
      this.size = SwimCodec.size(update);
    }
  }

  boolean isEmpty() {
    return bySubject.isEmpty();
  }

  int size() {
    return bySubject.size();
  }

  /** Takes the place of what was to be said of the same member. */
  void offer(Update update) {
    Entry entry = new Entry(update);
    Entry old = bySubject.put(update.subject(), entry);
    if (old != null) old.replaced = true;
    level(0).addFirst(entry);
  }

  void forget(NodeId subject) {
    Entry old = bySubject.remove(subject);
    if (old != null) old.replaced = true;
  }

  /**
   * Adds updates to a packet.
   *
   * @param room bytes left in it
   * @param limit how often one is sent in all
   */
  void fill(List<? super Update> packet, int room, int limit) {
    int left = room;
    int misfits = 0;
    List<Entry> sent = new ArrayList<>();
    List<Entry> tooLong = new ArrayList<>(MISFITS);
    for (ArrayDeque<Entry> level : bySendings) {
      if (level.isEmpty()) continue;
      while (left >= SHORTEST && misfits < MISFITS) {
        Entry entry = level.pollFirst();
        if (entry == null) break;
        if (entry.replaced) continue;
        if (entry.size > left) {
          misfits++;
          tooLong.add(entry);
          continue;
        }
        left -= entry.size;
        packet.add(entry.update);
        sent.add(entry);
      }
      while (!tooLong.isEmpty()) level.addFirst(tooLong.removeLast());
      if (left < SHORTEST || misfits >= MISFITS) break;
    }
    for (Entry entry : sent) {
      entry.sendings++;
      if (entry.sendings < limit) level(entry.sendings).addLast(entry);
      else bySubject.remove(entry.update.subject(), entry);
    }
  }

  private ArrayDeque<Entry> level(int sendings) {
    while (bySendings.size() <= sendings) bySendings.add(new ArrayDeque<>());
    return bySendings.get(sendings);
  }
}
