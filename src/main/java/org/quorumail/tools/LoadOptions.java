package org.quorumail.tools;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;

/**
 * The settings of a {@link LoadGenerator}.
 *
 * @param warmUp time of the same load before the measured run, not counted
 * @param sinkPort port of a {@link SmtpSink} to run; the run then lasts until it has everything
 */
public record LoadOptions(
    List<InetSocketAddress> targets,
    Workload workload,
    Connections connections,
    Duration warmUp,
    OptionalInt sinkPort,
    Duration timeout,
    OutputFormat format) {

  /**
   * The use of connections.
   *
   * @param reuse many messages per connection instead of one
   * @param pipelining MAIL, RCPT and DATA in one packet (RFC 2920) instead of strict turns
   */
  public record Connections(boolean reuse, boolean pipelining) {}

  public static LoadOptions of(Workload workload, InetSocketAddress... targets) {
    return new LoadOptions(
        List.of(targets),
        workload,
        new Connections(false, false),
        Duration.ZERO,
        OptionalInt.empty(),
        Duration.ofMinutes(10),
        OutputFormat.TEXT);
  }

  public LoadOptions withConnections(boolean reuse, boolean pipelining) {
    Connections changed = new Connections(reuse, pipelining);
    return new LoadOptions(targets, workload, changed, warmUp, sinkPort, timeout, format);
  }

  public LoadOptions withSink(int port) {
    OptionalInt changed = OptionalInt.of(port);
    return new LoadOptions(targets, workload, connections, warmUp, changed, timeout, format);
  }

  public LoadOptions withTimeout(Duration changed) {
    return new LoadOptions(targets, workload, connections, warmUp, sinkPort, changed, format);
  }
}
