package org.quorumail.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.sim.MembershipScenario;
import org.quorumail.gossip.swim.SwimConfig;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options for the faults of a simulated cluster and its network. */
final class ScenarioOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--kill",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "Share of the nodes that die at once before the last broadcast. Default: 0")
  private double kill;

  @Option(
      names = "--preset",
      defaultValue = "lan",
      description = "lan, wan or large_cluster. Default: ${DEFAULT-VALUE}")
  private String preset = "";

  @Option(
      names = "--detection",
      paramLabel = "DURATION",
      description = "As cluster.failure_detection_timeout. Default: that of the preset.")
  private @Nullable Duration detection;

  @Option(
      names = "--duration",
      defaultValue = "60s",
      description = "Time without crashes. Default: ${DEFAULT-VALUE}")
  private Duration duration = Duration.ZERO;

  @Option(
      names = "--crashes",
      defaultValue = "10",
      description = "Number of crashes. Default: ${DEFAULT-VALUE}")
  private int crashes;

  @Option(
      names = "--partition",
      defaultValue = "0s",
      description = "Time of a partition into halves. Default: none")
  private Duration partition = Duration.ZERO;

  @Option(
      names = "--loss",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "Lost packets. Default: 0")
  private double loss;

  @Option(
      names = "--duplicate",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "Duplicated packets. Default: 0")
  private double duplicate;

  @Option(
      names = "--reorder",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "Reordered packets. Default: 0")
  private double reorder;

  @Option(
      names = "--latency",
      defaultValue = "10-50",
      paramLabel = "MIN-MAX",
      description = "One-way latency in milliseconds. Default: ${DEFAULT-VALUE}")
  private String latency = "";

  @Option(
      names = "--zones",
      defaultValue = "1",
      description = "Number of zones. Default: ${DEFAULT-VALUE}")
  private int zones;

  @Option(
      names = "--zone-latency",
      defaultValue = "0ms",
      description = "Additional latency between zones. Default: ${DEFAULT-VALUE}")
  private Duration zoneLatency = Duration.ZERO;

  @Option(
      names = "--pauses",
      defaultValue = "0",
      description = "Number of nodes that pause for --pause-length, once each. Default: 0")
  private int pauses;

  @Option(
      names = "--pause-length",
      defaultValue = "3s",
      description = "Time of a pause. Default: ${DEFAULT-VALUE}")
  private Duration pauseLength = Duration.ZERO;

  @Option(
      names = "--slow",
      defaultValue = "0",
      paramLabel = "NODES",
      description = "Number of nodes that read everything --slow-by late. Default: 0")
  private int slow;

  @Option(
      names = "--slow-by",
      defaultValue = "500ms",
      description = "Delay of slow nodes. Default: ${DEFAULT-VALUE}")
  private Duration slowBy = Duration.ZERO;

  @Option(
      names = "--deaf",
      defaultValue = "0",
      paramLabel = "NODES",
      description = "Number of nodes that send but receive nothing: one-way links. Default: 0")
  private int deaf;

  @Option(
      names = "--drift",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "Largest deviation of clocks, fast or slow. Default: 0")
  private double drift;

  /** The scenario of these options for one seed. */
  MembershipScenario scenario(int nodes, long seed) {
    try {
      return MembershipScenario.withoutFaults(nodes, seed)
          .withConfig(config())
          .withNetwork(network(nodes))
          .withSteady(Math.max(1, toMillis("--duration", duration)))
          .withCrashes(crashes)
          .withPartition(toMillis("--partition", partition))
          .withPauses(pauses, toMillis("--pause-length", pauseLength))
          .withSlowNodes(slow, toMillis("--slow-by", slowBy))
          .withDeafNodes(deaf)
          .withDrift(toShare("--drift", drift, 10));
    } catch (IllegalArgumentException e) {
      throw usageError(String.valueOf(e.getMessage()));
    }
  }

  private SwimConfig config() {
    SwimConfig config =
        switch (preset) {
          case "lan" -> SwimConfig.lan();
          case "wan" -> SwimConfig.wan();
          case "large_cluster" -> SwimConfig.largeCluster();
          default -> throw usageError("--preset must be lan, wan or large_cluster, not " + preset);
        };
    if (detection == null) return config;
    return config.withFailureDetectionTimeout(toMillis("--detection", detection));
  }

  private MembershipScenario.NetworkConditions network(int nodes) {
    String[] bounds = latency.split("-", -1);
    int min = 0;
    int max = -1;
    try {
      if (bounds.length == 2) {
        min = Integer.parseInt(bounds[0]);
        max = Integer.parseInt(bounds[1]);
      }
    } catch (NumberFormatException e) {
      max = -1;
    }
    if (min < 0 || max < min || max > 10_000) {
      throw usageError(
          "--latency must be two numbers of milliseconds such as 10-50, not " + latency);
    }
    if (zones < 1 || zones > nodes)
      throw usageError("--zones must be between 1 and the number of nodes");
    return new MembershipScenario.NetworkConditions(
        min,
        max,
        zones,
        toMillis("--zone-latency", zoneLatency),
        toShare("--loss", loss, 95),
        toShare("--duplicate", duplicate, 100),
        toShare("--reorder", reorder, 100));
  }

  private double toShare(String option, double percent, double most) {
    if (percent >= 0 && percent <= most) return percent / 100;
    throw usageError(option + " must be 0 to " + plain(most) + " percent, not " + plain(percent));
  }

  private int toMillis(String option, Duration value) {
    if (!value.isNegative() && value.compareTo(Duration.ofHours(1)) <= 0) {
      return (int) value.toMillis();
    }
    throw usageError(option + " must be at most an hour");
  }

  /** The share of nodes (0 to 1) that die at once. */
  double killed() {
    return toShare("--kill", kill, 95);
  }

  /** A short description of the run, for the first line of the output. */
  String summary() {
    return "preset %s, loss %s %%".formatted(preset, plain(loss));
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }

  private ParameterException usageError(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
