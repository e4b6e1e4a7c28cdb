package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;

/**
 * One link of the overlay, with the messages that the neighbour has not acknowledged yet. For each
 * neighbour a message of this node has one of three states: to be announced, unacknowledged (it was
 * pushed or announced), or received. Unacknowledged messages are announced again, so each link by
 * itself is reliable. A neighbour that acknowledges nothing counts as gone.
 */
final class Link {
  /** The bound of either table; anti-entropy repairs the loss of the oldest messages above it. */
  static final int MAX_OUTSTANDING = 10_000;

  /** No time: the message was neither pushed nor announced to the neighbour. */
  static final long NEVER_SENT = Long.MIN_VALUE;

  /** A message that the neighbour has not acknowledged. */
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

  /** Limits the origins that anti-entropy compares for the neighbour. */
  final RateLimiter syncOriginLimit;

  /** Limits the payload bytes that anti-entropy sends to the neighbour. */
  final RateLimiter syncByteLimit;

  /** True if this node chose the link; otherwise the neighbour requested it. */
  boolean chosen;

  /** The end of the neighbour's own request. */
  long requestedUntil;

  /** True if new trees start to push on this link. */
  boolean startsEager;

  long lastHeard;
  long lastGreeted;

  private final Map<BroadcastId, UnacknowledgedMessage> toAnnounce = new LinkedHashMap<>();
  private final Map<BroadcastId, UnacknowledgedMessage> unacknowledged = new LinkedHashMap<>();
  private List<BroadcastId> acks = new ArrayList<>();
  private long flushAt = Long.MAX_VALUE;

  /** The due time and the attempts of the oldest unacknowledged message, as every event asks. */
  private long repeatAt = Long.MAX_VALUE;

  private int oldestAttempts;

  private long pushedBytes;

  Link(
      NodeId id,
      String zone,
      int slot,
      PeerScore score,
      RateLimiter graftLimit,
      RateLimiter syncOriginLimit,
      RateLimiter syncByteLimit,
      long now) {
    this.id = id;
    this.zone = zone;
    this.slot = slot;
    this.score = score;
    this.graftLimit = graftLimit;
    this.syncOriginLimit = syncOriginLimit;
    this.syncByteLimit = syncByteLimit;
    this.lastHeard = now;
  }

  /** Records that the payload was sent; it is announced after the timeout. */
  void markPushed(TreeId tree, BroadcastId id, int hop, int bytes, long now, long timeout) {
    UnacknowledgedMessage before = unacknowledged.remove(id);
    if (before != null) releaseBytes(before);
    toAnnounce.remove(id);
    UnacknowledgedMessage message = new UnacknowledgedMessage(tree, hop, bytes, now);
    message.due = now + timeout;
    pushedBytes += bytes;
    unacknowledged.put(id, message);
    dropOldest(unacknowledged);
    updateOldest();
  }

  private void releaseBytes(UnacknowledgedMessage message) {
    pushedBytes -= message.bytes;
    if (pushedBytes < 0) {
      throw new IllegalStateException("pushed bytes of the link to " + this.id + " below 0");
    }
  }

  /** Queues an announcement; it waits at most the delay for others to share its IHave. */
  void announce(TreeId tree, BroadcastId id, int hop, long now, long delay) {
    if (unacknowledged.containsKey(id)) return;
    if (toAnnounce.putIfAbsent(id, new UnacknowledgedMessage(tree, hop, 0, now)) == null) {
      flushAt = Math.min(flushAt, now + delay);
      dropOldest(toAnnounce);
    }
  }

  private void dropOldest(Map<BroadcastId, UnacknowledgedMessage> map) {
    if (map.size() <= MAX_OUTSTANDING) return;
    Iterator<UnacknowledgedMessage> oldest = map.values().iterator();
    releaseBytes(oldest.next());
    oldest.remove();
  }

  void acknowledge(BroadcastId id, long now, long delay) {
    acks.add(id);
    flushAt = Math.min(flushAt, now + delay);
  }

  /**
   * Records that the neighbour has the message, as it showed itself.
   *
   * @return the time when this node first pushed or announced the message, which acknowledges it
   *     too; {@link #NEVER_SENT} if it did not, so the neighbour needs an acknowledgement
   */
  long markReceived(BroadcastId id) {
    toAnnounce.remove(id);
    UnacknowledgedMessage message = unacknowledged.remove(id);
    if (message == null) return NEVER_SENT;
    releaseBytes(message);
    updateOldest();
    return message.since;
  }

  boolean hasFullBatch(int batch) {
    return toAnnounce.size() >= batch || acks.size() >= PlumtreeCodec.MAX_IDS;
  }

  long deadline() {
    return Math.min(flushAt, repeatAt);
  }

  private void updateOldest() {
    UnacknowledgedMessage oldest =
        unacknowledged.isEmpty() ? null : unacknowledged.values().iterator().next();
    repeatAt = oldest == null ? Long.MAX_VALUE : oldest.due;
    oldestAttempts = oldest == null ? 0 : oldest.attempts;
  }

  List<BroadcastId> takeAcks() {
    List<BroadcastId> taken = acks;
    if (!taken.isEmpty()) acks = new ArrayList<>();
    if (toAnnounce.isEmpty()) flushAt = Long.MAX_VALUE;
    return taken;
  }

  /**
   * Takes the announcements that are due: first repeated ones, then new ones. They are
   * unacknowledged from now on.
   *
   * @param timeout the wait before an announcement is repeated
   * @param availability the time for which a payload can be fetched; older messages are dropped
   * @param atOnce also take new announcements that would still wait for others
   */
  List<Announcement> takeAnnouncements(
      int max, long now, long timeout, long availability, boolean atOnce) {
    if (repeatAt > now && (toAnnounce.isEmpty() || (flushAt > now && !atOnce))) return List.of();
    List<Announcement> lines = new ArrayList<>();
    for (Map.Entry<BroadcastId, UnacknowledgedMessage> e : takeDue(max, now, availability)) {
      lines.add(announceNow(e.getKey(), e.getValue(), now + timeout));
    }
    updateOldest();
    if (flushAt > now && !atOnce) return lines;
    Iterator<Map.Entry<BroadcastId, UnacknowledgedMessage>> fresh =
        toAnnounce.entrySet().iterator();
    while (lines.size() < max && fresh.hasNext()) {
      Map.Entry<BroadcastId, UnacknowledgedMessage> e = fresh.next();
      BroadcastId id = e.getKey();
      UnacknowledgedMessage message = e.getValue();
      fresh.remove();
      lines.add(announceNow(id, message, now + timeout));
    }
    if (toAnnounce.isEmpty()) flushAt = Long.MAX_VALUE;
    updateOldest();
    return lines;
  }

  /** Removes the unacknowledged messages that are due; returns those still available. */
  private List<Map.Entry<BroadcastId, UnacknowledgedMessage>> takeDue(
      int max, long now, long availability) {
    List<Map.Entry<BroadcastId, UnacknowledgedMessage>> again = new ArrayList<>();
    Iterator<Map.Entry<BroadcastId, UnacknowledgedMessage>> oldest =
        unacknowledged.entrySet().iterator();
    while (oldest.hasNext()) {
      Map.Entry<BroadcastId, UnacknowledgedMessage> e = oldest.next();
      UnacknowledgedMessage message = e.getValue();
      if (message.due > now || again.size() == max) break;
      if (now - message.since <= availability) again.add(Map.entry(e.getKey(), message));
      else releaseBytes(message);
      oldest.remove();
    }
    return again;
  }

  private Announcement announceNow(BroadcastId id, UnacknowledgedMessage message, long due) {
    message.attempts++;
    message.due = due;
    unacknowledged.put(id, message);
    dropOldest(unacknowledged);
    return new Announcement(message.tree, id, message.hop);
  }

  /** Returns whether a message was sent that often without any message from the neighbour since. */
  boolean isSilent(int attempts) {
    if (oldestAttempts < attempts) return false;
    for (UnacknowledgedMessage message : unacknowledged.values()) {
      // The oldest stand first; behind one that was sent less often there is none.
      if (message.attempts < attempts) return false;
      if (lastHeard <= message.since) return true;
    }
    return false;
  }

  boolean hasRoomFor(int bytes, long budget) {
    return pushedBytes + bytes <= budget || pushedBytes == 0;
  }

  int outstanding() {
    return unacknowledged.size() + toAnnounce.size();
  }

  /** Returns whether the neighbour may lack a message of this origin. */
  boolean hasUnacknowledgedFrom(NodeId origin) {
    return Stream.concat(unacknowledged.keySet().stream(), toAnnounce.keySet().stream())
        .anyMatch(id -> id.origin().equals(origin));
  }

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    long bytes = 0;
    for (Map.Entry<BroadcastId, UnacknowledgedMessage> e : unacknowledged.entrySet()) {
      bytes += e.getValue().bytes;
      if (toAnnounce.containsKey(e.getKey())) return e.getKey() + " is in both tables";
    }
    if (bytes != pushedBytes) return pushedBytes + " pushed bytes counted, " + bytes + " found";
    if (unacknowledged.size() > MAX_OUTSTANDING) return unacknowledged.size() + " unacknowledged";
    if (toAnnounce.size() > MAX_OUTSTANDING) return toAnnounce.size() + " to be announced";
    return null;
  }
}
