package org.quorumail.cli;

import org.jspecify.annotations.Nullable;
import org.quorumail.cli.ControlSocketClient.ApiResponse;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The messages that a command changes: one by its id, or all that fit a filter. */
final class MessageSelection {
  @Mixin private QueueFilter filter = new QueueFilter();

  @Parameters(paramLabel = "ID", arity = "0..1")
  private @Nullable String id;

  /** One call for each message. */
  record MessageCall(String method, String verb) {}

  /** How far a command has come. */
  private static final class ChangeCount {
    int changed;
    int skipped;
    String reason = "";
  }

  /**
   * Takes the steps for each message. Of those chosen by a filter, some may come to their end
   * meanwhile, and some may not allow it: that does not keep it from the others.
   *
   * @param done what is said of each
   */
  int change(NodeOptions options, String done, MessageCall... steps) throws CommandException {
    ControlSocketClient node = options.client();
    ChangeCount tally = new ChangeCount();
    if (id != null) {
      for (MessageCall step : steps) node.call(step.method, QueueCommand.path(id, step.verb));
      printChanged(options, id, done, tally);
    } else {
      if (!filter.hasCriteria()) {
        throw new CommandException(
            ExitCode.USAGE, "name a message, or choose some by --status, --domain, --sender …");
      }
      filter.forEachPage(
          node,
          Integer.MAX_VALUE,
          page -> {
            for (JsonNode message : page) {
              String each = message.path("id").asString("");
              if (changeOne(node, each, steps, tally)) printChanged(options, each, done, tally);
            }
          });
    }
    return finish(options, tally);
  }

  private static boolean changeOne(
      ControlSocketClient node, String id, MessageCall[] steps, ChangeCount tally)
      throws CommandException {
    for (MessageCall step : steps) {
      ApiResponse answer = node.send(step.method, QueueCommand.path(id, step.verb));
      switch (answer.status()) {
        case ControlSocketClient.NOT_FOUND -> {
          return false;
        }
        case ControlSocketClient.CONFLICT -> {
          tally.skipped++;
          tally.reason = answer.problem();
          return false;
        }
        default -> {
          if (!answer.isSuccess()) throw new CommandException(ExitCode.FAILED, answer.problem());
        }
      }
    }
    return true;
  }

  private static void printChanged(NodeOptions options, String id, String done, ChangeCount tally) {
    tally.changed++;
    if (!options.isJson()) options.out().println(id + " " + done);
  }

  private static int finish(NodeOptions options, ChangeCount tally) throws CommandException {
    if (options.isJson()) {
      ObjectNode count = JsonMapper.shared().createObjectNode().put("changed", tally.changed);
      options.print(count, (answer, out) -> {});
    }
    if (tally.skipped > 0) {
      String what = "%d messages were left alone: %s".formatted(tally.skipped, tally.reason);
      throw new CommandException(ExitCode.FAILED, what);
    }
    if (tally.changed == 0) throw new CommandException(ExitCode.NOT_FOUND, "no message fits");
    return ExitCode.DONE;
  }
}
