package org.quorumail.tools;

import java.util.OptionalDouble;

/**
 * What is sent.
 *
 * @param rate messages per second over all sessions; empty: as fast as answers come
 */
public record Workload(
    int sessions, int messages, int size, OptionalDouble rate, String from, String recipient) {
  public static Workload of(int sessions, int messages, int size) {
    return new Workload(
        sessions,
        messages,
        size,
        OptionalDouble.empty(),
        "sender@bench.test",
        "recipient@sink.test");
  }
}
