package org.quorumail.cli;

import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import org.quorumail.tools.TextTable;
import tools.jackson.databind.JsonNode;

/** The nodes and spools that answers lack, as sentences for the operator. */
final class MissingAnswers {
  private final Set<String> nodes = new TreeSet<>();
  private final Set<String> spools = new TreeSet<>();

  /** Adds what one answer lacks. */
  void add(JsonNode answer) {
    addAll(answer.path("missing").path("nodes"), nodes);
    addAll(answer.path("missing").path("spools"), spools);
  }

  /** Prints a line about spools that may have more mail. */
  void print(NodeOptions options) {
    if (!spools.isEmpty()) options.err().println(sentence());
  }

  String sentence() {
    return "%s: %s may have more mail".formatted(doesNotAnswer(nodes), String.join(", ", spools));
  }

  /** Prints a line about the nodes that an order has not reached. */
  static void printUnreached(NodeOptions options, JsonNode answer) {
    Set<String> unreached = new TreeSet<>();
    addAll(answer.path("unanswered"), unreached);
    if (unreached.isEmpty()) return;
    options.err().println(doesNotAnswer(unreached) + ": repeat the order when all answer");
  }

  private static String doesNotAnswer(Collection<String> nodes) {
    return String.join(", ", nodes) + (nodes.size() == 1 ? " does not answer" : " do not answer");
  }

  private static void addAll(JsonNode texts, Set<String> to) {
    texts.forEach(text -> to.add(TextTable.escape(text.asString(""))));
  }
}
