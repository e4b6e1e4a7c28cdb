package org.quorumail.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The command {@code spool}: shows the replicated stores on a node. */
@Command(
    name = "spool",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Show the spools of which a node has a replica; each command answers for that node alone.",
    footer = {"", "Example: quorumail spool list"})
final class SpoolCommand extends CommandGroup {
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List the spools with their leaders and contents.",
      footer = {"", "Example: quorumail spool list"})
  int list(@Mixin NodeOptions options) throws CommandException {
    options.print(options.client().call("GET", "/api/spool/stats"), SpoolCommand::printTable);
    return ExitCode.DONE;
  }

  private static void printTable(JsonNode stats, PrintWriter out) {
    JsonPrinter.table(
            stats.path("spools"),
            "name",
            "role",
            "leader",
            "owned",
            "term",
            "index",
            "messages",
            "bytes",
            "in_doubt")
        .print(out);
  }

  @Command(
      name = "view",
      mixinStandardHelpOptions = true,
      description = "Show one message of a spool, as 'queue view' does.",
      footer = {"", "Example: quorumail spool view 01KAF2C7Q3S0V4J1N9XG5T8Z6B"})
  int view(@Mixin NodeOptions options, @Parameters(paramLabel = "ID") String id)
      throws CommandException {
    QueueCommand.show(options, id);
    return ExitCode.DONE;
  }

  @Command(
      name = "stats",
      mixinStandardHelpOptions = true,
      description = "Show the sums over the spools that the node owns.",
      footer = {"", "Example: quorumail spool stats --format json"})
  int stats(@Mixin NodeOptions options) throws CommandException {
    options.print(options.client().call("GET", "/api/spool/stats"), JsonPrinter::printFields);
    return ExitCode.DONE;
  }

  @Command(
      name = "cleanup-completed",
      mixinStandardHelpOptions = true,
      description =
          "Free the disk space of completed messages on this node now, instead of gradually.",
      footer = {"", "Example: quorumail spool cleanup-completed"})
  int cleanUp(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("POST", "/api/spool/cleanup-completed"), JsonPrinter::printFields);
    return ExitCode.DONE;
  }

  @Command(
      name = "digests",
      mixinStandardHelpOptions = true,
      description = "Show the digest of each replica; at equal index it is equal on all nodes.",
      footer = {"", "Example: quorumail spool digests"})
  int digests(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/spool/digests"),
        (answer, out) -> JsonPrinter.table(answer, "spool", "term", "index", "sha256").print(out));
    return ExitCode.DONE;
  }
}
