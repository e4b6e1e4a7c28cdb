package org.quorumail.tools;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What {@link ChaosRun} does.
 *
 * @param sink how the next hop behaves; a little slow, so that mail is queued when a node dies
 * @param directory work directory, kept; by default a temporary one, removed when all went well
 */
public record ChaosOptions(
    int nodes,
    Load load,
    FaultSchedule faults,
    SmtpSink.Options sink,
    Optional<Path> directory,
    Duration timeout,
    OutputFormat format) {

  /**
   * What is sent.
   *
   * @param rate messages per second of all senders, so that the load lasts over several kills;
   *     empty: as fast as answers come
   */
  public record Load(int messages, int size, int senders, OptionalDouble rate) {
    public static Load of(int messages, double perSecond) {
      return new Load(messages, 4096, 20, OptionalDouble.of(perSecond));
    }
  }

  /**
   * What goes wrong meanwhile.
   *
   * @param killEvery zero: no kills by the clock
   * @param whenReady waits with each kill until every node is ready again
   * @param maxFaults no more than so many
   * @param pause half of the failures are SIGSTOP and SIGCONT
   * @param killAllAt so long after the first message all nodes are killed at once
   */
  public record FaultSchedule(
      long seed,
      Duration killEvery,
      Duration restartAfter,
      boolean whenReady,
      int maxFaults,
      boolean pause,
      Optional<Duration> killAllAt) {
    public static FaultSchedule every(Duration killEvery, Duration restartAfter) {
      return new FaultSchedule(
          1, killEvery, restartAfter, false, Integer.MAX_VALUE, false, Optional.empty());
    }

    public static FaultSchedule allAtOnce(Duration at, Duration restartAfter) {
      return new FaultSchedule(1, Duration.ZERO, restartAfter, false, 0, false, Optional.of(at));
    }
  }

  public static ChaosOptions of(Load load, FaultSchedule failures) {
    return new ChaosOptions(
        3,
        load,
        failures,
        SmtpSink.Options.onPort(0).withDelay(Duration.ofMillis(10)),
        Optional.empty(),
        Duration.ofMinutes(10),
        OutputFormat.TEXT);
  }

  public ChaosOptions withNodes(int changed) {
    return new ChaosOptions(changed, load, faults, sink, directory, timeout, format);
  }

  public ChaosOptions withSink(SmtpSink.Options changed) {
    return new ChaosOptions(nodes, load, faults, changed, directory, timeout, format);
  }

  public ChaosOptions withDirectory(Path changed) {
    return new ChaosOptions(nodes, load, faults, sink, Optional.of(changed), timeout, format);
  }

  public ChaosOptions withTimeout(Duration changed) {
    return new ChaosOptions(nodes, load, faults, sink, directory, changed, format);
  }
}
