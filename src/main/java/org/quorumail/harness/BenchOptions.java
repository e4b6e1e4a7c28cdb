package org.quorumail.harness;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What {@link Bench} is to send, and where.
 *
 * @param warmUp load of the same kind before the measured run, not counted
 * @param sinkPort runs a {@link Sink} there and measures until it has got everything
 */
public record BenchOptions(
    List<InetSocketAddress> targets,
    Load load,
    Connections connections,
    Duration warmUp,
    OptionalInt sinkPort,
    Duration timeout,
    OutputFormat format) {

  /**
   * What is sent.
   *
   * @param rate messages per second over all sessions; empty: as fast as answers come
   */
  public record Load(
      int sessions, int messages, int size, OptionalDouble rate, String from, String recipient) {
    public static Load of(int sessions, int messages, int size) {
      return new Load(
          sessions,
          messages,
          size,
          OptionalDouble.empty(),
          "sender@bench.test",
          "recipient@sink.test");
    }
  }

  /**
   * How connections are used.
   *
   * @param reuse many messages per connection instead of one
   * @param pipelining MAIL, RCPT and DATA in one packet (RFC 2920) instead of strict turns
   */
  public record Connections(boolean reuse, boolean pipelining) {}

  public static BenchOptions to(Load load, InetSocketAddress... targets) {
    return new BenchOptions(
        List.of(targets),
        load,
        new Connections(false, false),
        Duration.ZERO,
        OptionalInt.empty(),
        Duration.ofMinutes(10),
        OutputFormat.TEXT);
  }

  public BenchOptions withConnections(boolean reuse, boolean pipelining) {
    Connections changed = new Connections(reuse, pipelining);
    return new BenchOptions(targets, load, changed, warmUp, sinkPort, timeout, format);
  }

  public BenchOptions withSink(int port) {
    OptionalInt changed = OptionalInt.of(port);
    return new BenchOptions(targets, load, connections, warmUp, changed, timeout, format);
  }

  public BenchOptions withTimeout(Duration changed) {
    return new BenchOptions(targets, load, connections, warmUp, sinkPort, changed, format);
  }
}
