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

/** {@code check}: reads and validates everything, files that are named too; opens nothing. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = "Read and validate the configuration; open nothing.",
    footer = {
      "",
      "Prints every problem with its key and line; exit 0 when there is none, else 2.",
      "Reads the certificates, keys, users and tables that the configuration names, too:",
      "run it as the user that runs the node.",
      "Example: quorumail check -c /etc/quorumail/quorumail.toml"
    })
final class CheckCommand implements Callable<Integer> {
  private final ServeCommand.NodeRunner server;

  @Mixin private ConfigOptions config = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  CheckCommand(ServeCommand.NodeRunner server) {
    this.server = server;
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    return check(config.sources().read(), server, out, spec.commandLine().getErr());
  }

  static int check(
      ConfigResult result, ServeCommand.NodeRunner server, PrintWriter out, PrintWriter err) {
    return switch (result) {
      case ConfigResult.Valid valid -> {
        printWarnings(valid.warnings(), err);
        List<String> problems = server.fileProblems(valid.config());
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
