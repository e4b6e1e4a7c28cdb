package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.List;

/**
 * The pending timers by time; equal times run in the order in which they were set. It is a binary
 * heap whose timers know their indexes, so a cancelled timer is removed at once. Most timers are
 * cancelled: most probes are answered and most suspicions confirmed long before their time.
 */
final class TimerQueue {
  private static final int NOT_QUEUED = -1;

  private final List<Timer> heap = new ArrayList<>();
  private long sequence;

  static final class Timer {
    private long at;
    private final long sequence;
    private final Runnable action;
    private int index = NOT_QUEUED;

    private Timer(long at, long sequence, Runnable action) {
      this.at = at;
      this.sequence = sequence;
      this.action = action;
    }

    private boolean isBefore(Timer other) {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  }

  Timer set(long at, Runnable action) {
    Timer timer = new Timer(at, sequence++, action);
    heap.add(timer);
    siftUp(timer, heap.size() - 1);
    return timer;
  }

  /** Removes a timer; does nothing when it has run already. */
  void cancel(Timer timer) {
    int hole = timer.index;
    if (hole == NOT_QUEUED) return;
    timer.index = NOT_QUEUED;
    Timer last = heap.removeLast();
    if (last == timer) return;
    if (hole > 0 && last.isBefore(heap.get((hole - 1) / 2))) siftUp(last, hole);
    else siftDown(last, hole);
  }

  /** The time of the first timer; {@code Long.MAX_VALUE} when there is none. */
  long deadline() {
    return heap.isEmpty() ? Long.MAX_VALUE : heap.getFirst().at;
  }

  void run(long now) {
    while (deadline() <= now) {
      Timer due = heap.getFirst();
      cancel(due);
      due.action.run();
    }
  }

  /** Moves all timers into the future, by the pause of this process. */
  void postpone(long millis) {
    // all by the same amount, so the heap's order stays right
    for (Timer timer : heap) timer.at += millis;
  }

  int size() {
    return heap.size();
  }

  private void siftUp(Timer timer, int from) {
    int index = from;
    while (index > 0) {
      int parent = (index - 1) / 2;
      if (!timer.isBefore(heap.get(parent))) break;
      put(heap.get(parent), index);
      index = parent;
    }
    put(timer, index);
  }

  private void siftDown(Timer timer, int from) {
    int index = from;
    while (2 * index + 1 < heap.size()) {
      int child = 2 * index + 1;
      if (child + 1 < heap.size() && heap.get(child + 1).isBefore(heap.get(child))) child++;
      if (!heap.get(child).isBefore(timer)) break;
      put(heap.get(child), index);
      index = child;
    }
    put(timer, index);
  }

  private void put(Timer timer, int index) {
    heap.set(index, timer);
    timer.index = index;
  }
}
