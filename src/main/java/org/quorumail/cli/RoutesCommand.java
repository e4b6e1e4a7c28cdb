package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The command {@code routes}: the ways that mail takes. */
@Command(
    name = "routes",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Show the way that mail for an address takes.",
    footer = {"", "Example: quorumail routes test user@example.org"})
final class RoutesCommand extends CommandGroup {
  @Command(
      name = "test",
      mixinStandardHelpOptions = true,
      description = "Show which next hop an address takes, and why; exit 1 when there is none.",
      footer = {"", "Example: quorumail routes test user@example.org"})
  int test(@Mixin NodeOptions options, @Parameters(paramLabel = "ADDRESS") String address)
      throws CommandException {
    JsonNode answer = options.client().call("GET", "/api/routes/" + encode(address));
    return options.printOrFail(answer, RoutesCommand::print);
  }

  private static void print(JsonNode answer, PrintWriter out) {
    out.println(
        JsonPrinter.cell(answer.path("address"))
            + " takes "
            + JsonPrinter.cell(answer.path("destination"))
            + " by "
            + JsonPrinter.cell(answer.path("source")));
    answer.path("hops").forEach(hop -> out.println("  " + JsonPrinter.cell(hop)));
  }
}
