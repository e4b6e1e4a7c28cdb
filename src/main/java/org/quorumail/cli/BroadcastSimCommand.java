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

/** The command {@code sim broadcast}: runs the scenarios of docs/gossip.md for broadcasts alone. */
@Command(
    name = "broadcast",
    mixinStandardHelpOptions = true,
    description = {
      "Simulate broadcasts: without loss, with 20 and 30 percent loss, with half and four fifths",
      "of the nodes killed, and across a partition. An oracle supplies the membership.",
      "The same nodes and seed give the same output."
    },
    footer = {"", "Example:", "  quorumail sim broadcast --nodes 1000 --seed 1 --seeds 3"})
final class BroadcastSimCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private SimulationOptions size = new SimulationOptions();

  @Option(
      names = "--quiet",
      description = "Run only the scenario without loss, death and partition.")
  private boolean quiet;

  @Override
  public Integer call() throws InterruptedException {
    int nodes = size.nodes();
    if (nodes < 10 || nodes > 20_000) {
      throw new ParameterException(spec.commandLine(), "--nodes must be 10 to 20000");
    }
    TextTable table = BroadcastExperiment.run(nodes, size.seeds(), quiet);
    PrintWriter out = spec.commandLine().getOut();
    table.print(out);
    out.flush();
    return ExitCode.DONE;
  }
}
