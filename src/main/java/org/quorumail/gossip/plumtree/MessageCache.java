package org.quorumail.gossip.plumtree;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;

/** Payloads for grafts and anti-entropy, oldest out first; bounded by number, bytes and age. */
final class MessageCache {
  private record CachedMessage(Gossip message, long since, boolean pushed) {}

  private final int maxMessages;
  private final long maxBytes;
  private final long ttl;
  private final Map<BroadcastSource, NavigableMap<Long, CachedMessage>> bySource = new HashMap<>();
  private final ArrayDeque<CachedMessage> byAge = new ArrayDeque<>();
  private long bytes;

  MessageCache(int maxMessages, long maxBytes, long ttlMillis) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
    this.ttl = ttlMillis;
  }

  /**
   * @param pushed whether it came over a tree, unasked
   */
  void put(Gossip message, boolean pushed, long now) {
    CachedMessage kept = new CachedMessage(message, now, pushed);
    bySource
        .computeIfAbsent(BroadcastSource.of(message.id()), s -> new TreeMap<>())
        .put(message.id().sequence(), kept);
    byAge.add(kept);
    bytes += message.payload().length;
    while (byAge.size() > maxMessages || (bytes > maxBytes && byAge.size() > 1)) dropOldest();
  }

  void expire(long now) {
    while (!byAge.isEmpty() && now - byAge.getFirst().since >= ttl) dropOldest();
  }

  private void dropOldest() {
    CachedMessage eldest = byAge.removeFirst();
    BroadcastId id = eldest.message.id();
    bytes -= eldest.message.payload().length;
    NavigableMap<Long, CachedMessage> sequences = bySource.get(BroadcastSource.of(id));
    if (sequences == null) return;
    sequences.remove(id.sequence());
    if (sequences.isEmpty()) bySource.remove(BroadcastSource.of(id));
  }

  Optional<Gossip> get(BroadcastId id) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(BroadcastSource.of(id));
    CachedMessage kept = sequences == null ? null : sequences.get(id.sequence());
    return kept == null ? Optional.empty() : Optional.of(kept.message);
  }

  /** Whether it is known to have come otherwise than pushed over a tree. */
  boolean cameOutsideTree(BroadcastId id) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(BroadcastSource.of(id));
    CachedMessage kept = sequences == null ? null : sequences.get(id.sequence());
    return kept != null && !kept.pushed;
  }

  /** All of one source that were here at a moment, in its order. */
  List<Gossip> messagesOf(BroadcastSource source, long moment) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(source);
    if (sequences == null) return List.of();
    return sequences.values().stream()
        .filter(kept -> kept.since <= moment)
        .map(CachedMessage::message)
        .toList();
  }

  /** The lowest sequence of a source; 0 when there is none. */
  long oldest(BroadcastSource source) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(source);
    return sequences == null ? 0 : sequences.firstKey();
  }

  /** The newest ones that are not older than that, newest first. */
  List<Gossip> since(long moment, int max) {
    List<Gossip> newest = new ArrayList<>();
    var backwards = byAge.descendingIterator();
    while (newest.size() < max && backwards.hasNext()) {
      CachedMessage kept = backwards.next();
      if (kept.since < moment) break;
      newest.add(kept.message);
    }
    return newest;
  }

  long deadline() {
    return byAge.isEmpty() ? Long.MAX_VALUE : byAge.getFirst().since + ttl;
  }

  int size() {
    return byAge.size();
  }

  /** Share of the tighter of its two bounds. */
  double fillRatio() {
    return Math.max(byAge.size() / (double) maxMessages, bytes / (double) maxBytes);
  }
}
