package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.List;

/**
 * What is to happen later, in order; equal times in the order they were set. A binary heap whose
 * timers know their places: one that is cancelled is gone at once. Most are, for most probes are
 * answered and most suspicions confirmed, long before their time.
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

  /** Does nothing when its time has come already. */
  void cancel(Timer timer) {
    int hole = timer.index;
    if (hole == NOT_QUEUED) return;
    timer.index = NOT_QUEUED;
    Timer last = heap.removeLast();
    if (last == timer) return;
    if (hole > 0 && last.isBefore(heap.get((hole - 1) / 2))) siftUp(last, hole);
    else siftDown(last, hole);
  }

  /** Far in the future when nothing waits. */
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

  /** The clock stood still for this process: everything waits that much longer. */
  void postpone(long millis) {
    // all alike, so the heap's order stays right
    for (Timer timer : heap) timer.at += millis;
  }

  int size() {
    return heap.size();
  }

  private void siftUp(Timer timer, int from) {
    int place = from;
    while (place > 0) {
      int parent = (place - 1) / 2;
      if (!timer.isBefore(heap.get(parent))) break;
      put(heap.get(parent), place);
      place = parent;
    }
    put(timer, place);
  }

  private void siftDown(Timer timer, int from) {
    int place = from;
    while (2 * place + 1 < heap.size()) {
      int child = 2 * place + 1;
      if (child + 1 < heap.size() && heap.get(child + 1).isBefore(heap.get(child))) child++;
      if (!heap.get(child).isBefore(timer)) break;
      put(heap.get(child), place);
      place = child;
    }
    put(timer, place);
  }

  private void put(Timer timer, int place) {
    heap.set(place, timer);
    timer.index = place;
  }
}
