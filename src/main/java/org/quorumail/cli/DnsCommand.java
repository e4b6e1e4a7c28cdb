package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The command {@code dns}: the cache of the resolver, and overrides of the MX of domains. */
@Command(
    name = "dns",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Show the DNS cache; override the mail hosts of domains.",
    footer = {
      "",
      "Examples:",
      "  quorumail dns list-cache",
      "  quorumail dns set-override example.org relay.example.net:2525"
    })
final class DnsCommand extends CommandGroup {
  @Command(
      name = "list-cache",
      mixinStandardHelpOptions = true,
      description = "List the cached answers and their remaining seconds.",
      footer = {"", "Example: quorumail dns list-cache --format json"})
  int listCache(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/dns/cache"),
        (answer, out) ->
            JsonPrinter.table(answer, "name", "type", "ttl_seconds", "result", "values")
                .print(out));
    return ExitCode.DONE;
  }

  @Command(
      name = "clear-cache",
      mixinStandardHelpOptions = true,
      description = "Remove all cached answers.",
      footer = {"", "Example: quorumail dns clear-cache"})
  int clearCache(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("DELETE", "/api/dns/cache"),
        (answer, out) -> out.println(answer.path("cleared").asString("0") + " answers removed"));
    return ExitCode.DONE;
  }

  @Command(
      name = "refresh",
      mixinStandardHelpOptions = true,
      description = "Look up the mail hosts of a domain again; exit 1 when there are none.",
      footer = {"", "Example: quorumail dns refresh example.org"})
  int refresh(@Mixin NodeOptions options, @Parameters(paramLabel = "DOMAIN") String domain)
      throws CommandException {
    JsonNode answer = options.client().call("POST", "/api/dns/refresh/" + encode(domain));
    return options.printOrFail(answer, DnsCommand::printHosts);
  }

  private static void printHosts(JsonNode answer, PrintWriter out) {
    answer.path("hosts").forEach(host -> out.println(JsonPrinter.cell(host)));
  }

  @Command(
      name = "list-overrides",
      mixinStandardHelpOptions = true,
      description = "List the overrides, set by operators and by the configuration, and the nodes.",
      footer = {"", "Example: quorumail dns list-overrides"})
  int listOverrides(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/dns/overrides"),
        (answer, out) -> QueueCommand.printRows(answer, out, "domain", "host", "source", "author"));
    return ExitCode.DONE;
  }

  @Command(
      name = "set-override",
      mixinStandardHelpOptions = true,
      description = "Send the mail of a domain to a host, on all nodes; restarts do not end it.",
      footer = {"", "Example: quorumail dns set-override example.org relay.example.net:2525"})
  int setOverride(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Parameters(paramLabel = "HOST[:PORT]") String host)
      throws CommandException {
    String path = "/api/dns/overrides/" + encode(domain) + "?host=" + encode(host);
    JsonNode done = options.client().call("PUT", path);
    options.print(
        done,
        (override, out) ->
            out.println(
                JsonPrinter.cell(override.path("domain"))
                    + " is routed to "
                    + JsonPrinter.cell(override.path("host"))));
    return ExitCode.DONE;
  }

  @Command(
      name = "remove-override",
      mixinStandardHelpOptions = true,
      description = "Remove an override from all nodes.",
      footer = {"", "Example: quorumail dns remove-override example.org"})
  int removeOverride(@Mixin NodeOptions options, @Parameters(paramLabel = "DOMAIN") String domain)
      throws CommandException {
    JsonNode done = options.client().call("DELETE", "/api/dns/overrides/" + encode(domain));
    options.print(
        done,
        (override, out) ->
            out.println(JsonPrinter.cell(override.path("domain")) + " is routed by its MX again"));
    return ExitCode.DONE;
  }
}
