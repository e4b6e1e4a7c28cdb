package org.quorumail.gossip.plumtree;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;

/**
 * The payloads for grafts and anti-entropy; number, bytes and age are bounded, oldest out first.
 */
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
   * Adds a payload.
   *
   * @param pushed whether it came over a tree, without a graft
   */
  void put(Gossip message, boolean pushed, long now) {
    CachedMessage cached = new CachedMessage(message, now, pushed);
    bySource
        .computeIfAbsent(BroadcastSource.of(message.id()), s -> new TreeMap<>())
        .put(message.id().sequence(), cached);
    byAge.add(cached);
    bytes += message.payload().length;
    while (byAge.size() > maxMessages || (bytes > maxBytes && byAge.size() > 1)) dropOldest();
  }

  void expire(long now) {
    while (!byAge.isEmpty() && now - byAge.getFirst().since >= ttl) dropOldest();
  }

  private void dropOldest() {
    CachedMessage oldest = byAge.removeFirst();
    BroadcastId id = oldest.message.id();
    bytes -= oldest.message.payload().length;
    NavigableMap<Long, CachedMessage> sequences = bySource.get(BroadcastSource.of(id));
    if (sequences == null) return;
    sequences.remove(id.sequence());
    if (sequences.isEmpty()) bySource.remove(BroadcastSource.of(id));
  }

  Optional<Gossip> get(BroadcastId id) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(BroadcastSource.of(id));
    CachedMessage cached = sequences == null ? null : sequences.get(id.sequence());
    return cached == null ? Optional.empty() : Optional.of(cached.message);
  }

  /** Returns whether a cached payload came by a graft or by anti-entropy. */
  boolean cameOutsideTree(BroadcastId id) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(BroadcastSource.of(id));
    CachedMessage cached = sequences == null ? null : sequences.get(id.sequence());
    return cached != null && !cached.pushed;
  }

  /** The payloads of a source that were added by that time, in the order of their sequences. */
  List<Gossip> messagesOf(BroadcastSource source, long time) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(source);
    if (sequences == null) return List.of();
    return sequences.values().stream()
        .filter(cached -> cached.since <= time)
        .map(CachedMessage::message)
        .toList();
  }

  /** The lowest cached sequence of a source; 0 when there is none. */
  long oldest(BroadcastSource source) {
    NavigableMap<Long, CachedMessage> sequences = bySource.get(source);
    return sequences == null ? 0 : sequences.firstKey();
  }

  /** The newest payloads added since that time, the newest first. */
  List<Gossip> since(long time, int max) {
    List<Gossip> newest = new ArrayList<>();
    Iterator<CachedMessage> backwards = byAge.descendingIterator();
    while (newest.size() < max && backwards.hasNext()) {
      CachedMessage cached = backwards.next();
      if (cached.since < time) break;
      newest.add(cached.message);
    }
    return newest;
  }

  long deadline() {
    return byAge.isEmpty() ? Long.MAX_VALUE : byAge.getFirst().since + ttl;
  }

  int size() {
    return byAge.size();
  }

  /** The used share of the tighter bound: number or bytes. */
  double fillRatio() {
    return Math.max(byAge.size() / (double) maxMessages, bytes / (double) maxBytes);
  }

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    long found = 0;
    for (CachedMessage cached : byAge) found += cached.message.payload().length;
    if (found != bytes) return bytes + " cached bytes counted, " + found + " found";
    if (byAge.size() > maxMessages) return byAge.size() + " cached messages";
    if (bytes > maxBytes && byAge.size() > 1) return bytes + " cached bytes";
    int indexed = 0;
    for (NavigableMap<Long, CachedMessage> sequences : bySource.values()) {
      indexed += sequences.size();
    }
    return indexed == byAge.size() ? null : indexed + " indexed of " + byAge.size() + " cached";
  }
}
