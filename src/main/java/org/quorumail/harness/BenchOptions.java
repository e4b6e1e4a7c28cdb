package org.quorumail.harness;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What {@link Bench} is to send, and where.
 *
 * @param reuse many messages per connection instead of one
 * @param pipelining MAIL, RCPT and DATA in one packet (RFC 2920) instead of strict turns
 * @param rate messages per second over all sessions; empty: as fast as answers come
 * @param warmUp load of the same kind before the measured run, not counted
 * @param sinkPort runs a {@link Sink} there and measures until it has got everything
 */
public record BenchOptions(
    List<InetSocketAddress> targets,
    int sessions,
    int messages,
    int size,
    boolean reuse,
    boolean pipelining,
    OptionalDouble rate,
    String from,
    String recipient,
    Duration warmUp,
    OptionalInt sinkPort,
    Duration timeout,
    OutputFormat format) {

  public static BenchOptions to(InetSocketAddress... targets) {
    return new BenchOptions(
        List.of(targets),
        20,
        10_000,
        4096,
        false,
        false,
        OptionalDouble.empty(),
        "sender@bench.test",
        "recipient@bench.test",
        Duration.ZERO,
        OptionalInt.empty(),
        Duration.ofMinutes(10),
        OutputFormat.TEXT);
  }

  public BenchOptions withLoad(int changedSessions, int changedMessages, int changedSize) {
    return new BenchOptions(
        targets,
        changedSessions,
        changedMessages,
        changedSize,
        reuse,
        pipelining,
        rate,
        from,
        recipient,
        warmUp,
        sinkPort,
        timeout,
        format);
  }

  public BenchOptions withConnections(boolean reused, boolean pipelined) {
    return new BenchOptions(
        targets, sessions, messages, size, reused, pipelined, rate, from, recipient, warmUp,
        sinkPort, timeout, format);
  }

  public BenchOptions withSink(int port) {
    return new BenchOptions(
        targets,
        sessions,
        messages,
        size,
        reuse,
        pipelining,
        rate,
        from,
        recipient,
        warmUp,
        OptionalInt.of(port),
        timeout,
        format);
  }

  public BenchOptions withTimeout(Duration changed) {
    return new BenchOptions(
        targets,
        sessions,
        messages,
        size,
        reuse,
        pipelining,
        rate,
        from,
        recipient,
        warmUp,
        sinkPort,
        changed,
        format);
  }
}
