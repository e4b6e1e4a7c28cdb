package org.quorumail.cluster;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The last events of the cluster that this node received, numbered from 1 in the order of their
 * arrival. Thread-safe.
 */
public final class ClusterEventLog {
  /** Some hours of an ordinary cluster, some hundred KiB; followers read events at once. */
  private static final int CAPACITY = 1_000;

  private final ArrayDeque<ReceivedEvent> events = new ArrayDeque<>();
  private long last;

  /** An event and its number, by which a reader names its position. */
  public record NumberedEvent(long number, ClusterEvent event) {}

  private record ReceivedEvent(NumberedEvent numbered, long receivedNanos) {
    ClusterEvent event() {
      return numbered.event;
    }

    Instant eventTime() {
      try {
        return Instant.parse(event().time());
      } catch (DateTimeParseException e) {
        return Instant.EPOCH; // written by another version
      }
    }
  }

  /** Appends an event and wakes waiting readers. */
  public synchronized void add(ClusterEvent event) {
    events.addLast(new ReceivedEvent(new NumberedEvent(++last, event), System.nanoTime()));
    if (events.size() > CAPACITY) events.removeFirst();
    notifyAll();
  }

  /** The number of the newest event; 0 when there was none. */
  public synchronized long last() {
    return last;
  }

  /**
   * The events of tasks that have begun and not ended, as far as the received events show.
   *
   * @param begin the type of the event at its begin; {@code end}: at its end
   * @param subject the detail that names the subject: a node may run several tasks at once
   * @param atMost begins that were received longer ago do not count: the node may have died
   */
  public synchronized List<ClusterEvent> inProgress(
      String begin, String end, String subject, Duration atMost) {
    Map<List<String>, ReceivedEvent> latest = new HashMap<>();
    for (ReceivedEvent e : events) {
      String type = e.event().type();
      if (!type.equals(begin) && !type.equals(end)) continue;
      String what = e.event().details().getOrDefault(subject, "");
      // the clock of the publishing node gives the order: broadcasts may overtake each other
      latest.merge(
          List.of(e.event().node(), what),
          e,
          (x, y) -> y.eventTime().isBefore(x.eventTime()) ? x : y);
    }
    long since = System.nanoTime() - atMost.toNanos();
    return latest.values().stream()
        .filter(e -> e.event().type().equals(begin) && e.receivedNanos - since > 0)
        .map(ReceivedEvent::event)
        .toList();
  }

  /**
   * Returns events behind the given number, oldest first; waits for one if there is none.
   *
   * @param timeout none are returned after that
   */
  public synchronized List<NumberedEvent> after(long number, Duration timeout)
      throws InterruptedException {
    long from = number > last ? 0 : number; // a number from before a restart
    long until = System.nanoTime() + timeout.toNanos();
    while (last <= from) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) return List.of();
      wait(left);
    }
    List<NumberedEvent> found = new ArrayList<>();
    for (ReceivedEvent e : events) {
      if (e.numbered.number > from) found.add(e.numbered);
    }
    return found;
  }
}
