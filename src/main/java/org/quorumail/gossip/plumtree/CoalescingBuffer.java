package org.quorumail.gossip.plumtree;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values that wait for their broadcast; a later value of a key replaces an earlier one. */
final class CoalescingBuffer {
  private static final int MAX_KEYS = 1_024;

  private final Map<String, byte[]> values = new LinkedHashMap<>();
  private long due = Long.MAX_VALUE;

  /** Adds a value; returns false when there are too many keys. */
  boolean put(String key, byte[] value, long at) {
    if (values.size() >= MAX_KEYS && !values.containsKey(key)) return false;
    values.put(key, value);
    due = Math.min(due, at);
    return true;
  }

  List<byte[]> takeDue(long now) {
    if (now < due) return List.of();
    due = Long.MAX_VALUE;
    List<byte[]> taken = List.copyOf(values.values());
    values.clear();
    return taken;
  }

  boolean isEmpty() {
    return values.isEmpty();
  }

  long deadline() {
    return due;
  }
}
