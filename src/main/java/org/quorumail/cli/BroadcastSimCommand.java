package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.quorumail.tools.BroadcastExperiment;
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

  @Override
  public Integer call() throws InterruptedException {
    int nodes = size.nodes();
    if (nodes < 10 || nodes > 20_000) {
      throw new ParameterException(spec.commandLine(), "--nodes is 10 to 20000");
    }
    TextTable table = BroadcastExperiment.run(nodes, size.seeds(), quiet);
    PrintWriter out = spec.commandLine().getOut();
    table.print(out);
    out.flush();
    return ExitCode.DONE;
  }
}
