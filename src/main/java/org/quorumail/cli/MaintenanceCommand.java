package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.Units;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** The command {@code maintenance}: takes a node out of service, and puts it back. */
@Command(
    name = "maintenance",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Take a node out of service: it accepts no mail, and its spool moves to another node; it"
            + " replicates and votes on.",
    footer = {"", "Example: quorumail maintenance enter --reason \"new disk\""})
final class MaintenanceCommand extends CommandGroup {
  private static final String PATH = "/api/maintenance";
  private static final Duration POLL = Duration.ofMillis(300);

  /** The time that the transfers of the groups get beyond the drain timeout. */
  private static final Duration TRANSFER_GRACE = Duration.ofSeconds(30);

  /** Another node than the one that is called. */
  static final class NodeOption {
    @Option(
        names = "--node",
        paramLabel = "ID",
        description = "The node that is meant. Default: the node of the control socket.")
    private @Nullable String node;

    String path(String operation) {
      return PATH + operation + (node == null ? "" : "?node=" + encode(node));
    }
  }

  @Command(
      name = "enter",
      mixinStandardHelpOptions = true,
      description = "Begin maintenance and wait until the node has no work left.",
      footer = {
        "",
        "New mail gets 421. The exit code is 1 when work is left after the drain timeout.",
        "Examples:",
        "  quorumail maintenance enter --reason \"new disk\"",
        "  quorumail maintenance enter --node node-2 --target node-3 --drain-timeout 1m"
      })
  int enter(
      @Mixin NodeOptions options,
      @Mixin NodeOption node,
      @Option(
              names = "--drain-timeout",
              defaultValue = "5m",
              paramLabel = "DURATION",
              description =
                  "Time for running transactions and deliveries; then they are cut off. Default:"
                      + " ${DEFAULT-VALUE}")
          Duration drainTimeout,
      @Option(
              names = "--no-migrate",
              description = "Keep the spool on the node, which goes on delivering.")
          boolean keepsSpool,
      @Option(names = "--reason", description = "Why, for other operators.")
          @Nullable String reason,
      @Option(
              names = "--target",
              paramLabel = "ID",
              split = ",",
              description = "A node that may get the spool; may be repeated. Default: any.")
          @Nullable List<String> targets)
      throws CommandException {
    StringBuilder path = new StringBuilder(node.path("/enter"));
    path.append(path.indexOf("?") < 0 ? '?' : '&');
    path.append("drain_timeout=").append(encode(Units.format(drainTimeout)));
    if (keepsSpool) path.append("&migrate=false");
    if (reason != null) path.append("&reason=").append(encode(reason));
    if (targets != null) targets.forEach(t -> path.append("&target=").append(encode(t)));
    JsonNode status = options.client().call("POST", path.toString());
    long until = System.nanoTime() + drainTimeout.plus(TRANSFER_GRACE).toNanos();
    String shown = "";
    while (isDraining(status) && System.nanoTime() - until < 0) {
      String progress = progress(status);
      if (!options.isJson() && !progress.equals(shown)) print(options.out(), progress);
      shown = progress;
      pause();
      status = options.client().call("GET", node.path(""));
    }
    options.print(status, MaintenanceCommand::printStatus);
    return isDraining(status) ? ExitCode.FAILED : ExitCode.DONE;
  }

  @Command(
      name = "exit",
      mixinStandardHelpOptions = true,
      description = "End maintenance: the node accepts mail again and gets its spool back.",
      footer = {"", "Example: quorumail maintenance exit"})
  int exit(@Mixin NodeOptions options, @Mixin NodeOption node) throws CommandException {
    options.print(
        options.client().call("POST", node.path("/exit")), MaintenanceCommand::printStatus);
    return ExitCode.DONE;
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Show whether the node is in maintenance, and what it still does.",
      footer = {"", "Example: quorumail maintenance status --node node-2"})
  int status(@Mixin NodeOptions options, @Mixin NodeOption node) throws CommandException {
    options.print(options.client().call("GET", node.path("")), MaintenanceCommand::printStatus);
    return ExitCode.DONE;
  }

  private static boolean isDraining(JsonNode status) {
    return status.path("state").asString("").equals("draining");
  }

  private static String progress(JsonNode status) {
    return "draining: %s transactions, %s deliveries, leads %s"
        .formatted(
            JsonPrinter.cell(status.path("transactions")),
            JsonPrinter.cell(status.path("deliveries")),
            words(status.path("leads")));
  }

  private static void printStatus(JsonNode status, PrintWriter out) {
    JsonPrinter.printFields(status, out);
    out.println("targets: " + words(status.path("targets")));
    out.println("leads: " + words(status.path("leads")));
    out.println("waiting_for: " + words(status.path("waiting_for")));
  }

  private static String words(JsonNode list) {
    if (list.isEmpty()) return "-";
    return String.join(", ", list.valueStream().map(JsonPrinter::cell).toList());
  }

  private static void print(PrintWriter out, String line) {
    out.println(line);
    out.flush();
  }

  private static void pause() throws CommandException {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException(ExitCode.FAILED, "interrupted; the node goes on draining");
    }
  }
}
