package org.quorumail.harness;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What {@link Chaos} does.
 *
 * @param sink how the next hop behaves; a little slow, so that mail is queued when a node dies
 * @param directory work directory, kept; by default a temporary one, removed when all went well
 */
public record ChaosOptions(
    int nodes,
    Load load,
    Failures failures,
    Sink.Options sink,
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
   * @param max no more than so many
   * @param pause half of the failures are SIGSTOP and SIGCONT
   * @param killAllAt so long after the first message all nodes are killed at once
   */
  public record Failures(
      long seed,
      Duration killEvery,
      Duration restartAfter,
      boolean whenReady,
      int max,
      boolean pause,
      Optional<Duration> killAllAt) {
    public static Failures every(Duration killEvery, Duration restartAfter) {
      return new Failures(
          1, killEvery, restartAfter, false, Integer.MAX_VALUE, false, Optional.empty());
    }

    public static Failures allAtOnce(Duration at, Duration restartAfter) {
      return new Failures(1, Duration.ZERO, restartAfter, false, 0, false, Optional.of(at));
    }
  }

  public static ChaosOptions of(Load load, Failures failures) {
    return new ChaosOptions(
        3,
        load,
        failures,
        Sink.Options.onPort(0).withDelay(Duration.ofMillis(10)),
        Optional.empty(),
        Duration.ofMinutes(10),
        OutputFormat.TEXT);
  }

  public ChaosOptions withNodes(int changed) {
    return new ChaosOptions(changed, load, failures, sink, directory, timeout, format);
  }

  public ChaosOptions withSink(Sink.Options changed) {
    return new ChaosOptions(nodes, load, failures, changed, directory, timeout, format);
  }

  public ChaosOptions withDirectory(Path changed) {
    return new ChaosOptions(nodes, load, failures, sink, Optional.of(changed), timeout, format);
  }

  public ChaosOptions withTimeout(Duration changed) {
    return new ChaosOptions(nodes, load, failures, sink, directory, changed, format);
  }
}
