package org.quorumail.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code system}: the process of a node. */
@Command(
    name = "system",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Ask and tell a running node.",
    footer = {"", "Example: quorumail system status -s data/control.sock"})
final class SystemCommand extends CommandGroup {
  @Command(
      name = "ping",
      mixinStandardHelpOptions = true,
      description = "Exit 0 when the node answers, 4 when not.",
      footer = {"", "Example: quorumail system ping && echo up"})
  int ping(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/system/ping"), (answer, out) -> out.println("pong"));
    return ExitCode.DONE;
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Version, uptime and readiness of the node.",
      footer = {"", "Example: quorumail system status --format json"})
  int status(@Mixin NodeOptions options) throws CommandException {
    options.print(options.client().call("GET", "/api/system/status"), JsonPrinter::printFields);
    return ExitCode.DONE;
  }

  @Command(
      name = "reload",
      mixinStandardHelpOptions = true,
      description = "Read file and certificates again; say what counts now.",
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
      description = "Drain, then end the node, as SIGTERM does.",
      footer = {"", "Example: quorumail system shutdown"})
  int shutdown(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("POST", "/api/system/shutdown"),
        (answer, out) -> out.println("the node drains and ends"));
    return ExitCode.DONE;
  }

  private static String joined(tools.jackson.databind.JsonNode list) {
    if (list.isEmpty()) return "nothing";
    java.util.StringJoiner words = new java.util.StringJoiner(", ");
    list.forEach(word -> words.add(JsonPrinter.cell(word)));
    return words.toString();
  }
}
