package org.quorumail.smtp;

/** The escaping of text from the network in log lines and replies: only printable ASCII remains. */
public final class Escape {
  private static final int DEFAULT_LIMIT = 256; // a path has at most 256 octets

  private Escape() {}

  /** Puts the text into double quotes, cut after 256 characters. */
  public static String quoted(String text) {
    return quoted(text, DEFAULT_LIMIT);
  }

  /** Puts the text into double quotes, cut after {@code limit} characters. */
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
