package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.quorumail.gossip.sim.BroadcastScenarios;
import org.quorumail.tools.SimulationExecutor;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The questions of docs/gossip.md to the broadcast core alone, one column per seed. */
@Command(
    name = "broadcast",
    mixinStandardHelpOptions = true,
    description = {
      "Broadcasts without loss, with 20 and 30 percent of it, with half and four fifths of the",
      "nodes killed, and across a partition; membership is told by an oracle.",
      "The same nodes and seed give the same output."
    },
    footer = {"", "Example:", "  quorumail sim broadcast --nodes 1000 --seed 1 --seeds 3"})
final class BroadcastSimCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private SimulationOptions size = new SimulationOptions();

  @Option(names = "--quiet", description = "Only what needs no loss, death or partition.")
  private boolean quiet;

  /** Of one simulated node, with what waits for it on the network: 40 KiB, and as much again. */
  private static final long BYTES_PER_NODE = 80 << 10;

  @Override
  public Integer call() throws InterruptedException {
    int nodes = size.nodes();
    if (nodes < 10 || nodes > 20_000) {
      throw new ParameterException(spec.commandLine(), "--nodes is 10 to 20000");
    }
    List<Map<String, Double>> runs = new ArrayList<>();
    List<String> headings = new ArrayList<>(List.of("FIGURE"));
    for (long seed : size.seeds()) {
      headings.add("SEED-" + seed);
      Map<String, Double> figures = new LinkedHashMap<>();
      SimulationExecutor.run(BroadcastScenarios.of(nodes, seed, quiet), nodes * BYTES_PER_NODE)
          .forEach(figures::putAll);
      runs.add(figures);
    }
    TextTable table = new TextTable(headings.toArray(String[]::new));
    for (String figure : runs.getFirst().keySet()) {
      List<String> cells = new ArrayList<>(List.of(figure));
      for (Map<String, Double> run : runs) cells.add(number(run.getOrDefault(figure, Double.NaN)));
      table.row(cells.toArray(String[]::new));
    }
    PrintWriter out = spec.commandLine().getOut();
    table.print(out);
    out.flush();
    return ExitCode.DONE;
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
  }
}
