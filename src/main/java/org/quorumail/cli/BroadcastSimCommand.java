package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.quorumail.gossip.sim.BroadcastScenarios;
import picocli.CommandLine.Command;
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

  @Option(names = "--nodes", defaultValue = "100", description = "Default: ${DEFAULT-VALUE}")
  private int nodes;

  @Option(names = "--seed", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(
      names = "--seeds",
      defaultValue = "1",
      description = "Runs with so many seeds, counting up from --seed. Default: ${DEFAULT-VALUE}")
  private int seeds;

  @Option(names = "--quiet", description = "Only what needs no loss, death or partition.")
  private boolean quiet;

  @Override
  public Integer call() {
    if (nodes < 10 || nodes > 20_000) throw misuse("--nodes is 10 to 20000");
    if (seeds < 1 || seeds > 20) throw misuse("--seeds is 1 to 20");
    List<Map<String, Double>> runs = new ArrayList<>();
    List<String> headings = new ArrayList<>(List.of("FIGURE"));
    for (int i = 0; i < seeds; i++) {
      headings.add("SEED-" + (seed + i));
      runs.add(
          quiet
              ? BroadcastScenarios.runQuiet(nodes, seed + i)
              : BroadcastScenarios.run(nodes, seed + i));
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

  private ParameterException misuse(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
