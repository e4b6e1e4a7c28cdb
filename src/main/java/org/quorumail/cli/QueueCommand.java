package org.quorumail.cli;

import static java.util.stream.Collectors.joining;
import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.cli.ControlSocketClient.ApiResponse;
import org.quorumail.cli.MessageSelection.MessageCall;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The command {@code queue}: lists and changes messages that wait for delivery. */
@Command(
    name = "queue",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "List, count, hold, release, retry, reroute, bounce and delete queued messages.",
    footer = {
      "",
      "Examples:",
      "  quorumail queue list --status retry --domain example.org",
      "  quorumail queue hold 01KAF2C7Q3S0V4J1N9XG5T8Z6B",
      "  quorumail queue delete --sender bulk@ --older-than 2d --yes"
    })
final class QueueCommand extends CommandGroup {
  /** The number of messages that a person reads; {@code --limit} changes it. */
  private static final int DEFAULT_LIMIT = 100;

  /** The lines of the body that {@code view} shows. */
  private static final int BODY_LINES = 10;

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description =
          "List the messages of all spools, a hundred unless --limit says otherwise; any node"
              + " answers for the cluster.",
      footer = {"", "Example: quorumail queue list --status retry --older-than 1h --limit 20"})
  int list(@Mixin NodeOptions options, @Mixin QueueFilter filter) throws CommandException {
    ArrayNode messages = JsonMapper.shared().createArrayNode();
    filter.forEachPage(
        options.client(),
        DEFAULT_LIMIT,
        page -> {
          page.path("messages").forEach(messages::add);
          return page.path("messages").size();
        });
    options.print(messages, QueueTable::print);
    if (!filter.note().isEmpty()) options.err().println("note: " + filter.note());
    filter.missing().print(options);
    return ExitCode.DONE;
  }

  @Command(
      name = "count",
      mixinStandardHelpOptions = true,
      description = "Count the messages of all spools that a filter selects.",
      footer = {"", "Example: quorumail queue count --class mailbox-full --older-than 1d"})
  int count(@Mixin NodeOptions options, @Mixin QueueFilter filter) throws CommandException {
    return filter.printCount(options, options.client());
  }

  @Command(
      name = "view",
      mixinStandardHelpOptions = true,
      description =
          "Show one message: the state of each recipient, the header and the first lines of the"
              + " body.",
      footer = {"", "Example: quorumail queue view 01KAF2C7Q3S0V4J1N9XG5T8Z6B"})
  int view(@Mixin NodeOptions options, @Parameters(paramLabel = "ID") String id)
      throws CommandException {
    show(options, id);
    return ExitCode.DONE;
  }

  static void show(NodeOptions options, String id) throws CommandException {
    ControlSocketClient node = options.client();
    ObjectNode message = (ObjectNode) node.call("GET", path(id, ""));
    ApiResponse text = node.send("GET", path(id, "/text"));
    if (text.isSuccess()) message.set("text", text.body()); // else it has ended meanwhile
    options.print(message, QueueCommand::printMessage);
  }

  private static void printMessage(JsonNode answer, PrintWriter out) {
    ObjectNode message = (ObjectNode) answer.deepCopy();
    JsonNode text = message.remove("text");
    JsonPrinter.printFields(message, out);
    out.println();
    JsonPrinter.table(
            message.path("recipients"),
            "address",
            "status",
            "attempts",
            "next_attempt",
            "class",
            "last_reply")
        .print(out);
    if (text != null) printText(text, out);
  }

  private static void printText(JsonNode text, PrintWriter out) {
    out.println();
    text.path("header").asString("").lines().forEach(l -> out.println(TextTable.escape(l)));
    out.println();
    List<String> body = text.path("body").asString("").lines().toList();
    body.stream().limit(BODY_LINES).forEach(l -> out.println(TextTable.escape(l)));
    if (body.size() > BODY_LINES || !text.path("complete").asBoolean(true)) out.println("[…]");
  }

  @Command(
      name = "retry",
      mixinStandardHelpOptions = true,
      description = "Make messages due now.",
      footer = {
        "",
        "Examples:",
        "  quorumail queue retry 01KAF2C7Q3S0V4J1N9XG5T8Z6B",
        "  quorumail queue retry --domain example.org",
        "  quorumail queue retry 01KAF2C7Q3S0V4J1N9XG5T8Z6B --force   also if it is held"
      })
  int retry(
      @Mixin NodeOptions options,
      @Mixin MessageSelection choice,
      @Option(names = "--force", description = "Release held messages first.") boolean force)
      throws CommandException {
    return choice.change(options, new MessageCall("retry", force ? "force=true&" : "", "due now"));
  }

  @Command(
      name = "hold",
      mixinStandardHelpOptions = true,
      description = "Hold messages until they are released.",
      footer = {"", "Example: quorumail queue hold --sender bulk@example.org"})
  int hold(@Mixin NodeOptions options, @Mixin MessageSelection choice) throws CommandException {
    return choice.change(options, new MessageCall("hold", "", "held"));
  }

  @Command(
      name = "release",
      mixinStandardHelpOptions = true,
      description = "Release held messages.",
      footer = {"", "Example: quorumail queue release --status held"})
  int release(@Mixin NodeOptions options, @Mixin MessageSelection choice) throws CommandException {
    return choice.change(options, new MessageCall("release", "", "released"));
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Delete messages without a report to the sender.",
      footer = {"", "Example: quorumail queue delete 01KAF2C7Q3S0V4J1N9XG5T8Z6B --yes"})
  int delete(@Mixin NodeOptions options, @Mixin MessageSelection choice) throws CommandException {
    return choice.change(
        options,
        new MessageCall(
            "DELETE",
            "",
            "",
            "deleted",
            "deleted mail cannot be restored and its sender gets no report"));
  }

  @Command(
      name = "bounce",
      mixinStandardHelpOptions = true,
      description = "End messages as failed, with a report to the sender.",
      footer = {
        "",
        "Examples:",
        "  quorumail queue bounce 01KAF2C7Q3S0V4J1N9XG5T8Z6B --yes --reason \"sent by mistake\"",
        "  quorumail queue bounce --sender bulk@example.org --count"
      })
  int bounce(
      @Mixin NodeOptions options,
      @Mixin MessageSelection choice,
      @Option(names = "--reason", paramLabel = "R", description = "Reason, which the report has.")
          @Nullable String reason,
      @Option(names = "--silent", description = "Without a report to the sender.") boolean silent)
      throws CommandException {
    String parameters = silent ? "silent=true&" : "";
    if (reason != null) parameters += "reason=" + encode(reason) + "&";
    return choice.change(
        options,
        new MessageCall("POST", "bounce", parameters, "bounced", "bounced mail is not sent again"));
  }

  @Command(
      name = "stats",
      mixinStandardHelpOptions = true,
      description = "Count messages by status.",
      footer = {
        "",
        "Examples:",
        "  quorumail queue stats --watch --interval 5",
        "  quorumail queue stats --by destination"
      })
  int stats(
      @Mixin NodeOptions options,
      @Option(names = "--watch", description = "Repeat until interrupted; redraws on a terminal.")
          boolean watch,
      @Option(
              names = "--by",
              paramLabel = "P",
              description =
                  "Divide what waits by destination, sender, error or class, with its age.")
          @Nullable String by,
      @Option(
              names = "--interval",
              paramLabel = "N",
              defaultValue = "2",
              description = "Seconds between repetitions. Default: 2.")
          int interval)
      throws CommandException, InterruptedException {
    ControlSocketClient node = options.client();
    boolean redraws = watch && !options.isJson() && Terminal.isTerminal();
    do {
      JsonNode stats = node.call("GET", "/api/queue/stats" + (by == null ? "" : "/" + encode(by)));
      options.print(
          stats,
          (answer, out) -> {
            if (by == null) printStats(answer, redraws, out);
            else QueueTable.printBreakdown(answer, redraws, out);
          });
      MissingAnswers missing = new MissingAnswers();
      missing.add(stats);
      missing.print(options);
      if (watch) Thread.sleep(Math.max(1, interval) * 1_000L);
    } while (watch);
    return ExitCode.DONE;
  }

  /**
   * Prints the totals.
   *
   * @param redraws whether they replace what the terminal shows
   */
  static void printStats(JsonNode stats, boolean redraws, PrintWriter out) {
    if (redraws) out.print(Terminal.CLEAR_SCREEN);
    ObjectNode totals = (ObjectNode) stats.deepCopy();
    totals.remove("missing");
    JsonPrinter.printFields(totals, out);
  }

  @Command(
      name = "process-now",
      mixinStandardHelpOptions = true,
      description = "Start a scan for due mail now, on all nodes.",
      footer = {"", "Example: quorumail queue process-now"})
  int processNow(@Mixin NodeOptions options) throws CommandException {
    JsonNode done = options.client().call("POST", "/api/queue/process-now");
    options.print(
        done, (answer, out) -> out.println("the scan for due mail has started" + onNodes(answer)));
    MissingAnswers.printUnreached(options, done);
    return ExitCode.DONE;
  }

  @Command(
      name = "suspend",
      mixinStandardHelpOptions = true,
      description =
          "Suspend delivery to a domain for a time, on all nodes; restarts do not end it.",
      footer = {
        "",
        "Example: quorumail queue suspend --domain example.org --for 2h --reason \"their disk is"
            + " full\""
      })
  int suspend(
      @Mixin NodeOptions options,
      @Option(names = "--domain", paramLabel = "D", required = true, description = "Domain.")
          String domain,
      @Option(names = "--for", paramLabel = "T", description = "Time. Default: 24h.")
          @Nullable Duration time,
      @Option(names = "--reason", paramLabel = "R", description = "Reason, which lists show.")
          @Nullable String reason)
      throws CommandException {
    String query = "?domain=" + encode(domain);
    if (time != null) query += "&for=" + time.toMillis() + "ms";
    if (reason != null) query += "&reason=" + encode(reason);
    JsonNode done = options.client().call("POST", "/api/queue/suspend" + query);
    options.print(
        done,
        (answer, out) ->
            out.println(
                JsonPrinter.cell(answer.path("domain"))
                    + " is suspended for "
                    + JsonPrinter.cell(answer.path("seconds_left"))
                    + " s, until "
                    + JsonPrinter.cell(answer.path("until"))));
    return ExitCode.DONE;
  }

  @Command(
      name = "resume",
      mixinStandardHelpOptions = true,
      description = "End a suspension.",
      footer = {"", "Example: quorumail queue resume --domain example.org"})
  int resume(
      @Mixin NodeOptions options,
      @Option(names = "--domain", paramLabel = "D", required = true, description = "Domain.")
          String domain)
      throws CommandException {
    JsonNode done = options.client().call("POST", "/api/queue/resume?domain=" + encode(domain));
    options.print(
        done,
        (answer, out) -> out.println(JsonPrinter.cell(answer.path("domain")) + " is resumed"));
    return ExitCode.DONE;
  }

  @Command(
      name = "suspensions",
      mixinStandardHelpOptions = true,
      description = "List the suspended domains, until when, why, by whom, and on which nodes.",
      footer = {"", "Example: quorumail queue suspensions"})
  int suspensions(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/queue/suspensions"),
        (answer, out) ->
            printRows(answer, out, "domain", "seconds_left", "until", "author", "reason"));
    return ExitCode.DONE;
  }

  @Command(
      name = "reroute",
      mixinStandardHelpOptions = true,
      description = "Send the queued and future mail of a domain to a host, starting now.",
      footer = {
        "",
        "Example: quorumail queue reroute --domain example.org --to relay.example.net:2525",
        "Ends with: quorumail dns remove-override example.org"
      })
  int reroute(
      @Mixin NodeOptions options,
      @Option(names = "--domain", paramLabel = "D", required = true, description = "Domain.")
          String domain,
      @Option(
              names = "--to",
              paramLabel = "HOST[:PORT]",
              required = true,
              description = "Next hop.")
          String to)
      throws CommandException {
    String query = "?domain=" + encode(domain) + "&to=" + encode(to);
    JsonNode done = options.client().call("POST", "/api/queue/reroute" + query);
    options.print(
        done,
        (answer, out) ->
            out.println(
                JsonPrinter.cell(answer.path("domain"))
                    + " is routed to "
                    + JsonPrinter.cell(answer.path("host"))
                    + onNodes(answer)
                    + ", "
                    + JsonPrinter.cell(answer.path("due"))
                    + " waiting messages are due now"));
    MissingAnswers.printUnreached(options, done);
    return ExitCode.DONE;
  }

  @Command(
      name = "classify",
      mixinStandardHelpOptions = true,
      description =
          "Show the class of a reply, the rule that gives it and the action that follows, by the"
              + " rules that the configuration names; no node is needed.",
      footer = {
        "",
        "Examples:",
        "  quorumail queue classify \"550 5.1.1 no such user\"",
        "  quorumail queue classify --file replies.txt      one reply per line; - reads them",
        "  quorumail queue classify --rules new.toml \"451 4.7.1 slow down\"",
        "  quorumail queue classify --live \"452 4.2.2 full\"  by the rules that the node uses"
      })
  int classify(@Mixin NodeOptions options, @Mixin ReplyClassification replies)
      throws CommandException {
    return replies.run(options);
  }

  /** Prints a table whose rows name the nodes that have them, unless the node stands alone. */
  static void printRows(JsonNode rows, PrintWriter out, String... columns) {
    List<String> all = new ArrayList<>(List.of(columns));
    ArrayNode named = JsonMapper.shared().createArrayNode();
    for (JsonNode row : rows) {
      ObjectNode copy = (ObjectNode) row.deepCopy();
      JsonNode nodes = copy.path("nodes");
      if (nodes.isArray()) {
        copy.put("nodes", nodes.valueStream().map(JsonNode::asString).collect(joining(",")));
        if (all.size() == columns.length) all.add("nodes");
      }
      named.add(copy);
    }
    JsonPrinter.table(named, all.toArray(String[]::new)).print(out);
  }

  /** The number of nodes that an order has reached; nothing for a node that stands alone. */
  static String onNodes(JsonNode answer) {
    int nodes = answer.path("nodes").asInt(1);
    return nodes == 1 ? "" : " on " + nodes + " nodes";
  }

  static String path(String id, String verb) {
    return "/api/queue/" + encode(id) + verb;
  }
}
