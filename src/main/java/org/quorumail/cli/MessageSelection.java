package org.quorumail.cli;

import org.jspecify.annotations.Nullable;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The messages that a command changes: one by its id, or all that match a filter. */
final class MessageSelection {
  @Mixin private QueueFilter filter = new QueueFilter();

  @Parameters(paramLabel = "ID", arity = "0..1")
  private @Nullable String id;

  @Option(names = "--count", description = "Only print how many messages the filter selects.")
  private boolean countOnly;

  @Option(
      names = "--yes",
      description = "Do not ask. Without a terminal, commands that end messages need it.")
  private boolean yes;

  /**
   * The operation that changes messages.
   *
   * @param verb the end of its path; empty for the messages themselves
   * @param parameters each before an ampersand
   * @param done printed after the id of each changed message
   * @param warning what cannot be undone; empty when all can
   */
  record MessageCall(String method, String verb, String parameters, String done, String warning) {
    MessageCall(String verb, String parameters, String done) {
      this("POST", verb, parameters, done, "");
    }
  }

  /** The counts of changed and skipped messages, and the reason of the last skip. */
  private static final class ChangeCount {
    int changed;
    int skipped;
    String reason = "";
  }

  /**
   * Changes the selected messages. A message that reaches its end meanwhile, or whose state does
   * not allow the change, is skipped, and the others are changed.
   */
  int change(NodeOptions options, MessageCall call) throws CommandException {
    ControlSocketClient node = options.client();
    if (id == null && !filter.hasCriteria()) {
      throw new CommandException(
          ExitCode.USAGE,
          "name a message, or select some by --status, --sender, --recipient, --domain,"
              + " --older-than, --larger, --attempts, --error or --class");
    }
    if (countOnly) return count(options, node);
    boolean asks = id == null && !yes && Terminal.isTerminal() && !options.isJson();
    if (asks) {
      long count = filter.count(options, node);
      if (!Terminal.confirm(options, "%,d messages will be %s: go on?".formatted(count, call.done)))
        throw new CommandException(ExitCode.FAILED, "nothing was changed");
    } else if (!yes && !call.warning.isEmpty()) {
      throw new CommandException(ExitCode.USAGE, call.warning + ": confirm with --yes");
    }
    ChangeCount count = new ChangeCount();
    if (id != null) {
      String verb = call.verb.isEmpty() ? "" : "/" + call.verb;
      node.call(call.method, QueueCommand.path(id, verb) + "?" + call.parameters);
      printChanged(options, id, call, count);
    } else {
      String target = "/api/queue" + (call.verb.isEmpty() ? "" : "/" + call.verb) + "?";
      filter.forEachPage(
          node,
          call.method,
          target + call.parameters,
          Integer.MAX_VALUE,
          answer -> changed(options, answer, call, count));
    }
    filter.missing().print(options);
    return finish(options, count);
  }

  private int count(NodeOptions options, ControlSocketClient node) throws CommandException {
    if (id != null)
      throw new CommandException(ExitCode.USAGE, "--count counts what a filter selects, not an ID");
    return filter.printCount(options, node);
  }

  private static int changed(
      NodeOptions options, JsonNode answer, MessageCall call, ChangeCount count) {
    for (JsonNode changed : answer.path("ids"))
      printChanged(options, TextTable.escape(changed.asString("")), call, count);
    int skipped = answer.path("skipped").asInt(0);
    count.skipped += skipped;
    if (skipped > 0) count.reason = answer.path("reason").asString("");
    Terminal.progress(options, "%,d messages are %s".formatted(count.changed, call.done));
    return answer.path("ids").size() + skipped;
  }

  private static void printChanged(
      NodeOptions options, String id, MessageCall call, ChangeCount count) {
    count.changed++;
    if (!options.isJson()) options.out().println(id + " " + call.done);
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
