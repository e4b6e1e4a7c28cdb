package org.quorumail.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.SwimConfig;
import org.quorumail.gossip.sim.BroadcastReport;
import org.quorumail.gossip.sim.BroadcastRun;
import org.quorumail.gossip.sim.MembershipReport;
import org.quorumail.gossip.sim.MembershipRun;
import org.quorumail.gossip.sim.MembershipScenario;
import org.quorumail.gossip.sim.SvgPlot;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The gossip network in virtual time: one row per seed, the worst at the end. */
@Command(
    name = "gossip",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "A cluster's gossip in virtual time. Membership: it starts knowing itself, is left alone",
      "for --duration (with whatever loss, pauses, slow or deaf nodes were asked for), then",
      "--crashes nodes die one by one, then it is cut into halves for --partition and healed.",
      "Broadcasts of 256 bytes: ten from one origin, ten from others, one after --kill.",
      "The same options and seed give the same output."
    },
    footer = {
      "",
      "Examples:",
      "  quorumail sim gossip --nodes 100 --crashes 20 --partition 60s --svg plots.svg",
      "  quorumail sim gossip --nodes 1000 --seed 42 --seeds 10 --loss 30 --duration 2m"
    })
final class GossipSimCommand implements Callable<Integer> {
  private static final Set<String> PARTS = Set.of("membership", "broadcast", "all");

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--nodes", defaultValue = "100", description = "Default: ${DEFAULT-VALUE}")
  private int nodes;

  @Option(names = "--seed", defaultValue = "42", description = "Default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(
      names = "--seeds",
      defaultValue = "1",
      description = "Runs with so many seeds, counting up from --seed. Default: ${DEFAULT-VALUE}")
  private int seeds;

  @Option(
      names = "--part",
      defaultValue = "all",
      description = "membership, broadcast or all. Default: ${DEFAULT-VALUE}")
  private String part = "";

  @Option(
      names = "--kill",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "So many die at once; then one broadcast.")
  private double kill;

  @Option(names = "--preset", defaultValue = "lan", description = "lan, wan or large_cluster")
  private String preset = "";

  @Option(
      names = "--detection",
      paramLabel = "DURATION",
      description = "As cluster.failure_detection_timeout; default: the preset's.")
  private @Nullable Duration detection;

  @Option(
      names = "--duration",
      defaultValue = "60s",
      description = "How long it is left alone. Default: ${DEFAULT-VALUE}")
  private Duration duration = Duration.ZERO;

  @Option(names = "--crashes", defaultValue = "10", description = "Default: ${DEFAULT-VALUE}")
  private int crashes;

  @Option(names = "--partition", defaultValue = "0s", description = "Default: none")
  private Duration partition = Duration.ZERO;

  @Option(names = "--loss", defaultValue = "0", paramLabel = "PERCENT")
  private double loss;

  @Option(names = "--duplicate", defaultValue = "0", paramLabel = "PERCENT")
  private double duplicate;

  @Option(names = "--reorder", defaultValue = "0", paramLabel = "PERCENT")
  private double reorder;

  @Option(
      names = "--latency",
      defaultValue = "10-50",
      paramLabel = "MIN-MAX",
      description = "One way, in milliseconds. Default: ${DEFAULT-VALUE}")
  private String latency = "";

  @Option(names = "--zones", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
  private int zones;

  @Option(
      names = "--zone-latency",
      defaultValue = "0ms",
      description = "More, between zones. Default: ${DEFAULT-VALUE}")
  private Duration zoneLatency = Duration.ZERO;

  @Option(
      names = "--pauses",
      defaultValue = "0",
      description = "So many nodes stand still for --pause-length, once each.")
  private int pauses;

  @Option(names = "--pause-length", defaultValue = "3s", description = "Default: ${DEFAULT-VALUE}")
  private Duration pauseLength = Duration.ZERO;

  @Option(
      names = "--slow",
      defaultValue = "0",
      paramLabel = "NODES",
      description = "So many read everything --slow-by late.")
  private int slow;

  @Option(names = "--slow-by", defaultValue = "500ms", description = "Default: ${DEFAULT-VALUE}")
  private Duration slowBy = Duration.ZERO;

  @Option(
      names = "--deaf",
      defaultValue = "0",
      paramLabel = "NODES",
      description = "So many hear nothing, though they are heard: one-way links.")
  private int deaf;

  @Option(
      names = "--drift",
      defaultValue = "0",
      paramLabel = "PERCENT",
      description = "Clocks run up to so much fast or slow.")
  private double drift;

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "Writes coverage and detection plots.")
  private @Nullable Path svg;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (seeds < 1 || seeds > 1_000) throw misuse("--seeds is 1 to 1000");
    if (!PARTS.contains(part)) throw misuse("--part is membership, broadcast or all, not " + part);
    List<MembershipReport> reports = new ArrayList<>();
    List<BroadcastReport> broadcasts = new ArrayList<>();
    double killed = share("--kill", kill, 95);
    for (int i = 0; i < seeds; i++) {
      MembershipScenario scenario = scenario(seed + i);
      if (!part.equals("broadcast")) reports.add(MembershipRun.of(scenario));
      if (!part.equals("membership")) broadcasts.add(BroadcastRun.of(scenario, killed));
    }
    out.printf(
        Locale.ROOT,
        "%d nodes, seed %d%s, preset %s, loss %s %%%n%n",
        nodes,
        seed,
        seeds > 1 ? " to " + (seed + seeds - 1) : "",
        preset,
        plain(loss));
    if (!reports.isEmpty()) print(reports, out);
    if (!broadcasts.isEmpty()) {
      if (!reports.isEmpty()) out.println();
      printBroadcasts(broadcasts, out);
    }
    out.flush();
    if (svg != null) {
      Files.writeString(svg, plot(reports, broadcasts));
      out.println();
      out.println("plots: " + svg);
    }
    return ExitCode.DONE;
  }

  private MembershipScenario scenario(long oneSeed) {
    try {
      return MembershipScenario.calm(nodes, oneSeed)
          .withConfig(config())
          .withNetwork(network())
          .withSteady(Math.max(1, millis("--duration", duration)))
          .withCrashes(crashes)
          .withPartition(millis("--partition", partition))
          .withPauses(pauses, millis("--pause-length", pauseLength))
          .withSlowNodes(slow, millis("--slow-by", slowBy))
          .withDeafNodes(deaf)
          .withDrift(share("--drift", drift, 10));
    } catch (IllegalArgumentException e) {
      throw misuse(String.valueOf(e.getMessage()));
    }
  }

  private SwimConfig config() {
    SwimConfig config =
        switch (preset) {
          case "lan" -> SwimConfig.lan();
          case "wan" -> SwimConfig.wan();
          case "large_cluster" -> SwimConfig.largeCluster();
          default -> throw misuse("--preset is lan, wan or large_cluster, not " + preset);
        };
    if (detection == null) return config;
    return config.withFailureDetectionTimeout(millis("--detection", detection));
  }

  private MembershipScenario.Network network() {
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
      throw misuse("--latency is two numbers of milliseconds such as 10-50, not " + latency);
    }
    if (zones < 1 || zones > nodes) throw misuse("--zones is 1 to the number of nodes");
    return new MembershipScenario.Network(
        min,
        max,
        zones,
        millis("--zone-latency", zoneLatency),
        share("--loss", loss, 95),
        share("--duplicate", duplicate, 100),
        share("--reorder", reorder, 100));
  }

  private double share(String option, double percent, double most) {
    if (percent >= 0 && percent <= most) return percent / 100;
    throw misuse(option + " is 0 to " + plain(most) + " percent, not " + plain(percent));
  }

  private int millis(String option, Duration value) {
    if (!value.isNegative() && value.compareTo(Duration.ofHours(1)) <= 0) {
      return (int) value.toMillis();
    }
    throw misuse(option + " is at most an hour");
  }

  private static void print(List<MembershipReport> reports, PrintWriter out) {
    TextTable table =
        new TextTable(
            "SEED",
            "FIRST-DEAD p50/p99",
            "ALL-DEAD p50/p99",
            "UNDETECTED",
            "FALSE-DEATHS/NODE-H",
            "SUSPICIONS/NODE-H",
            "HEALED",
            "MSG/S",
            "BYTES/S");
    for (MembershipReport r : reports) table.row(cells(String.valueOf(r.scenario().seed()), r));
    if (reports.size() > 1) {
      table.row(
          "worst",
          pair(
              longest(reports, r -> r.firstDead().at(0.5)),
              longest(reports, r -> r.firstDead().at(0.99))),
          pair(
              longest(reports, r -> r.allDead().at(0.5)),
              longest(reports, r -> r.allDead().at(0.99))),
          String.valueOf((int) worst(reports, MembershipReport::undetected)),
          decimal(worst(reports, MembershipReport::falseDeathsPerNodeHour)),
          decimal(worst(reports, MembershipReport::falseSuspicionsPerNodeHour)),
          reports.stream().anyMatch(r -> r.healed() == -2)
              ? "never"
              : seconds(longest(reports, MembershipReport::healed)),
          decimal(worst(reports, MembershipReport::messagesPerSecond)),
          String.valueOf(Math.round(worst(reports, MembershipReport::bytesPerSecond))));
    }
    table.print(out);
  }

  private static String[] cells(String name, MembershipReport r) {
    return new String[] {
      name,
      pair(r.firstDead().at(0.5), r.firstDead().at(0.99)),
      pair(r.allDead().at(0.5), r.allDead().at(0.99)),
      String.valueOf(r.undetected()),
      decimal(r.falseDeathsPerNodeHour()),
      decimal(r.falseSuspicionsPerNodeHour()),
      r.healed() == -2 ? "never" : seconds(r.healed()),
      decimal(r.messagesPerSecond()),
      String.valueOf(Math.round(r.bytesPerSecond()))
    };
  }

  private static double worst(List<MembershipReport> of, ToDoubleFunction<MembershipReport> what) {
    return of.stream().mapToDouble(what).max().orElse(0);
  }

  private static long longest(List<MembershipReport> of, ToLongFunction<MembershipReport> what) {
    return of.stream().mapToLong(what).max().orElse(0);
  }

  private static String pair(long p50, long p99) {
    return seconds(p50) + "/" + seconds(p99);
  }

  private static String seconds(long millis) {
    return millis < 0 ? "-" : String.format(Locale.ROOT, "%.1fs", millis / 1_000.0);
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }

  private static void printBroadcasts(List<BroadcastReport> reports, PrintWriter out) {
    TextTable table =
        new TextTable(
            "SEED",
            "ORIGIN",
            "RELIABILITY",
            "RMR",
            "LDH",
            "BYTES/NODE",
            "TO-ALL p50/max",
            "AFTER-KILL");
    for (BroadcastReport r : reports) {
      table.row(cells(r, "one", r.warm(), "-"));
      String afterKill = String.format(Locale.ROOT, "%.5f", r.afterKill());
      table.row(cells(r, "any", r.random(), afterKill));
    }
    table.print(out);
  }

  private static String[] cells(
      BroadcastReport report, String origin, BroadcastReport.Figures f, String afterKill) {
    return new String[] {
      String.valueOf(report.seed()),
      origin,
      String.format(Locale.ROOT, "%.6f", f.reliability()),
      decimal(f.redundancy()),
      String.valueOf(f.lastHop()),
      String.valueOf(Math.round(f.bytesPerNode())),
      f.toAll().at(0.5) + "/" + f.toAll().max() + "ms",
      afterKill
    };
  }

  private static String plot(List<MembershipReport> reports, List<BroadcastReport> broadcasts) {
    SvgPlot plot = new SvgPlot();
    if (!broadcasts.isEmpty()) {
      BroadcastReport first = broadcasts.getFirst();
      plot.coverage(
          "Deliveries over time since the broadcast, seed " + first.seed(),
          List.of(sample("one origin", first.warm()), sample("any origin", first.random())));
    }
    if (!reports.isEmpty()) plotDetection(plot, reports);
    return plot.toSvg();
  }

  private static SvgPlot.Sample sample(String label, BroadcastReport.Figures figures) {
    long expected = Math.round(figures.delays().count() / Math.max(1e-9, figures.reliability()));
    return new SvgPlot.Sample(label, figures.delays(), expected);
  }

  private static void plotDetection(SvgPlot plot, List<MembershipReport> reports) {
    MembershipReport first = reports.getFirst();
    List<SvgPlot.Sample> coverage = new ArrayList<>();
    for (MembershipReport r : reports.subList(0, Math.min(4, reports.size()))) {
      coverage.add(
          new SvgPlot.Sample("seed " + r.scenario().seed(), r.knownAfter(), r.viewsToConvince()));
    }
    plot.coverage("Views that know of a crash, over time since the crash", coverage)
        .distribution(
            "Detection times, seed " + first.scenario().seed(),
            List.of(
                new SvgPlot.Sample("first view", first.firstDead(), first.firstDead().count()),
                new SvgPlot.Sample("last view", first.allDead(), first.allDead().count())));
  }

  private ParameterException misuse(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
