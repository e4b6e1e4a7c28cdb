package org.quorumail.config;

import java.util.Locale;

/**
 * The local part of a mail address, which RFC 5321 §4.1.2 lets a client write in several ways:
 * {@code "bob"}, {@code "b\ob"} and {@code bob} are one mailbox.
 */
public final class LocalPart {
  private static final String ATEXT_SPECIALS = "!#$%&'*+-/=?^_`{|}~";

  private LocalPart() {}

  /**
   * The form to send: the least quoting that the grammar allows, as RFC 5321 §4.1.2 wants. A text
   * that is no quoted string is returned unchanged.
   */
  public static String minimallyQuoted(String text) {
    if (!isQuotedString(text)) return text;
    String content = content(text);
    return isDotString(content, false) ? content : quoted(content);
  }

  /**
   * The form to compare, equal for all ways to write a mailbox; case is kept. Dots that the grammar
   * wants quoted, and that real addresses have unquoted, need no quotes here.
   */
  public static String canonical(String text) {
    if (!isQuotedString(text)) return text;
    String content = content(text);
    return isDotString(content, true) ? content : quoted(content);
  }

  /** The form to look up in tables and lists, where case does not count. */
  public static String lookupKey(String text) {
    return canonical(text).toLowerCase(Locale.ROOT);
  }

  /** Returns whether a text is one whole quoted string, quotes included. */
  public static boolean isQuotedString(String text) {
    int last = text.length() - 1;
    if (last < 1 || text.charAt(0) != '"' || text.charAt(last) != '"') return false;
    for (int i = 1; i < last; i++) {
      if (text.charAt(i) == '"') return false;
      if (text.charAt(i) == '\\' && ++i == last) return false; // the last quote is escaped
    }
    return true;
  }

  private static String content(String quotedString) {
    int last = quotedString.length() - 1;
    if (quotedString.indexOf('\\') < 0) return quotedString.substring(1, last);
    StringBuilder content = new StringBuilder(last);
    for (int i = 1; i < last; i++) {
      if (quotedString.charAt(i) == '\\') i++;
      content.append(quotedString.charAt(i));
    }
    return content.toString();
  }

  private static String quoted(String content) {
    StringBuilder text = new StringBuilder(content.length() + 4).append('"');
    for (int i = 0; i < content.length(); i++) {
      char c = content.charAt(i);
      if (c == '"' || c == '\\') text.append('\\');
      text.append(c);
    }
    return text.append('"').toString();
  }

  /**
   * @param anyDots whether a dot may stand at an edge and beside another one
   */
  private static boolean isDotString(String text, boolean anyDots) {
    boolean hasAtom = false;
    boolean afterDot = true;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '.') {
        if (afterDot && !anyDots) return false;
      } else if (isAtext(c)) {
        hasAtom = true;
      } else {
        return false;
      }
      afterDot = c == '.';
    }
    return hasAtom && (anyDots || !afterDot);
  }

  /** RFC 5321 §4.1.2 and, for characters above ASCII, RFC 6531 §3.3. */
  private static boolean isAtext(char c) {
    boolean alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alphanumeric || c > 0x7F || ATEXT_SPECIALS.indexOf(c) >= 0;
  }
}
