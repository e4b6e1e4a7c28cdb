package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code dns}: the resolver's cache, and hosts that take a domain's mail in place of its MX. */
@Command(
    name = "dns",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Look at the cache of name lookups; set hosts for domains.",
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
      description = "Answers that are still good, with the seconds that are left to them.",
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
      description = "Forget all answers.",
      footer = {"", "Example: quorumail dns clear-cache"})
  int clearCache(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("DELETE", "/api/dns/cache"),
        (answer, out) -> out.println(answer.path("cleared").asString("0") + " answers forgotten"));
    return ExitCode.DONE;
  }

  @Command(
      name = "refresh",
      mixinStandardHelpOptions = true,
      description = "Ask anew for a domain's mail hosts; exit 1 when there are none.",
      footer = {"", "Example: quorumail dns refresh example.org"})
  int refresh(@Mixin NodeOptions options, @Parameters(paramLabel = "DOMAIN") String domain)
      throws CommandException {
    JsonNode answer = options.client().call("POST", "/api/dns/refresh/" + encode(domain));
    String problem = answer.path("problem").asString("");
    if (!problem.isEmpty()) throw new CommandException(ExitCode.FAILED, problem);
    options.print(answer, DnsCommand::printHosts);
    return ExitCode.DONE;
  }

  private static void printHosts(JsonNode answer, PrintWriter out) {
    answer.path("hosts").forEach(host -> out.println(JsonPrinter.cell(host)));
  }

  @Command(
      name = "list-overrides",
      mixinStandardHelpOptions = true,
      description = "Hosts set for domains, by operators and in the configuration.",
      footer = {"", "Example: quorumail dns list-overrides"})
  int listOverrides(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/dns/overrides"),
        (answer, out) -> JsonPrinter.table(answer, "domain", "host", "source").print(out));
    return ExitCode.DONE;
  }

  @Command(
      name = "set-override",
      mixinStandardHelpOptions = true,
      description = "Send a domain's mail to a host from now on; this node keeps it over restarts.",
      footer = {"", "Example: quorumail dns set-override example.org relay.example.net:2525"})
  int setOverride(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Parameters(paramLabel = "HOST[:PORT]") String host)
      throws CommandException {
    String path = "/api/dns/overrides/" + encode(domain) + "?host=" + encode(host);
    options.print(
        options.client().call("PUT", path),
        (set, out) ->
            out.println(
                JsonPrinter.cell(set.path("domain"))
                    + " goes to "
                    + JsonPrinter.cell(set.path("host"))));
    return ExitCode.DONE;
  }

  @Command(
      name = "remove-override",
      mixinStandardHelpOptions = true,
      description = "End what set-override began.",
      footer = {"", "Example: quorumail dns remove-override example.org"})
  int removeOverride(@Mixin NodeOptions options, @Parameters(paramLabel = "DOMAIN") String domain)
      throws CommandException {
    options.print(
        options.client().call("DELETE", "/api/dns/overrides/" + encode(domain)),
        (was, out) ->
            out.println(JsonPrinter.cell(was.path("domain")) + " goes its own way again"));
    return ExitCode.DONE;
  }
}
