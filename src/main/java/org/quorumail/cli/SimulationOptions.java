package org.quorumail.cli;

import java.util.List;
import java.util.stream.LongStream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every simulation takes: how many nodes, and which seeds. */
final class SimulationOptions {
  private static final int MAX_SEEDS = 1_000;

  @Option(names = "--nodes", defaultValue = "100", description = "Default: ${DEFAULT-VALUE}")
  private int nodes;

  @Option(names = "--seed", defaultValue = "42", description = "Default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(
      names = "--seeds",
      defaultValue = "1",
      description = "Runs with so many seeds, counting up from --seed. Default: ${DEFAULT-VALUE}")
  private int seeds;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  int nodes() {
    return nodes;
  }

  /** At least one, in order. */
  List<Long> seeds() {
    if (seeds < 1 || seeds > MAX_SEEDS) throw usageError("--seeds is 1 to " + MAX_SEEDS);
    return LongStream.range(seed, seed + seeds).boxed().toList();
  }

  private ParameterException usageError(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
