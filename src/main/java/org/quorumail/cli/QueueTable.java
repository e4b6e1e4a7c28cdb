package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.quorumail.tools.TextTable;
import tools.jackson.databind.JsonNode;

/** The table of {@code queue list}: who waits for each message, and the reason. */
final class QueueTable {
  private static final int MAX_RECIPIENTS = 3;
  private static final int MAX_REASON = 160;

  private QueueTable() {}

  static void print(JsonNode messages, PrintWriter out) {
    TextTable table =
        new TextTable(
            "ID",
            "STATUS",
            "ARRIVED",
            "SIZE",
            "ATTEMPTS",
            "NEXT-ATTEMPT",
            "RELEASE-AT",
            "SENDER",
            "RECIPIENTS",
            "CLASS",
            "REASON");
    for (JsonNode message : messages) {
      table.row(
          cell(message, "id"),
          cell(message, "status"),
          cell(message, "arrived"),
          cell(message, "size"),
          cell(message, "attempts"),
          cell(message, "next_attempt"),
          cell(message, "release_at"),
          cell(message, "sender"),
          recipients(message),
          failureClass(message),
          reason(message));
    }
    table.print(out);
  }

  /** Prints the rows of {@code queue stats --by}, with a column for each age class. */
  static void printBreakdown(JsonNode breakdown, boolean redraws, PrintWriter out) {
    if (redraws) out.print(Terminal.CLEAR_SCREEN);
    List<String> headings = new ArrayList<>(List.of("WAITING", "BYTES", "OLDEST"));
    for (JsonNode age : breakdown.path("ages")) {
      String end = age.asString("");
      headings.add(end.equals("more") ? "MORE" : "<" + end);
    }
    headings.add(breakdown.path("by").asString("").toUpperCase(Locale.ROOT));
    TextTable table = new TextTable(headings.toArray(String[]::new));
    for (JsonNode row : breakdown.path("rows")) {
      List<String> cells = new ArrayList<>();
      cells.add(cell(row, "waiting"));
      cells.add(cell(row, "bytes"));
      cells.add(cell(row, "oldest_age_seconds") + "s");
      row.path("by_age").forEach(n -> cells.add(n.asLong() == 0 ? "-" : n.asString()));
      String key = row.path("key").asString("");
      cells.add(key.isEmpty() ? "<>" : TextTable.escape(key));
      table.row(cells.toArray(String[]::new));
    }
    table.print(out);
    long others = breakdown.path("others").asLong();
    if (others > 0) out.println(others + " more wait with values that are not shown");
    if (!breakdown.path("complete").asBoolean(true))
      out.println("so much waits that only a part of it was counted");
  }

  private static String cell(JsonNode message, String field) {
    return JsonPrinter.cell(field, message.path(field));
  }

  /** The recipients that wait, without blanks: {@code a@example.org,b@example.org,+2}. */
  private static String recipients(JsonNode message) {
    List<String> names = new ArrayList<>();
    int waiting = 0;
    for (JsonNode recipient : message.path("recipients")) {
      if (!isWaiting(recipient)) continue;
      if (waiting++ < MAX_RECIPIENTS) names.add(cell(recipient, "address"));
    }
    if (waiting > MAX_RECIPIENTS) names.add("+" + (waiting - MAX_RECIPIENTS));
    return names.isEmpty() ? "-" : String.join(",", names);
  }

  /** The last reply about the first waiting recipient that has one. */
  private static String reason(JsonNode message) {
    for (JsonNode recipient : message.path("recipients")) {
      String reason = recipient.path("last_reply").asString("");
      if (!isWaiting(recipient) || reason.isEmpty()) continue;
      String text = TextTable.escape(reason);
      return text.length() <= MAX_REASON ? text : text.substring(0, MAX_REASON) + "…";
    }
    return "-";
  }

  /** The class of the failure that {@link #reason} shows. */
  private static String failureClass(JsonNode message) {
    for (JsonNode recipient : message.path("recipients")) {
      if (!isWaiting(recipient) || recipient.path("last_reply").asString("").isEmpty()) continue;
      return cell(recipient, "class");
    }
    return "-";
  }

  private static boolean isWaiting(JsonNode recipient) {
    String status = recipient.path("status").asString("");
    return !status.equals("delivered") && !status.equals("failed");
  }
}
