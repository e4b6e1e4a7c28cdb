package org.quorumail.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The line numbers of the keys of a TOML document, which the parser does not report. The scan
 * expects text that the parser has accepted and never fails on other text; at worst a line is
 * missing.
 */
final class KeyLineNumbers {
  private final String text;
  private final Map<String, Integer> lines = new HashMap<>();
  private final Map<String, Integer> arrayLengths = new HashMap<>();
  private final Map<String, Statement> statements = new HashMap<>();
  private final Map<String, Integer> tableEnds = new HashMap<>();
  private int position;
  private int line = 1;

  /** The begin of the value of the key that was scanned last. */
  private int valueStart;

  private KeyLineNumbers(String text) {
    this.text = text;
  }

  /** The place of a key with its value in the text; keys within inline tables have none. */
  record Statement(int start, int valueStart, int end) {}

  static KeyLineNumbers scan(String text) {
    KeyLineNumbers scan = new KeyLineNumbers(text);
    scan.document();
    return scan;
  }

  Map<String, Statement> statements() {
    return statements;
  }

  /** The end of the last key below the header of each table; lists of tables have none. */
  Map<String, Integer> tableEnds() {
    return tableEnds;
  }

  /** Scans a document; paths are written as {@link KeyPath} writes them. */
  static Map<String, Integer> of(String text) {
    return scan(text).lines;
  }

  private void document() {
    String table = "";
    while (position < text.length()) {
      int before = position;
      skipBlank(true);
      if (peek() == '[') {
        table = header();
      } else if (position < text.length()) {
        statement(table);
      }
      if (position == before) next(); // unknown text: go on, do not hang
    }
  }

  /** {@code [a.b]} or {@code [[a.b]]}; a name of a list means its last element. */
  private String header() {
    boolean list = text.startsWith("[[", position);
    int here = line;
    position += list ? 2 : 1;
    List<String> names = dottedKey();
    skipLine();
    String path = "";
    for (int i = 0; i < names.size(); i++) {
      path = KeyPath.child(path, names.get(i));
      boolean opensElement = list && i == names.size() - 1;
      if (opensElement) arrayLengths.merge(path, 1, Integer::sum);
      lines.putIfAbsent(path, here);
      Integer length = arrayLengths.get(path);
      if (length != null) path = KeyPath.element(path, length - 1);
      lines.putIfAbsent(path, here);
    }
    if (!list) tableEnds.put(path, position);
    return path;
  }

  private void statement(String table) {
    int start = position;
    String path = keyAndValue(table);
    int end = position;
    while (end > start && Character.isWhitespace(text.charAt(end - 1))) end--;
    statements.put(path, new Statement(start, valueStart, end));
    if (tableEnds.containsKey(table)) tableEnds.put(table, end);
  }

  /** Returns the path of the key. */
  private String keyAndValue(String table) {
    int here = line;
    String path = table;
    for (String name : dottedKey()) {
      path = KeyPath.child(path, name);
      lines.putIfAbsent(path, here);
    }
    skipBlank(false);
    if (peek() != '=') return path;
    next();
    skipBlank(false);
    int start = position;
    value(path);
    valueStart = start;
    return path;
  }

  private void value(String path) {
    skipBlank(true);
    switch (peek()) {
      case '"', '\'' -> string();
      case '[' -> array(path);
      case '{' -> inlineTable(path);
      default -> {
        while (position < text.length() && ",]}\n#".indexOf(peek()) < 0) next();
      }
    }
  }

  private void array(String path) {
    next();
    for (int i = 0; skipTo(']'); i++) {
      String element = KeyPath.element(path, i);
      lines.putIfAbsent(element, line);
      int before = position;
      value(element);
      if (position == before) next();
    }
  }

  private void inlineTable(String path) {
    next();
    while (skipTo('}')) {
      int before = position;
      keyAndValue(path);
      if (position == before) next();
    }
  }

  /** Reports whether there is more before the closing bracket, which is consumed. */
  private boolean skipTo(char closing) {
    skipBlank(true);
    while (peek() == ',') {
      next();
      skipBlank(true);
    }
    if (peek() == closing) {
      next();
      return false;
    }
    return position < text.length();
  }

  private List<String> dottedKey() {
    List<String> names = new ArrayList<>();
    while (position < text.length()) {
      skipBlank(false);
      int start = position;
      if (peek() == '"' || peek() == '\'') {
        string();
        names.add(text.substring(start + 1, Math.max(start + 1, position - 1)));
      } else {
        while (position < text.length() && bareKey(peek())) next();
        names.add(text.substring(start, position));
      }
      skipBlank(false);
      if (peek() != '.') break;
      next();
    }
    return names;
  }

  private static boolean bareKey(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '-';
  }

  private void string() {
    char quote = peek();
    String triple = String.valueOf(quote).repeat(3);
    boolean multiLine = text.startsWith(triple, position);
    for (int i = multiLine ? 3 : 1; i > 0; i--) next();
    while (position < text.length()) {
      if (quote == '"' && peek() == '\\') {
        next();
        next();
      } else if (multiLine && text.startsWith(triple, position)) {
        for (int i = 0; i < 3; i++) next();
        while (peek() == quote) next(); // up to two quotes may stand before the closing ones
        return;
      } else if (!multiLine && (peek() == quote || peek() == '\n')) {
        next();
        return;
      } else {
        next();
      }
    }
  }

  private void skipBlank(boolean newLines) {
    while (position < text.length()) {
      char c = peek();
      if (c == '#' && newLines) skipLine();
      else if (c == ' ' || c == '\t' || c == '\r' || (newLines && c == '\n')) next();
      else return;
    }
  }

  private void skipLine() {
    while (position < text.length() && peek() != '\n') next();
  }

  private char peek() {
    return position < text.length() ? text.charAt(position) : '\0';
  }

  private void next() {
    if (position >= text.length()) return;
    if (text.charAt(position) == '\n') line++;
    position++;
  }
}
