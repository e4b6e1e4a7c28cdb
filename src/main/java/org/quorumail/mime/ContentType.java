package org.quorumail.mime;

import java.util.Locale;
import java.util.Optional;

/**
 * The part of a Content-Type field's value (RFC 2045 §5.1) that shows the structure.
 *
 * @param type in lower case
 * @param subtype in lower case
 * @param boundary empty when there is none
 */
record ContentType(String type, String subtype, String boundary) {
  static final ContentType TEXT = new ContentType("text", "plain", "");
  static final ContentType MESSAGE = new ContentType("message", "rfc822", "");

  private static final int MAX_BOUNDARY =
      200; // RFC 2046 §5.1.1 allows 70, and some senders use more
  private static final String TSPECIALS = "()<>@,;:\\\"/[]?=";

  boolean is(String wantedType, String wantedSubtype) {
    return type.equals(wantedType) && subtype.equals(wantedSubtype);
  }

  /** Parses the value, one character per octet, folded or not; empty when it is malformed. */
  static Optional<ContentType> parse(String value) {
    return new Parser(value).contentType();
  }

  /** The single token of a field's value, in lower case; "?" when there is not exactly one. */
  static String singleToken(String value) {
    Parser parser = new Parser(value);
    String token = parser.token();
    parser.skipBlanks();
    boolean all = parser.at == value.length() && !token.isEmpty();
    return all ? token.toLowerCase(Locale.ROOT) : "?";
  }

  private static final class Parser {
    private final String text;
    private int at;

    Parser(String text) {
      this.text = text;
    }

    Optional<ContentType> contentType() {
      String type = token().toLowerCase(Locale.ROOT);
      if (type.isEmpty() || !take('/')) return Optional.empty();
      String subtype = token().toLowerCase(Locale.ROOT);
      if (subtype.isEmpty()) return Optional.empty();
      String boundary = "";
      while (take(';')) {
        String name = token().toLowerCase(Locale.ROOT);
        if (name.isEmpty()) continue; // a stray semicolon
        if (!take('=')) return Optional.empty();
        String value = peek() == '"' ? quoted() : token();
        if (name.startsWith("boundary*")) return Optional.empty(); // RFC 2231 §3: in pieces
        if (!name.equals("boundary")) continue;
        // readers differ on which of two boundaries counts
        if (!boundary.isEmpty() || value.isBlank() || value.length() > MAX_BOUNDARY) {
          return Optional.empty();
        }
        boundary = value;
      }
      skipBlanks();
      if (at < text.length()) return Optional.empty();
      return Optional.of(new ContentType(type, subtype, boundary));
    }

    String token() {
      skipBlanks();
      int start = at;
      while (at < text.length() && isTokenCharacter(text.charAt(at))) at++;
      return text.substring(start, at);
    }

    /** Skips blanks, folds and comments, RFC 5322 §3.2.2. */
    void skipBlanks() {
      int depth = 0;
      for (; at < text.length(); at++) {
        char c = text.charAt(at);
        if (c == '(') depth++;
        else if (c == ')' && depth > 0) depth--;
        else if (c == '\\' && depth > 0) at++;
        else if (depth == 0 && !isBlank(c)) return;
      }
      at = Math.min(at, text.length());
    }

    private boolean take(char c) {
      if (peek() != c) return false;
      at++;
      return true;
    }

    private char peek() {
      skipBlanks();
      return at < text.length() ? text.charAt(at) : 0;
    }

    /** Reads a quoted string; empty when it is not closed. */
    private String quoted() {
      StringBuilder value = new StringBuilder();
      for (at++; at < text.length(); at++) {
        char c = text.charAt(at);
        if (c == '"') {
          at++;
          return value.toString();
        }
        if (c == '\\' && at + 1 < text.length()) c = text.charAt(++at);
        if (c != '\r' && c != '\n') value.append(c);
      }
      return "";
    }

    private static boolean isBlank(char c) {
      return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    private static boolean isTokenCharacter(char c) {
      return c > ' ' && c < 0x7F && TSPECIALS.indexOf(c) < 0;
    }
  }
}
