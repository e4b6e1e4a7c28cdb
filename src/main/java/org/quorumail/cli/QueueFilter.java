package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

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
      names = "--older-than",
      paramLabel = "T",
      description = "Messages older than T: 30s, 5m, 1h, 2d.")
  private @Nullable String olderThan;

  @Option(names = "--limit", paramLabel = "N", description = "At most N messages.")
  private @Nullable Integer limit;

  /** True when an option restricts the selection. */
  boolean hasCriteria() {
    return status != null || domain != null || sender != null || olderThan != null;
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

  /** A consumer of one page of messages. */
  interface PageConsumer {
    void accept(List<JsonNode> messages) throws CommandException;
  }

  /**
   * Passes the selected messages page by page.
   *
   * @param most their number without {@code --limit}
   */
  void forEachPage(ControlSocketClient node, int most, PageConsumer page) throws CommandException {
    if (limit != null && limit < 1) {
      throw new CommandException(ExitCode.USAGE, "--limit must be at least 1");
    }
    int remaining = limit == null ? most : limit;
    String cursor = "";
    do {
      int wanted = Math.min(PAGE_SIZE, remaining);
      JsonNode answer = node.call("GET", "/api/queue?limit=" + wanted + query(cursor));
      List<JsonNode> messages = new ArrayList<>();
      answer.path("messages").forEach(messages::add);
      note = answer.path("note").asString("");
      missing.add(answer);
      page.accept(messages);
      remaining -= messages.size();
      cursor = answer.path("cursor").asString("");
    } while (remaining > 0 && !cursor.isEmpty());
  }

  private String query(String cursor) {
    return parameter("status", status)
        + parameter("domain", domain)
        + parameter("sender", sender)
        + parameter("older_than", olderThan)
        + parameter("cursor", cursor.isEmpty() ? null : cursor);
  }

  private static String parameter(String name, @Nullable String value) {
    if (value == null) return "";
    return "&" + name + "=" + encode(value);
  }
}
