package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** Which messages a queue command is about. */
final class QueueFilter {
  /** Pages of this size: few calls, short answers. */
  private static final int PAGE_SIZE = 500;

  @Option(
      names = "--status",
      paramLabel = "S",
      description = "pending, in-progress, completed, failed, retry, expired or held.")
  private @Nullable String status;

  @Option(names = "--domain", paramLabel = "D", description = "With a recipient in this domain.")
  private @Nullable String domain;

  @Option(names = "--sender", paramLabel = "P", description = "Whose sender begins so.")
  private @Nullable String sender;

  @Option(names = "--older-than", paramLabel = "T", description = "Older than 30s, 5m, 1h, 2d.")
  private @Nullable String olderThan;

  @Option(names = "--limit", paramLabel = "N", description = "At most so many.")
  private @Nullable Integer limit;

  /** Whether anything narrows the choice. */
  boolean hasCriteria() {
    return status != null || domain != null || sender != null || olderThan != null;
  }

  /** Takes some messages. */
  interface PageConsumer {
    void accept(List<JsonNode> messages) throws CommandException;
  }

  /**
   * The messages, page by page.
   *
   * @param most how many, unless {@code --limit} says so
   */
  void forEachPage(ControlSocketClient node, int most, PageConsumer page) throws CommandException {
    if (limit != null && limit < 1) {
      throw new CommandException(ExitCode.USAGE, "--limit is at least 1");
    }
    int left = limit == null ? most : limit;
    String cursor = "";
    do {
      int wanted = Math.min(PAGE_SIZE, left);
      JsonNode answer = node.call("GET", "/api/queue?limit=" + wanted + query(cursor));
      List<JsonNode> messages = new ArrayList<>();
      answer.path("messages").forEach(messages::add);
      page.accept(messages);
      left -= messages.size();
      cursor = answer.path("cursor").asString("");
    } while (left > 0 && !cursor.isEmpty());
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
