package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.quorumail.config.Problem;
import org.quorumail.node.ConfigResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code check}: validates the configuration and the files that it names. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = "Read and validate the configuration without opening a socket or the data.",
    footer = {
      "",
      "Prints every problem with its key and line; exit 0 without a problem, else 2.",
      "Also reads the certificates, keys, users and tables that the configuration names:",
      "run it as the user that runs the node.",
      "Example: quorumail check -c /etc/quorumail/quorumail.toml"
    })
final class CheckCommand implements Callable<Integer> {
  private final ServeCommand.NodeRunner node;

  @Mixin private ConfigOptions config = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  CheckCommand(ServeCommand.NodeRunner node) {
    this.node = node;
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    return check(config.sources().read(), node, out, spec.commandLine().getErr());
  }

  static int check(
      ConfigResult result, ServeCommand.NodeRunner node, PrintWriter out, PrintWriter err) {
    return switch (result) {
      case ConfigResult.Valid valid -> {
        printWarnings(valid.warnings(), err);
        List<String> problems = node.fileProblems(valid);
        if (!problems.isEmpty()) {
          printProblems(problems, err);
          yield ExitCode.USAGE;
        }
        out.println("the configuration is valid: " + valid.config().summary());
        yield ExitCode.DONE;
      }
      case ConfigResult.Invalid invalid -> {
        printProblems(invalid.problems(), err);
        yield ExitCode.USAGE;
      }
    };
  }

  static void printWarnings(List<Problem> warnings, PrintWriter err) {
    for (Problem warning : warnings) err.println("warning: " + warning);
  }

  static void printProblems(List<?> problems, PrintWriter err) {
    for (Object problem : problems) err.println(problem);
    err.println(problems.size() == 1 ? "1 problem" : problems.size() + " problems");
  }
}
