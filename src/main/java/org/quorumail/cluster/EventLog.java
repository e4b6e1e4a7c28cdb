package org.quorumail.cluster;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The last events of the cluster as this node heard them, numbered from 1 as they came. */
public final class EventLog {
  /** Some hours of an ordinary cluster, some hundred KiB; who follows reads them at once. */
  private static final int KEPT = 1_000;

  private final ArrayDeque<Numbered> events = new ArrayDeque<>();
  private long last;

  /** An event and its place, by which a reader says how far it is. */
  public record Numbered(long number, ClusterEvent event) {}

  /** Appends it and wakes who waits. */
  public synchronized void add(ClusterEvent event) {
    events.addLast(new Numbered(++last, event));
    if (events.size() > KEPT) events.removeFirst();
    notifyAll();
  }

  /** The number of the newest event; 0 when there was none. */
  public synchronized long last() {
    return last;
  }

  /**
   * Events behind the given number, oldest first; waits for one if there is none.
   *
   * @param patience none are returned after that
   */
  public synchronized List<Numbered> after(long number, Duration patience)
      throws InterruptedException {
    long from = number > last ? 0 : number; // a number of the node's former life
    long until = System.nanoTime() + patience.toNanos();
    while (last <= from) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) return List.of();
      wait(left);
    }
    List<Numbered> found = new ArrayList<>();
    for (Numbered e : events) {
      if (e.number > from) found.add(e);
    }
    return found;
  }
}
