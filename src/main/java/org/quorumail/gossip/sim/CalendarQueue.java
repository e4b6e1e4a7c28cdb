package org.quorumail.gossip.sim;

import java.util.Arrays;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A calendar queue of events: one bucket per millisecond of the next minute, and a tree for later
 * ones. Events are rows of arrays, so that ten million of them cost no objects. Events of equal
 * time keep their order.
 */
final class CalendarQueue {
  private static final int RING = 1 << 16;

  /** The first row of each bucket, 0 for none; rows are linked by {@link #next}. */
  private final int[] head = new int[RING];

  private final int[] tail = new int[RING];
  private final TreeMap<Long, int[]> later = new TreeMap<>();

  private int[] next = new int[1024];
  private int[] to = new int[1024];
  private int[] from = new int[1024];
  private byte[] kind = new byte[1024];
  private @Nullable Object[] payload = new Object[1024];
  private int free;
  private int rows = 1;
  private long now;
  private long size;

  /** The handler of one event. */
  interface Handler {
    void event(byte kind, int to, int from, @Nullable Object payload);
  }

  long now() {
    return now;
  }

  long size() {
    return size;
  }

  void add(long at, byte kindOf, int toNode, int fromNode, @Nullable Object carried) {
    int row = row();
    kind[row] = kindOf;
    to[row] = toNode;
    from[row] = fromNode;
    payload[row] = carried;
    next[row] = 0;
    size++;
    long when = Math.max(at, now);
    if (when - now < RING) link((int) (when & (RING - 1)), row);
    else later.merge(when, new int[] {row}, CalendarQueue::concat);
  }

  private void link(int bucket, int row) {
    if (head[bucket] == 0) head[bucket] = row;
    else next[tail[bucket]] = row;
    tail[bucket] = row;
  }

  private static int[] concat(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private int row() {
    if (free != 0) {
      int row = free;
      free = next[row];
      return row;
    }
    if (rows == next.length) {
      int larger = rows * 2;
      next = Arrays.copyOf(next, larger);
      to = Arrays.copyOf(to, larger);
      from = Arrays.copyOf(from, larger);
      kind = Arrays.copyOf(kind, larger);
      payload = Arrays.copyOf(payload, larger);
    }
    return rows++;
  }

  /** Handles all events up to and including a time. */
  void run(long until, Handler handler) {
    while (now <= until) {
      int bucket = (int) (now & (RING - 1));
      while (head[bucket] != 0) {
        int row = head[bucket];
        head[bucket] = next[row];
        Object carried = payload[row];
        byte what = kind[row];
        int target = to[row];
        int source = from[row];
        payload[row] = null;
        next[row] = free;
        free = row;
        if (--size < 0) throw new IllegalStateException("more events were handled than added");
        handler.event(what, target, source, carried);
      }
      if (now == until) return;
      now++;
      long horizon = now + RING - 1;
      while (!later.isEmpty() && later.firstKey() <= horizon) {
        var due = later.pollFirstEntry();
        for (int row : due.getValue()) link((int) (due.getKey() & (RING - 1)), row);
      }
    }
  }
}
