package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;

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
  static final long NEVER_SENT = Long.MIN_VALUE;

  /** What the neighbour has not acknowledged. */
  private static final class UnacknowledgedMessage {
    final TreeId tree;
    final int hop;
    final int bytes;
    final long since;
    int attempts;
    long due;

    UnacknowledgedMessage(TreeId tree, int hop, int bytes, long now) {
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
  final RateLimiter graftLimit;

  /** Origins that it may have compared, and bytes that it may be given by anti-entropy. */
  final RateLimiter syncOriginLimit;

  final RateLimiter syncByteLimit;

  /** Whether our overlay wants it. Otherwise the neighbour asked for it. */
  boolean chosen;

  /** Until when the neighbour's own wish holds. */
  long requestedUntil;

  /** Whether new trees start to push here. */
  boolean startsEager;

  long lastHeard;
  long lastGreeted;

  private final Map<BroadcastId, UnacknowledgedMessage> toAnnounce = new LinkedHashMap<>();
  private final Map<BroadcastId, UnacknowledgedMessage> unacknowledged = new LinkedHashMap<>();
  private List<BroadcastId> acks = new ArrayList<>();
  private long flushAt = Long.MAX_VALUE;

  /** When the eldest of what was told is due, and how often it was told: asked at every event. */
  private long repeatAt = Long.MAX_VALUE;

  private int oldestAttempts;

  private long pushedBytes;
  private long dropped;

  Link(
      NodeId id,
      String zone,
      int slot,
      PeerScore score,
      RateLimiter grafts,
      RateLimiter comparisons,
      RateLimiter gifts,
      long now) {
    this.id = id;
    this.zone = zone;
    this.slot = slot;
    this.score = score;
    this.graftLimit = grafts;
    this.syncOriginLimit = comparisons;
    this.syncByteLimit = gifts;
    this.lastHeard = now;
  }

  /** The payload went out; it counts as told. */
  void markPushed(TreeId tree, BroadcastId message, int hop, int bytes, long now, long patience) {
    UnacknowledgedMessage before = unacknowledged.remove(message);
    if (before != null) pushedBytes -= before.bytes;
    toAnnounce.remove(message);
    UnacknowledgedMessage t = new UnacknowledgedMessage(tree, hop, bytes, now);
    t.due = now + patience;
    pushedBytes += bytes;
    unacknowledged.put(message, t);
    dropOldest(unacknowledged);
    updateOldest();
  }

  void announce(TreeId tree, BroadcastId message, int hop, long now, long delay) {
    if (unacknowledged.containsKey(message)) return;
    if (toAnnounce.putIfAbsent(message, new UnacknowledgedMessage(tree, hop, 0, now)) == null) {
      flushAt = Math.min(flushAt, now + delay);
      dropOldest(toAnnounce);
    }
  }

  private void dropOldest(Map<BroadcastId, UnacknowledgedMessage> map) {
    if (map.size() <= MAX_OUTSTANDING) return;
    Iterator<UnacknowledgedMessage> eldest = map.values().iterator();
    pushedBytes -= eldest.next().bytes;
    eldest.remove();
    dropped++;
  }

  void acknowledge(BroadcastId message, long now, long delay) {
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
  long markReceived(BroadcastId message) {
    toAnnounce.remove(message);
    UnacknowledgedMessage t = unacknowledged.remove(message);
    if (t == null) return NEVER_SENT;
    pushedBytes -= t.bytes;
    updateOldest();
    return t.since;
  }

  boolean hasFullBatch(int batch) {
    return toAnnounce.size() >= batch || acks.size() >= PlumtreeCodec.MAX_IDS;
  }

  long deadline() {
    return Math.min(flushAt, repeatAt);
  }

  private void updateOldest() {
    UnacknowledgedMessage eldest =
        unacknowledged.isEmpty() ? null : unacknowledged.values().iterator().next();
    repeatAt = eldest == null ? Long.MAX_VALUE : eldest.due;
    oldestAttempts = eldest == null ? 0 : eldest.attempts;
  }

  List<BroadcastId> takeAcks() {
    List<BroadcastId> taken = acks;
    if (!taken.isEmpty()) acks = new ArrayList<>();
    if (toAnnounce.isEmpty()) flushAt = Long.MAX_VALUE;
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
    if (repeatAt > now && (toAnnounce.isEmpty() || (flushAt > now && !atOnce))) return List.of();
    List<Announcement> lines = new ArrayList<>();
    for (Map.Entry<BroadcastId, UnacknowledgedMessage> e : takeDue(max, now, offer)) {
      announceNow(e.getKey(), e.getValue(), lines, now, patience);
    }
    updateOldest();
    if (flushAt > now && !atOnce) return lines;
    Iterator<Map.Entry<BroadcastId, UnacknowledgedMessage>> fresh =
        toAnnounce.entrySet().iterator();
    while (lines.size() < max && fresh.hasNext()) {
      Map.Entry<BroadcastId, UnacknowledgedMessage> e = fresh.next();
      BroadcastId message = e.getKey();
      UnacknowledgedMessage t = e.getValue();
      fresh.remove();
      announceNow(message, t, lines, now, patience);
    }
    if (toAnnounce.isEmpty()) flushAt = Long.MAX_VALUE;
    updateOldest();
    return lines;
  }

  /** What was told in vain, can still be had, and is due; they leave the table. */
  private List<Map.Entry<BroadcastId, UnacknowledgedMessage>> takeDue(
      int max, long now, long offer) {
    List<Map.Entry<BroadcastId, UnacknowledgedMessage>> again = new ArrayList<>();
    Iterator<Map.Entry<BroadcastId, UnacknowledgedMessage>> eldest =
        unacknowledged.entrySet().iterator();
    while (eldest.hasNext()) {
      Map.Entry<BroadcastId, UnacknowledgedMessage> e = eldest.next();
      UnacknowledgedMessage t = e.getValue();
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

  private void announceNow(
      BroadcastId message,
      UnacknowledgedMessage t,
      List<Announcement> lines,
      long now,
      long patience) {
    t.attempts++;
    t.due = now + patience;
    unacknowledged.put(message, t);
    lines.add(new Announcement(t.tree, message, t.hop));
  }

  /** Whether something was told that often and nothing at all came back since. */
  boolean isSilent(int times) {
    if (oldestAttempts < times) return false;
    for (UnacknowledgedMessage t : unacknowledged.values()) {
      if (t.attempts >= times && lastHeard <= t.since) return true;
      // The longest waiting stands first among equals; one look is enough.
      if (t.attempts < times) return false;
    }
    return false;
  }

  boolean hasRoomFor(int bytes, long budget) {
    return pushedBytes + bytes <= budget || pushedBytes == 0;
  }

  int outstanding() {
    return unacknowledged.size() + toAnnounce.size();
  }

  /** Whether a message of this origin is not acknowledged. */
  boolean hasUnacknowledgedFrom(NodeId origin) {
    return Stream.concat(unacknowledged.keySet().stream(), toAnnounce.keySet().stream())
        .anyMatch(message -> message.origin().equals(origin));
  }

  int toAnnounce() {
    return toAnnounce.size();
  }

  long dropped() {
    return dropped;
  }
}
