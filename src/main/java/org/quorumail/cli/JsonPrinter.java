package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.Locale;
import org.quorumail.tools.TextTable;
import tools.jackson.databind.JsonNode;

/** Prints the JSON of the API as text: tables, fields and single values. */
final class JsonPrinter {
  private JsonPrinter() {}

  /** A table with one row per object and one column per path ({@code metadata/version}). */
  static TextTable table(Iterable<JsonNode> objects, String... paths) {
    TextTable table = new TextTable(headings(paths));
    for (JsonNode object : objects) {
      String[] cells = new String[paths.length];
      for (int i = 0; i < paths.length; i++) cells[i] = cell(paths[i], object.at("/" + paths[i]));
      table.row(cells);
    }
    return table;
  }

  private static String[] headings(String[] paths) {
    String[] headings = new String[paths.length];
    for (int i = 0; i < paths.length; i++) {
      String name = paths[i].substring(paths[i].lastIndexOf('/') + 1);
      headings[i] = name.replace('_', '-').toUpperCase(Locale.ROOT);
    }
    return headings;
  }

  /** The text of a value; {@code -} when it is absent or empty. */
  static String cell(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) return "-";
    if (value.isContainer() && value.isEmpty()) return "-";
    if (value.isFloatingPointNumber()) return String.format(Locale.ROOT, "%.3f", value.asDouble());
    String text = value.isContainer() ? value.toString() : value.asString();
    return text.isEmpty() ? "-" : TextTable.escape(text);
  }

  /** The same of a field with a name: the null reverse-path is written as in SMTP. */
  static String cell(String name, JsonNode value) {
    boolean isNullReversePath = name.equals("sender") && value.asString("-").isEmpty();
    return isNullReversePath ? "<>" : cell(value);
  }

  /** Prints the fields of an object, one per line; objects inside are flattened. */
  static void printFields(JsonNode object, PrintWriter out) {
    printFields("", object, out);
  }

  private static void printFields(String prefix, JsonNode object, PrintWriter out) {
    for (var field : object.properties()) {
      String name = prefix + field.getKey();
      JsonNode value = field.getValue();
      if (value.isObject()) printFields(name + ".", value, out);
      else if (!value.isArray()) out.println(name + ": " + cell(name, value));
    }
  }
}
