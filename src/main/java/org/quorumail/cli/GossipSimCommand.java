package org.quorumail.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.GossipExperiment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code sim gossip}: gossip in virtual time, one row per seed, then the worst. */
@Command(
    name = "gossip",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Simulate the gossip of a cluster in virtual time. Membership: all nodes know each other and",
      "run for --duration, with the given loss, pauses, slow and deaf nodes. Then --crashes nodes",
      "die one by one, and the cluster is cut into halves for --partition and healed.",
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
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private SimulationOptions size = new SimulationOptions();

  @Option(
      names = "--part",
      defaultValue = "all",
      description = "Protocol to simulate: membership, broadcast or all. Default: ${DEFAULT-VALUE}")
  private GossipExperiment.Part part = GossipExperiment.Part.ALL;

  @Mixin private ScenarioOptions options = new ScenarioOptions();

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "Write plots of coverage and detection times to this file.")
  private @Nullable Path svg;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    List<Long> seeds = size.seeds();
    GossipExperiment experiment =
        new GossipExperiment(
            seeds.stream().map(seed -> options.scenario(size.nodes(), seed)).toList(),
            options.killed(),
            part);
    requireHeap(experiment.requiredHeap());
    GossipExperiment.Result result = experiment.run();
    String range = seeds.size() > 1 ? " to " + seeds.getLast() : "";
    out.printf(
        Locale.ROOT,
        "%d nodes, seed %d%s, %s%n%n",
        size.nodes(),
        seeds.getFirst(),
        range,
        options.summary());
    result.print(out);
    out.flush();
    if (svg != null) {
      Files.writeString(svg, result.toSvg());
      out.println();
      out.println("plots: " + svg);
    }
    return ExitCode.DONE;
  }

  /** Refuses a run at once that would run out of memory after half an hour. */
  private void requireHeap(long bytes) {
    long limit = Runtime.getRuntime().maxMemory();
    if (bytes <= limit) return;
    throw new ParameterException(
        spec.commandLine(),
        ("the simulation needs about %d GB of memory and may use %d GB: reduce --nodes, leave out"
                + " --partition, or raise the limit with QUORUMAIL_JAVA_OPTS=-Xmx%dg")
            .formatted(gigabytes(bytes), limit >> 30, gigabytes(bytes)));
  }

  private static long gigabytes(long bytes) {
    return (bytes >> 30) + 1;
  }
}
