package org.quorumail.cli;

import org.jspecify.annotations.Nullable;
import org.quorumail.cli.ControlSocketClient.ApiResponse;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The messages that a command changes: one by its id, or all that match a filter. */
final class MessageSelection {
  @Mixin private QueueFilter filter = new QueueFilter();

  @Parameters(paramLabel = "ID", arity = "0..1")
  private @Nullable String id;

  /** An API call that is sent once for each message. */
  record MessageCall(String method, String verb) {}

  /** The counts of changed and skipped messages, and the reason of the last skip. */
  private static final class ChangeCount {
    int changed;
    int skipped;
    String reason = "";
  }

  /**
   * Sends the calls for each message. A message that reaches its end meanwhile, or whose state does
   * not allow the change, is skipped, and the others are changed.
   *
   * @param done printed after the id of each changed message
   */
  int change(NodeOptions options, String done, MessageCall... calls) throws CommandException {
    ControlSocketClient node = options.client();
    ChangeCount count = new ChangeCount();
    if (id != null) {
      for (MessageCall call : calls) node.call(call.method, QueueCommand.path(id, call.verb));
      printChanged(options, id, done, count);
    } else {
      if (!filter.hasCriteria()) {
        throw new CommandException(
            ExitCode.USAGE,
            "name a message, or select some by --status, --domain, --sender or --older-than");
      }
      filter.forEachPage(
          node,
          Integer.MAX_VALUE,
          page -> {
            for (JsonNode message : page) {
              String messageId = message.path("id").asString("");
              if (changeOne(node, messageId, calls, count))
                printChanged(options, messageId, done, count);
            }
          });
    }
    filter.missing().print(options);
    return finish(options, count);
  }

  private static boolean changeOne(
      ControlSocketClient node, String id, MessageCall[] calls, ChangeCount count)
      throws CommandException {
    for (MessageCall call : calls) {
      ApiResponse response = node.send(call.method, QueueCommand.path(id, call.verb));
      switch (response.status()) {
        case ControlSocketClient.NOT_FOUND -> {
          return false;
        }
        case ControlSocketClient.CONFLICT -> {
          count.skipped++;
          count.reason = response.problem();
          return false;
        }
        default -> {
          if (!response.isSuccess())
            throw new CommandException(ExitCode.FAILED, response.problem());
        }
      }
    }
    return true;
  }

  private static void printChanged(NodeOptions options, String id, String done, ChangeCount count) {
    count.changed++;
    if (!options.isJson()) options.out().println(id + " " + done);
  }

  private static int finish(NodeOptions options, ChangeCount count) throws CommandException {
    if (options.isJson()) {
      ObjectNode changed = JsonMapper.shared().createObjectNode().put("changed", count.changed);
      options.print(changed, (answer, out) -> {});
    }
    if (count.skipped > 0) {
      String message = "%d skipped: %s".formatted(count.skipped, count.reason);
      throw new CommandException(ExitCode.FAILED, message);
    }
    if (count.changed == 0) throw new CommandException(ExitCode.NOT_FOUND, "no message matches");
    return ExitCode.DONE;
  }
}
