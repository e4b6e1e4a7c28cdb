package org.quorumail.cli;

import java.util.StringJoiner;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.JsonNode;

/** The command {@code system}: controls the process of a node. */
@Command(
    name = "system",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Check, reload and stop a running node.",
    footer = {"", "Example: quorumail system status -s data/control.sock"})
final class SystemCommand extends CommandGroup {
  @Command(
      name = "ping",
      mixinStandardHelpOptions = true,
      description = "Exit 0 when the node responds, else 4.",
      footer = {"", "Example: quorumail system ping && echo up"})
  int ping(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/system/ping"), (answer, out) -> out.println("pong"));
    return ExitCode.DONE;
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Show the version, uptime and readiness of the node.",
      footer = {"", "Example: quorumail system status --format json"})
  int status(@Mixin NodeOptions options) throws CommandException {
    options.print(options.client().call("GET", "/api/system/status"), JsonPrinter::printFields);
    return ExitCode.DONE;
  }

  @Command(
      name = "reload",
      mixinStandardHelpOptions = true,
      description = "Reload the configuration and certificates; list the changed keys.",
      footer = {"", "Example: quorumail system reload"})
  int reload(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("POST", "/api/system/reload"),
        (answer, out) -> {
          out.println("changed: " + joined(answer.path("changed")));
          out.println("need a restart: " + joined(answer.path("need_restart")));
        });
    return ExitCode.DONE;
  }

  @Command(
      name = "shutdown",
      mixinStandardHelpOptions = true,
      description = "Drain the node and stop it, as SIGTERM does.",
      footer = {"", "Example: quorumail system shutdown"})
  int shutdown(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("POST", "/api/system/shutdown"),
        (answer, out) -> out.println("the node drains and stops"));
    return ExitCode.DONE;
  }

  private static String joined(JsonNode list) {
    if (list.isEmpty()) return "nothing";
    StringJoiner words = new StringJoiner(", ");
    list.forEach(word -> words.add(JsonPrinter.cell(word)));
    return words.toString();
  }
}
