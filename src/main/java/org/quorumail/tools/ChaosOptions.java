package org.quorumail.tools;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The settings of a {@link ChaosRun}.
 *
 * @param sink behaviour of the next hop; a little slow, so that mail is queued when a node dies
 * @param directory work directory, kept; by default a temporary one, deleted after a good run
 */
public record ChaosOptions(
    int nodes,
    Workload workload,
    FaultSchedule faults,
    SmtpSink.Options sink,
    Optional<Path> directory,
    Duration timeout,
    OutputFormat format) {

  /**
   * The faults that a run injects while it sends.
   *
   * @param killEvery time between two kills; zero: no periodic kills
   * @param whenReady delays each kill until every node is ready again
   * @param maxFaults upper limit of periodic faults
   * @param pause makes half of the faults SIGSTOP and SIGCONT
   * @param killAllAt time after the first message at which all nodes are killed at once
   * @param order in which order and by which rule nodes fail; without {@link Order#RANDOM} only the
   *     seed, {@code restartAfter}, {@code maxFaults}, and {@code killEvery} as the pause before
   *     each fault count
   */
  public record FaultSchedule(
      long seed,
      Duration killEvery,
      Duration restartAfter,
      boolean whenReady,
      int maxFaults,
      boolean pause,
      Optional<Duration> killAllAt,
      Order order) {
    /** The rule by which nodes fail. */
    public enum Order {
      /** Nodes are killed or paused at random. */
      RANDOM,
      /** Each node is stopped and started once, the next when all are ready; none is killed. */
      ROLLING,
      /** See {@link MembershipChanges}. */
      MEMBERSHIP
    }

    /** Kills a node whenever all have been ready, so that mail goes on flowing in between. */
    public static FaultSchedule oneAtATime(Duration killEvery, Duration restartAfter) {
      return new FaultSchedule(
          1,
          killEvery,
          restartAfter,
          true,
          Integer.MAX_VALUE,
          false,
          Optional.empty(),
          Order.RANDOM);
    }

    /** Restarts all nodes in order, one after the other, as an upgrade does. */
    public static FaultSchedule rolling(Duration pause) {
      return new FaultSchedule(
          1, pause, Duration.ZERO, true, 0, false, Optional.empty(), Order.ROLLING);
    }

    public static FaultSchedule allAtOnce(Duration at, Duration restartAfter) {
      return new FaultSchedule(
          1, Duration.ZERO, restartAfter, false, 0, false, Optional.of(at), Order.RANDOM);
    }
  }

  public static ChaosOptions of(Workload workload, FaultSchedule failures) {
    return new ChaosOptions(
        3,
        workload,
        failures,
        SmtpSink.Options.onPort(0).withDelay(Duration.ofMillis(10)),
        Optional.empty(),
        Duration.ofMinutes(10),
        OutputFormat.TEXT);
  }

  public ChaosOptions withNodes(int changed) {
    return new ChaosOptions(changed, workload, faults, sink, directory, timeout, format);
  }

  public ChaosOptions withSink(SmtpSink.Options changed) {
    return new ChaosOptions(nodes, workload, faults, changed, directory, timeout, format);
  }

  public ChaosOptions withDirectory(Path changed) {
    return new ChaosOptions(nodes, workload, faults, sink, Optional.of(changed), timeout, format);
  }

  public ChaosOptions withTimeout(Duration changed) {
    return new ChaosOptions(nodes, workload, faults, sink, directory, changed, format);
  }
}
