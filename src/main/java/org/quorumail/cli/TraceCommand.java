package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The command {@code trace}: what has happened to a message; any node answers for all. */
@Command(
    name = "trace",
    mixinStandardHelpOptions = true,
    description =
        "Show what has happened to a message, also after it has gone: who brought it, each attempt"
            + " with the words of the remote host, and the state of each recipient.",
    footer = {
      "",
      "Examples:",
      "  quorumail trace 01KAF2C7Q3S0V4J1N9XG5T8Z6B",
      "  quorumail trace --recipient ada@example.org --limit 5",
      "  quorumail trace --message-id \"<4711@example.org>\" --format json"
    })
final class TraceCommand implements Callable<Integer> {
  /** The fields that begin the line of an event, or are the same in all lines. */
  private static final List<String> NOT_REPEATED =
      List.of("id", "time", "type", "queue_id", "sender");

  private static final List<String> NOT_SHOWN = List.of("id", "time", "type", "queue_id");

  @Mixin private NodeOptions options = new NodeOptions();

  @Parameters(paramLabel = "ID", arity = "0..1", description = "Queue id of the message.")
  private @Nullable String id;

  @Option(names = "--recipient", paramLabel = "R", description = "Messages to this address.")
  private @Nullable String recipient;

  @Option(names = "--sender", paramLabel = "S", description = "Messages from this address.")
  private @Nullable String sender;

  @Option(names = "--message-id", paramLabel = "M", description = "Messages with this Message-ID.")
  private @Nullable String messageId;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Number of messages, the newest first. Default: 20.")
  private int limit = 20;

  @Override
  public Integer call() throws CommandException {
    ControlSocketClient node = options.client();
    if (id != null) {
      options.print(node.call("GET", "/api/trace/" + encode(id)), TraceCommand::printMessage);
      return ExitCode.DONE;
    }
    JsonNode found = node.call("GET", "/api/trace?" + query() + "&limit=" + limit);
    options.print(found, TraceCommand::printMessages);
    MissingAnswers missing = new MissingAnswers();
    missing.add(found);
    missing.print(options);
    return found.path("messages").isEmpty() ? ExitCode.NOT_FOUND : ExitCode.DONE;
  }

  private String query() throws CommandException {
    if (recipient != null) return "recipient=" + encode(recipient);
    if (sender != null) return "sender=" + encode(sender);
    if (messageId != null) return "message_id=" + encode(messageId);
    throw new CommandException(
        ExitCode.USAGE, "give a queue id, --recipient, --sender or --message-id");
  }

  private static void printMessages(JsonNode found, PrintWriter out) {
    boolean first = true;
    for (JsonNode message : found.path("messages")) {
      if (!first) out.println();
      first = false;
      printMessage(message, out);
    }
    if (first) out.println("no message is found");
  }

  private static void printMessage(JsonNode message, PrintWriter out) {
    JsonPrinter.printFields(message, out);
    JsonPrinter.table(message.path("recipients"), "address", "state", "since", "attempts", "reply")
        .print(out);
    out.println();
    for (JsonNode event : message.path("events")) {
      out.println(line(event, NOT_REPEATED, message.path("id").asString("")));
    }
  }

  /** The values come from other hosts too: no control character of theirs reaches the terminal. */
  static String line(JsonNode event) {
    return line(event, NOT_SHOWN, "");
  }

  private static String line(JsonNode event, List<String> without, String message) {
    StringBuilder line = new StringBuilder();
    line.append(event.path("time").asString("")).append(' ');
    line.append(event.path("type").asString(""));
    String about = event.path("queue_id").asString("");
    if (!about.equals(message)) line.append(" queue_id=").append(about);
    for (var field : event.properties()) {
      if (without.contains(field.getKey())) continue;
      JsonNode value = field.getValue();
      String text = value.isContainer() ? value.toString() : value.asString("");
      line.append(' ').append(field.getKey()).append('=');
      line.append(text.contains(" ") ? '"' + text + '"' : text);
    }
    return TextTable.escape(line.toString());
  }
}
