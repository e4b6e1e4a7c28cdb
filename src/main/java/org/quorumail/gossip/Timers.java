package org.quorumail.gossip;

import java.util.PriorityQueue;

/** What is to happen later, in order; equal times in the order they were set. */
final class Timers {
  private final PriorityQueue<Timer> queue = new PriorityQueue<>();
  private long sequence;

  static final class Timer implements Comparable<Timer> {
    private long at;
    private final long sequence;
    private final Runnable action;
    private boolean cancelled;

    private Timer(long at, long sequence, Runnable action) {
      this.at = at;
      this.sequence = sequence;
      this.action = action;
    }

    void cancel() {
      cancelled = true;
    }

    @Override
    public int compareTo(Timer other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(sequence, other.sequence);
    }
  }

  Timer set(long at, Runnable action) {
    Timer timer = new Timer(at, sequence++, action);
    queue.add(timer);
    return timer;
  }

  /** Far in the future when nothing waits. */
  long next() {
    while (true) {
      Timer first = queue.peek();
      if (first == null) return Long.MAX_VALUE;
      if (!first.cancelled) return first.at;
      queue.poll();
    }
  }

  void run(long now) {
    while (next() <= now) {
      Timer due = queue.poll();
      if (due != null) due.action.run();
    }
  }

  /** The clock stood still for this process: everything waits that much longer. */
  void postpone(long millis) {
    // all alike, so the heap's order stays right
    for (Timer timer : queue) timer.at += millis;
  }

  void clear() {
    queue.clear();
  }
}
