package org.quorumail.smtp;

/** Makes text from the network harmless for a log line: what is not printable is escaped. */
public final class Escape {
  private static final int DEFAULT_LIMIT = 256; // a path has at most 256 octets

  private Escape() {}

  /** The text in double quotes, cut after 256 characters. */
  public static String quoted(String text) {
    return quoted(text, DEFAULT_LIMIT);
  }

  /** The text in double quotes, cut after so many characters. */
  public static String quoted(String text, int limit) {
    StringBuilder out = new StringBuilder(Math.min(text.length(), limit) + 16).append('"');
    for (int i = 0; i < Math.min(text.length(), limit); i++) append(out, text.charAt(i));
    if (text.length() > limit) out.append("...");
    return out.append('"').toString();
  }

  private static void append(StringBuilder out, char c) {
    if (c == '"' || c == '\\') {
      out.append('\\').append(c);
    } else if (c < ' ' || c >= 0x7F) {
      out.append(c > 0xFF ? String.format("\\u%04x", (int) c) : String.format("\\x%02x", (int) c));
    } else {
      out.append(c);
    }
  }
}
