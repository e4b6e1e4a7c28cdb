package org.quorumail.tools;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** Aligned columns, without lines or colours, so that a pipe can split them. */
public final class TextTable {
  private final List<List<String>> rows = new ArrayList<>();

  public TextTable(String... headings) {
    rows.add(List.of(headings));
  }

  /** One row per object, one column per path ({@code metadata/version}). */
  public static TextTable of(Iterable<JsonNode> objects, String... paths) {
    TextTable table = new TextTable(headings(paths));
    for (JsonNode object : objects) {
      String[] cells = new String[paths.length];
      for (int i = 0; i < paths.length; i++) cells[i] = cell(object.at("/" + paths[i]));
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

  public static String cell(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) return "-";
    if (value.isFloatingPointNumber()) return String.format(Locale.ROOT, "%.3f", value.asDouble());
    String text = value.isContainer() ? value.toString() : value.asString();
    return text.isEmpty() ? "<>" : escape(text);
  }

  /** What came from the network must not steer the terminal. */
  public static String escape(String text) {
    StringBuilder safe = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              int type = Character.getType(c);
              boolean steers =
                  Character.isISOControl(c)
                      || type == Character.FORMAT
                      || type == Character.LINE_SEPARATOR
                      || type == Character.PARAGRAPH_SEPARATOR;
              if (steers) safe.append(String.format("\\u%04x", c));
              else safe.appendCodePoint(c);
            });
    return safe.toString();
  }

  public TextTable row(String... cells) {
    rows.add(List.of(cells));
    return this;
  }

  public void print(PrintWriter out) {
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) widths[i] = Math.max(widths[i], row.get(i).length());
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        boolean last = i == row.size() - 1;
        line.append(row.get(i));
        if (!last) line.repeat(' ', widths[i] - row.get(i).length() + 2);
      }
      out.println(line);
    }
  }

  /** The fields of an object, one per line; objects inside are flattened. */
  public static void fields(JsonNode object, PrintWriter out) {
    fields("", object, out);
  }

  private static void fields(String prefix, JsonNode object, PrintWriter out) {
    for (var field : object.properties()) {
      String name = prefix + field.getKey();
      if (field.getValue().isObject()) fields(name + ".", field.getValue(), out);
      else if (!field.getValue().isArray()) out.println(name + ": " + cell(field.getValue()));
    }
  }
}
