package org.quorumail.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.ChaosOptions;
import org.quorumail.tools.ChaosOptions.FaultSchedule.Order;
import org.quorumail.tools.ChaosRun;
import org.quorumail.tools.OutputFormat;
import org.quorumail.tools.SmtpSink;
import org.quorumail.tools.Workload;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code chaos}: kills nodes under load and counts every message. */
@Command(
    name = "chaos",
    mixinStandardHelpOptions = true,
    description =
        "Start nodes on loopback, send numbered mail, kill nodes meanwhile, and account for every"
            + " acknowledged message.",
    footer = {
      "",
      "Exit 0 only when nothing is lost, replicas are equal, and there are no more duplicates",
      "than deliveries were in doubt at the kills.",
      "Examples:",
      "  quorumail chaos",
      "  quorumail chaos --messages 20000 --kill-every 3s --restart-after 2s --seed 7",
      "  quorumail chaos --kill-every 0s --kill-all-at 10s",
      "  quorumail chaos --rolling --messages 4000 --rate 100     a rolling restart leaves no"
          + " duplicate",
      "  quorumail chaos --membership --nodes 4 --max-kills 5 --rate 100 --messages 30000",
      "  quorumail chaos --when-ready --max-kills 20     measures takeover; a quorum always"
          + " survives"
    })
final class ChaosCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--nodes",
      defaultValue = "3",
      description = "Number of nodes. Default: ${DEFAULT-VALUE}")
  private int nodes;

  @Option(
      names = "--messages",
      defaultValue = "20000",
      description = "Number of messages. Default: ${DEFAULT-VALUE}")
  private int messages;

  @Option(
      names = "--size",
      defaultValue = "4096",
      description = "Size of a message in bytes. Default: ${DEFAULT-VALUE}")
  private int size;

  @Option(
      names = "--senders",
      defaultValue = "20",
      description = "Number of clients at once. Default: ${DEFAULT-VALUE}")
  private int senders;

  @Option(
      names = "--rate",
      defaultValue = "400",
      paramLabel = "PER-SECOND",
      description = "Messages per second; 0: as fast as replies come. Default: ${DEFAULT-VALUE}")
  private double rate;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Seed that chooses the nodes to kill. Default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(
      names = "--kill-every",
      defaultValue = "3s",
      paramLabel = "DURATION",
      description = "Time between two kills; 0s: no periodic kills. Default: ${DEFAULT-VALUE}")
  private Duration killEvery = Duration.ZERO;

  @Option(
      names = "--restart-after",
      defaultValue = "2s",
      paramLabel = "DURATION",
      description = "Downtime of a killed node. Default: ${DEFAULT-VALUE}")
  private Duration restartAfter = Duration.ZERO;

  @Option(
      names = "--kill-all-at",
      paramLabel = "DURATION",
      description = "Kill all nodes at once, this time after the first message.")
  private @Nullable Duration killAllAt;

  @Option(names = "--when-ready", description = "Delay each kill until all nodes are ready.")
  private boolean whenReady;

  @Option(
      names = "--max-kills",
      defaultValue = "10000",
      description = "Upper limit of periodic kills and pauses. Default: ${DEFAULT-VALUE}")
  private int maxKills;

  @Option(
      names = "--rolling",
      description =
          "Kill nothing: stop and start each node once, in order, the next when all are ready."
              + " --kill-every is the pause before each.")
  private boolean rolling;

  @Option(
      names = "--membership",
      description =
          "Change the members, one after the other: a node is killed, in maintenance, wiped and"
              + " joined again, replaced, or leaves and joins. Needs --nodes 4 or more.")
  private boolean membership;

  @Option(names = "--pause", description = "Make half of the faults SIGSTOP and SIGCONT.")
  private boolean pause;

  @Option(
      names = "--sink-delay",
      defaultValue = "10ms",
      paramLabel = "DURATION",
      description = "Time before the next hop replies to the final dot. Default: ${DEFAULT-VALUE}")
  private Duration sinkDelay = Duration.ZERO;

  @Option(
      names = "--sink-4xx",
      defaultValue = "0",
      paramLabel = "SHARE",
      description = "Share (0 to 1) of messages that the next hop defers.")
  private double transientFailures;

  @Option(
      names = "--sink-5xx",
      defaultValue = "0",
      paramLabel = "SHARE",
      description = "Share (0 to 1) of messages that the next hop rejects.")
  private double permanentFailures;

  @Option(
      names = "--sink-drops",
      defaultValue = "0",
      paramLabel = "SHARE",
      description = "Share (0 to 1) of connections that the next hop closes after the final dot.")
  private double drops;

  @Option(names = "--dir", description = "Work directory; it is kept. Default: a temporary one.")
  private @Nullable Path directory;

  @Option(
      names = "--timeout",
      defaultValue = "10m",
      paramLabel = "DURATION",
      description = "Longest time of the run. Default: ${DEFAULT-VALUE}")
  private Duration timeout = Duration.ZERO;

  @Option(
      names = "--format",
      defaultValue = "text",
      description = "Output format, text or json. Default: ${DEFAULT-VALUE}")
  private OutputFormat format = OutputFormat.TEXT;

  private Order order() {
    if (membership) return Order.MEMBERSHIP;
    return rolling ? Order.ROLLING : Order.RANDOM;
  }

  @Override
  public Integer call() {
    if (nodes < 1 || messages < 1 || size < 1 || senders < 1) {
      throw new ParameterException(
          spec.commandLine(), "--nodes, --messages, --size and --senders must be at least 1");
    }
    if (membership && (nodes < 4 || rolling || killAllAt != null || pause)) {
      throw new ParameterException(
          spec.commandLine(),
          "--membership needs --nodes 4 or more, and goes with neither --rolling, --pause nor"
              + " --kill-all-at");
    }
    ChaosOptions options =
        new ChaosOptions(
            nodes,
            Workload.of(senders, messages, size).withRate(rate),
            new ChaosOptions.FaultSchedule(
                seed,
                killEvery,
                restartAfter,
                whenReady,
                maxKills,
                pause,
                Optional.ofNullable(killAllAt),
                order()),
            new SmtpSink.Options(0, sinkDelay, transientFailures, permanentFailures, drops, seed),
            Optional.ofNullable(directory),
            timeout,
            format);
    return new ChaosRun(options, System.out, System.err).run();
  }
}
