package org.quorumail.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The command {@code audit}: the last changes that a node was asked for, and by whom. */
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    description =
        "List the last changes that operators have ordered at this node; its log has all.",
    footer = {"", "Example: quorumail audit --limit 20"})
final class AuditCommand implements Callable<Integer> {
  @Mixin private NodeOptions options = new NodeOptions();

  @Option(names = "--limit", paramLabel = "N", description = "Number of changes. Default: 100.")
  private int limit = 100;

  @Override
  public Integer call() throws CommandException {
    options.print(
        options.client().call("GET", "/api/audit?limit=" + limit),
        (answer, out) ->
            JsonPrinter.table(
                    answer.path("entries"),
                    "time",
                    "who",
                    "from",
                    "operation",
                    "parameters",
                    "status",
                    "reason")
                .print(out));
    return ExitCode.DONE;
  }
}
