package org.quorumail.tools;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.Column;

/** A table of aligned columns without lines or colours, so that a pipe can split it. */
public final class TextTable {
  private static final int GAP = 2;
  private static final Help.ColorScheme PLAIN = Help.defaultColorScheme(Ansi.OFF);

  private final List<Text[]> rows = new ArrayList<>();

  public TextTable(String... headings) {
    row(headings);
  }

  public TextTable row(String... cells) {
    if (!rows.isEmpty() && cells.length != rows.getFirst().length) {
      throw new IllegalStateException(
          "a row of %d cells in a table of %d columns"
              .formatted(cells.length, rows.getFirst().length));
    }
    Text[] row = new Text[cells.length];
    for (int i = 0; i < cells.length; i++) row[i] = PLAIN.text(withoutMarkup(cells[i]));
    rows.add(row);
    return this;
  }

  /** Escapes the start of picocli's markup, which picocli would drop from the text. */
  private static String withoutMarkup(String cell) {
    return cell.replace("@|", "@\\u007c");
  }

  public void print(PrintWriter out) {
    Column[] columns = new Column[rows.getFirst().length];
    for (int i = 0; i < columns.length; i++) {
      int indent = i == 0 ? 0 : GAP;
      columns[i] = new Column(indent + width(i), indent, Column.Overflow.TRUNCATE);
    }
    Help.TextTable table = Help.TextTable.forColumns(PLAIN, columns);
    rows.forEach(table::addRowValues);
    out.print(table);
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> row[column].plainString().length()).max().orElse(0);
  }

  /** Escapes control and format characters: text from the network must not steer the terminal. */
  public static String escape(String text) {
    StringBuilder safe = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (isSafe(c)) safe.appendCodePoint(c);
              else safe.append(String.format("\\u%04x", c));
            });
    return safe.toString();
  }

  private static boolean isSafe(int codePoint) {
    if (Character.isISOControl(codePoint)) return false;
    int type = Character.getType(codePoint);
    return type != Character.FORMAT
        && type != Character.LINE_SEPARATOR
        && type != Character.PARAGRAPH_SEPARATOR;
  }
}
