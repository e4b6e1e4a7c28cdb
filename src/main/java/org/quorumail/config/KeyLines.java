package org.quorumail.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The line on which each key of a TOML document stands, which the parser does not tell. Expects
 * text that the parser has accepted and never fails on other text; at worst a line is missing.
 */
final class KeyLines {
  private final String text;
  private final Map<String, Integer> lines = new HashMap<>();
  private final Map<String, Integer> arrayLengths = new HashMap<>();
  private int at;
  private int line = 1;

  private KeyLines(String text) {
    this.text = text;
  }

  /** Paths as {@link #child} and {@link #element} write them. */
  static Map<String, Integer> of(String text) {
    KeyLines scan = new KeyLines(text);
    scan.document();
    return scan.lines;
  }

  static String child(String path, String name) {
    String written = name.matches("[A-Za-z0-9_-]+") ? name : '"' + name + '"';
    return path.isEmpty() ? written : path + "." + written;
  }

  static String element(String path, int index) {
    return path + "[" + index + "]";
  }

  private void document() {
    String table = "";
    while (at < text.length()) {
      int before = at;
      skipBlank(true);
      if (peek() == '[') {
        table = header();
      } else if (at < text.length()) {
        keyAndValue(table);
      }
      if (at == before) next(); // unknown text: go on, do not hang
    }
  }

  /** {@code [a.b]} or {@code [[a.b]]}; a name of a list means its last element. */
  private String header() {
    boolean list = text.startsWith("[[", at);
    int here = line;
    at += list ? 2 : 1;
    List<String> names = dottedKey();
    skipLine();
    String path = "";
    for (int i = 0; i < names.size(); i++) {
      path = child(path, names.get(i));
      boolean opensElement = list && i == names.size() - 1;
      if (opensElement) arrayLengths.merge(path, 1, Integer::sum);
      lines.putIfAbsent(path, here);
      Integer length = arrayLengths.get(path);
      if (length != null) path = element(path, length - 1);
      lines.putIfAbsent(path, here);
    }
    return path;
  }

  private void keyAndValue(String table) {
    int here = line;
    String path = table;
    for (String name : dottedKey()) {
      path = child(path, name);
      lines.putIfAbsent(path, here);
    }
    skipBlank(false);
    if (peek() != '=') return;
    next();
    value(path);
  }

  private void value(String path) {
    skipBlank(true);
    switch (peek()) {
      case '"', '\'' -> string();
      case '[' -> array(path);
      case '{' -> inlineTable(path);
      default -> {
        while (at < text.length() && ",]}\n#".indexOf(peek()) < 0) next();
      }
    }
  }

  private void array(String path) {
    next();
    for (int i = 0; skipTo(']'); i++) {
      String element = element(path, i);
      lines.putIfAbsent(element, line);
      int before = at;
      value(element);
      if (at == before) next();
    }
  }

  private void inlineTable(String path) {
    next();
    while (skipTo('}')) {
      int before = at;
      keyAndValue(path);
      if (at == before) next();
    }
  }

  /** Whether there is more before the closing bracket, which is consumed. */
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
    return at < text.length();
  }

  private List<String> dottedKey() {
    List<String> names = new ArrayList<>();
    while (at < text.length()) {
      skipBlank(false);
      int start = at;
      if (peek() == '"' || peek() == '\'') {
        string();
        names.add(text.substring(start + 1, Math.max(start + 1, at - 1)));
      } else {
        while (at < text.length() && bareKey(peek())) next();
        names.add(text.substring(start, at));
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
    boolean multiLine = text.startsWith(triple, at);
    for (int i = multiLine ? 3 : 1; i > 0; i--) next();
    while (at < text.length()) {
      if (quote == '"' && peek() == '\\') {
        next();
        next();
      } else if (multiLine && text.startsWith(triple, at)) {
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
    while (at < text.length()) {
      char c = peek();
      if (c == '#' && newLines) skipLine();
      else if (c == ' ' || c == '\t' || c == '\r' || (newLines && c == '\n')) next();
      else return;
    }
  }

  private void skipLine() {
    while (at < text.length() && peek() != '\n') next();
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private void next() {
    if (at >= text.length()) return;
    if (text.charAt(at) == '\n') line++;
    at++;
  }
}
