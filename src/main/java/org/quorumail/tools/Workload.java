package org.quorumail.tools;

import java.util.OptionalDouble;

/**
 * The messages of one run and the clients that send them.
 *
 * @param sessions clients at once
 * @param size bytes of each message, header included
 * @param rate messages per second over all sessions; empty: as fast as replies come
 */
public record Workload(
    int sessions, int messages, int size, OptionalDouble rate, String from, String recipient) {
  private static final int DEFAULT_SESSIONS = 20;
  private static final int DEFAULT_SIZE = 4096;

  /** A workload without a rate limit. */
  public static Workload of(int sessions, int messages, int size) {
    return new Workload(
        sessions,
        messages,
        size,
        OptionalDouble.empty(),
        "sender@bench.test",
        "recipient@sink.test");
  }

  /** A workload that lasts long enough for several faults; a rate of 0 is no limit. */
  public static Workload atRate(int messages, double perSecond) {
    return of(DEFAULT_SESSIONS, messages, DEFAULT_SIZE).withRate(perSecond);
  }

  public Workload withRate(double perSecond) {
    OptionalDouble changed = perSecond > 0 ? OptionalDouble.of(perSecond) : OptionalDouble.empty();
    return new Workload(sessions, messages, size, changed, from, recipient);
  }

  Workload withMessages(int changed) {
    return new Workload(sessions, changed, size, rate, from, recipient);
  }

  /** The nanosecond after the start of a run at which a message is due; 0 without a rate. */
  long dueNanos(int number) {
    return rate.isPresent() ? (long) (number / rate.getAsDouble() * 1e9) : 0;
  }
}
