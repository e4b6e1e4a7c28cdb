package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.quorumail.gossip.PlumtreeMessage.Announcement;

/**
 * One link of the overlay, with what the neighbour has not yet acknowledged. Every id that this
 * node has is, for every neighbour, in one of three states: to be told, told and unacknowledged
 * (pushed or announced), or known to be there. What is unacknowledged is announced again until it
 * is, so each link by itself is reliable; a neighbour that acknowledges nothing is not there.
 */
final class Link {
  /** Announcements kept per neighbour; what falls out is left to anti-entropy. */
  static final int MAX_OUTSTANDING = 10_000;

  /** No time: the neighbour was never told. */
  static final long UNTOLD = Long.MIN_VALUE;

  /** What the neighbour has not acknowledged. */
  private static final class Told {
    final TreeId tree;
    final int hop;
    final int bytes;
    final long since;
    int times;
    long due;

    Told(TreeId tree, int hop, int bytes, long now) {
      this.tree = tree;
      this.hop = hop;
      this.bytes = bytes;
      this.since = now;
    }
  }

  final NodeId id;
  final String zone;
  final int slot;
  final PeerScore score;
  final RateLimit grafts;

  /** Origins that it may have compared, and bytes that it may be given by anti-entropy. */
  final RateLimit comparisons;

  final RateLimit gifts;

  /** Whether our overlay wants it. Otherwise the neighbour asked for it. */
  boolean chosen;

  /** Until when the neighbour's own wish holds. */
  long wantedUntil;

  /** Whether new trees start to push here. */
  boolean startsEager;

  long lastHeard;
  long lastGreeted;

  private final Map<MessageId, Told> toTell = new LinkedHashMap<>();
  private final Map<MessageId, Told> told = new LinkedHashMap<>();
  private List<MessageId> acks = new ArrayList<>();
  private long flushAt = Long.MAX_VALUE;

  /** When the eldest of what was told is due, and how often it was told: asked at every event. */
  private long repeatAt = Long.MAX_VALUE;

  private int eldestTimes;

  private long pushedBytes;
  private long dropped;

  Link(
      NodeId id,
      String zone,
      int slot,
      PeerScore score,
      RateLimit grafts,
      RateLimit comparisons,
      RateLimit gifts,
      long now) {
    this.id = id;
    this.zone = zone;
    this.slot = slot;
    this.score = score;
    this.grafts = grafts;
    this.comparisons = comparisons;
    this.gifts = gifts;
    this.lastHeard = now;
  }

  /** The payload went out; it counts as told. */
  void pushed(TreeId tree, MessageId message, int hop, int bytes, long now, long patience) {
    Told before = told.remove(message);
    if (before != null) pushedBytes -= before.bytes;
    toTell.remove(message);
    Told t = new Told(tree, hop, bytes, now);
    t.due = now + patience;
    pushedBytes += bytes;
    told.put(message, t);
    dropEldest(told);
    eldestChanged();
  }

  void announce(TreeId tree, MessageId message, int hop, long now, long delay) {
    if (told.containsKey(message)) return;
    if (toTell.putIfAbsent(message, new Told(tree, hop, 0, now)) == null) {
      flushAt = Math.min(flushAt, now + delay);
      dropEldest(toTell);
    }
  }

  private void dropEldest(Map<MessageId, Told> map) {
    if (map.size() <= MAX_OUTSTANDING) return;
    Iterator<Told> eldest = map.values().iterator();
    pushedBytes -= eldest.next().bytes;
    eldest.remove();
    dropped++;
  }

  void acknowledge(MessageId message, long now, long delay) {
    acks.add(message);
    flushAt = Math.min(flushAt, now + delay);
  }

  /**
   * The neighbour has it, by its own word.
   *
   * @return when we first told the neighbour, if our word is under way or was acknowledged by this
   *     one: then the neighbour needs no acknowledgement, ours says the same; otherwise {@link
   *     #UNTOLD}
   */
  long has(MessageId message) {
    toTell.remove(message);
    Told t = told.remove(message);
    if (t == null) return UNTOLD;
    pushedBytes -= t.bytes;
    eldestChanged();
    return t.since;
  }

  boolean hasFullBatch(int batch) {
    return toTell.size() >= batch || acks.size() >= PlumtreeCodec.MAX_IDS;
  }

  long deadline() {
    return Math.min(flushAt, repeatAt);
  }

  private void eldestChanged() {
    Told eldest = told.isEmpty() ? null : told.values().iterator().next();
    repeatAt = eldest == null ? Long.MAX_VALUE : eldest.due;
    eldestTimes = eldest == null ? 0 : eldest.times;
  }

  List<MessageId> takeAcks() {
    List<MessageId> taken = acks;
    if (!taken.isEmpty()) acks = new ArrayList<>();
    if (toTell.isEmpty()) flushAt = Long.MAX_VALUE;
    return taken;
  }

  /**
   * What is to be announced now, and from now on counts as told: first what was told in vain, then
   * what is new.
   *
   * @param patience until it is announced again
   * @param offer how long a message can be had; what is older is announced no more
   * @param atOnce also what is new and would wait for company
   */
  List<Announcement> takeAnnouncements(
      int max, long now, long patience, long offer, boolean atOnce) {
    if (repeatAt > now && (toTell.isEmpty() || (flushAt > now && !atOnce))) return List.of();
    List<Announcement> lines = new ArrayList<>();
    for (Map.Entry<MessageId, Told> e : takeDue(max, now, offer)) {
      tell(e.getKey(), e.getValue(), lines, now, patience);
    }
    eldestChanged();
    if (flushAt > now && !atOnce) return lines;
    Iterator<Map.Entry<MessageId, Told>> fresh = toTell.entrySet().iterator();
    while (lines.size() < max && fresh.hasNext()) {
      Map.Entry<MessageId, Told> e = fresh.next();
      MessageId message = e.getKey();
      Told t = e.getValue();
      fresh.remove();
      tell(message, t, lines, now, patience);
    }
    if (toTell.isEmpty()) flushAt = Long.MAX_VALUE;
    eldestChanged();
    return lines;
  }

  /** What was told in vain, can still be had, and is due; they leave the table. */
  private List<Map.Entry<MessageId, Told>> takeDue(int max, long now, long offer) {
    List<Map.Entry<MessageId, Told>> again = new ArrayList<>();
    Iterator<Map.Entry<MessageId, Told>> eldest = told.entrySet().iterator();
    while (eldest.hasNext()) {
      Map.Entry<MessageId, Told> e = eldest.next();
      Told t = e.getValue();
      if (t.due > now || again.size() == max) break;
      if (now - t.since <= offer) {
        again.add(Map.entry(e.getKey(), t));
      } else {
        pushedBytes -= t.bytes;
        dropped++;
      }
      eldest.remove();
    }
    return again;
  }

  private void tell(MessageId message, Told t, List<Announcement> lines, long now, long patience) {
    t.times++;
    t.due = now + patience;
    told.put(message, t);
    lines.add(new Announcement(t.tree, message, t.hop));
  }

  /** Whether something was told that often and nothing at all came back since. */
  boolean isSilent(int times) {
    if (eldestTimes < times) return false;
    for (Told t : told.values()) {
      if (t.times >= times && lastHeard <= t.since) return true;
      // The longest waiting stands first among equals; one look is enough.
      if (t.times < times) return false;
    }
    return false;
  }

  boolean hasRoomFor(int bytes, long budget) {
    return pushedBytes + bytes <= budget || pushedBytes == 0;
  }

  int outstanding() {
    return told.size() + toTell.size();
  }

  /** Whether a message of this origin is not acknowledged. */
  boolean owes(NodeId origin) {
    return Stream.concat(told.keySet().stream(), toTell.keySet().stream())
        .anyMatch(message -> message.origin().equals(origin));
  }

  int toTell() {
    return toTell.size();
  }

  long dropped() {
    return dropped;
  }
}
