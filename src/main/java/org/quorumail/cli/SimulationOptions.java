package org.quorumail.cli;

import java.util.List;
import java.util.stream.LongStream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every simulation: the number of nodes and the seeds. */
final class SimulationOptions {
  private static final int MAX_SEEDS = 1_000;

  @Option(
      names = "--nodes",
      defaultValue = "100",
      description = "Number of nodes. Default: ${DEFAULT-VALUE}")
  private int nodes;

  @Option(
      names = "--seed",
      defaultValue = "42",
      description = "First seed. Default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(
      names = "--seeds",
      defaultValue = "1",
      description = "Number of runs, with seeds counting up from --seed. Default: ${DEFAULT-VALUE}")
  private int seeds;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  int nodes() {
    return nodes;
  }

  /** The seeds in order, at least one. */
  List<Long> seeds() {
    if (seeds < 1 || seeds > MAX_SEEDS) throw usageError("--seeds must be 1 to " + MAX_SEEDS);
    return LongStream.range(seed, seed + seeds).boxed().toList();
  }

  private ParameterException usageError(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
