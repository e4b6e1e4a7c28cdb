package org.quorumail.cli;

import org.jspecify.annotations.Nullable;
import org.quorumail.cli.NodeConnection.Answer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The messages that a command changes: one by its id, or all that fit a filter. */
final class QueueChoice {
  @Mixin private QueueFilter filter = new QueueFilter();

  @Parameters(paramLabel = "ID", arity = "0..1")
  private @Nullable String id;

  /** One call for each message. */
  record Step(String method, String verb) {}

  /** How far a command has come. */
  private static final class Tally {
    int changed;
    int leftAlone;
    String reason = "";
  }

  /**
   * Takes the steps for each message. Of those chosen by a filter, some may come to their end
   * meanwhile, and some may not allow it: that does not keep it from the others.
   *
   * @param done what is said of each
   */
  int change(NodeOptions options, String done, Step... steps) throws CommandException {
    NodeConnection node = options.node();
    Tally tally = new Tally();
    if (id != null) {
      for (Step step : steps) node.call(step.method, QueueCommand.path(id, step.verb));
      tell(options, id, done, tally);
    } else {
      if (!filter.narrows()) {
        throw new CommandException(
            ExitCode.USAGE, "name a message, or choose some by --status, --domain, --sender …");
      }
      filter.pages(
          node,
          Integer.MAX_VALUE,
          page -> {
            for (JsonNode message : page) {
              String each = message.path("id").asString("");
              if (take(node, each, steps, tally)) tell(options, each, done, tally);
            }
          });
    }
    return end(options, tally);
  }

  private static boolean take(NodeConnection node, String id, Step[] steps, Tally tally)
      throws CommandException {
    for (Step step : steps) {
      Answer answer = node.ask(step.method, QueueCommand.path(id, step.verb));
      switch (answer.status()) {
        case NodeConnection.NOT_FOUND -> {
          return false;
        }
        case NodeConnection.CONFLICT -> {
          tally.leftAlone++;
          tally.reason = answer.refusal();
          return false;
        }
        default -> {
          if (!answer.carriedOut()) throw new CommandException(ExitCode.FAILED, answer.refusal());
        }
      }
    }
    return true;
  }

  private static void tell(NodeOptions options, String id, String done, Tally tally) {
    tally.changed++;
    if (!options.json()) options.out().println(id + " " + done);
  }

  private static int end(NodeOptions options, Tally tally) throws CommandException {
    if (options.json()) {
      ObjectNode count = JsonMapper.shared().createObjectNode().put("changed", tally.changed);
      options.print(count, (answer, out) -> {});
    }
    if (tally.leftAlone > 0) {
      String what = "%d messages were left alone: %s".formatted(tally.leftAlone, tally.reason);
      throw new CommandException(ExitCode.FAILED, what);
    }
    if (tally.changed == 0) throw new CommandException(ExitCode.NOT_FOUND, "no message fits");
    return ExitCode.DONE;
  }
}
