package org.quorumail.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** Which messages a queue command is about. */
final class QueueFilter {
  /** Pages of this size: few calls, short answers. */
  private static final int PAGE = 500;

  @Option(
      names = "--status",
      paramLabel = "S",
      description = "pending, in-progress, completed, failed, retry, expired or held.")
  private @Nullable String status;

  @Option(names = "--domain", paramLabel = "D", description = "With a recipient in this domain.")
  private @Nullable String domain;

  @Option(names = "--sender", paramLabel = "P", description = "With this text in the sender.")
  private @Nullable String sender;

  @Option(names = "--older-than", paramLabel = "T", description = "Older than 30s, 5m, 1h, 2d.")
  private @Nullable String olderThan;

  @Option(names = "--limit", paramLabel = "N", description = "At most so many. Default: 100.")
  private int limit = 100;

  /** Whether anything narrows the choice. */
  boolean narrows() {
    return status != null || domain != null || sender != null || olderThan != null;
  }

  /** The messages, gathered over as many pages as it takes. */
  List<JsonNode> messages(NodeConnection node) throws CommandException {
    List<JsonNode> messages = new ArrayList<>();
    String cursor = "";
    while (messages.size() < limit) {
      int wanted = Math.min(PAGE, limit - messages.size());
      JsonNode page = node.call("GET", "/api/queue?limit=" + wanted + query(cursor));
      page.path("messages").forEach(messages::add);
      cursor = page.path("cursor").asString("");
      if (cursor.isEmpty()) break;
    }
    return messages;
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
    return "&" + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}
