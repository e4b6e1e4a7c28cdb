package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The options that select messages for a queue command. */
final class QueueFilter {
  /** Messages per page: few calls, short responses. */
  private static final int PAGE_SIZE = 500;

  @Option(
      names = "--status",
      paramLabel = "S",
      description = "pending, in-progress, completed, failed, retry, expired or held.")
  private @Nullable String status;

  @Option(
      names = "--domain",
      paramLabel = "D",
      description = "Messages with a recipient in this domain.")
  private @Nullable String domain;

  @Option(
      names = "--sender",
      paramLabel = "P",
      description = "Messages whose sender starts with P; case does not count.")
  private @Nullable String sender;

  @Option(
      names = "--recipient",
      paramLabel = "P",
      description = "Messages with a recipient that starts with P; case does not count.")
  private @Nullable String recipient;

  @Option(
      names = "--larger",
      paramLabel = "SIZE",
      description = "Messages of at least this size: 512KB, 10MB.")
  private @Nullable String larger;

  @Option(
      names = "--attempts",
      paramLabel = "N",
      description = "Messages with a recipient that was tried at least N times.")
  private @Nullable String attempts;

  @Option(
      names = "--error",
      paramLabel = "TEXT",
      description = "Messages that wait after a reply with this text; case does not count.")
  private @Nullable String error;

  @Option(
      names = "--class",
      paramLabel = "C",
      description = "Messages that wait after a failure of this class: mailbox-full, network.")
  private @Nullable String failureClass;

  @Option(
      names = "--older-than",
      paramLabel = "T",
      description = "Messages older than T: 30s, 5m, 1h, 2d.")
  private @Nullable String olderThan;

  @Option(names = "--limit", paramLabel = "N", description = "At most N messages.")
  private @Nullable Integer limit;

  /** True when an option restricts the selection. */
  boolean hasCriteria() {
    return !query("").isEmpty();
  }

  private String note = "";
  private final MissingAnswers missing = new MissingAnswers();

  /** The remark of the node about the last query; empty when it has none. */
  String note() {
    return note;
  }

  /** The nodes and spools that did not answer the last query. */
  MissingAnswers missing() {
    return missing;
  }

  /** A consumer of one answer of the node; returns the number of messages in it. */
  interface PageConsumer {
    int accept(JsonNode answer) throws CommandException;
  }

  /**
   * Passes the selected messages page by page.
   *
   * @param most their number without {@code --limit}
   */
  void forEachPage(ControlSocketClient node, int most, PageConsumer page) throws CommandException {
    forEachPage(node, "GET", "/api/queue?", most, page);
  }

  /**
   * Calls an operation about the selected messages page by page.
   *
   * @param target ends where its parameters go on
   */
  void forEachPage(
      ControlSocketClient node, String method, String target, int most, PageConsumer page)
      throws CommandException {
    if (limit != null && limit < 1) {
      throw new CommandException(ExitCode.USAGE, "--limit must be at least 1");
    }
    int remaining = limit == null ? most : limit;
    String cursor = "";
    do {
      int wanted = Math.min(PAGE_SIZE, remaining);
      JsonNode answer = node.call(method, target + "limit=" + wanted + query(cursor));
      note = answer.path("note").asString("");
      missing.add(answer);
      remaining -= page.accept(answer);
      cursor = answer.path("cursor").asString("");
    } while (remaining > 0 && !cursor.isEmpty());
  }

  /** Counts the selected messages, at most {@code --limit}; a person sees the progress. */
  long count(NodeOptions options, ControlSocketClient node) throws CommandException {
    long count = 0;
    String cursor = "";
    do {
      JsonNode answer = node.call("GET", "/api/queue/count?limit=1" + query(cursor));
      missing.add(answer);
      count += answer.path("messages").asLong();
      cursor = answer.path("cursor").asString("");
      if (!cursor.isEmpty()) Terminal.progress(options, "%,d messages so far".formatted(count));
    } while (!cursor.isEmpty());
    return limit == null ? count : Math.min(limit, count);
  }

  /** Prints the number of the selected messages. */
  int printCount(NodeOptions options, ControlSocketClient node) throws CommandException {
    ObjectNode answer = JsonMapper.shared().createObjectNode();
    answer.put("messages", count(options, node));
    options.print(answer, (counted, out) -> out.println(counted.path("messages").asLong()));
    missing.print(options);
    return ExitCode.DONE;
  }

  private String query(String cursor) {
    return parameter("status", status)
        + parameter("domain", domain)
        + parameter("sender", sender)
        + parameter("recipient", recipient)
        + parameter("larger", larger)
        + parameter("attempts", attempts)
        + parameter("error", error)
        + parameter("class", failureClass)
        + parameter("older_than", olderThan)
        + parameter("cursor", cursor.isEmpty() ? null : cursor);
  }

  private static String parameter(String name, @Nullable String value) {
    if (value == null) return "";
    return "&" + name + "=" + encode(value);
  }
}
