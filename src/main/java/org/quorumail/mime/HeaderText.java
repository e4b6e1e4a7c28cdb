package org.quorumail.mime;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/**
 * The text of header fields that this host composes. Text above ASCII becomes encoded words (RFC
 * 2047) or extended parameters (RFC 2231), and long fields are folded (RFC 5322 §2.2.3). A value
 * with a line break or another control character is refused: it could add a field.
 */
public final class HeaderText {
  private static final int LINE = 76;

  /** The octets in an encoded word of at most 75 characters, by base64. */
  private static final int WORD_OCTETS = 42;

  /** The characters of one part of a long parameter. */
  private static final int PARAMETER_PART = 50;

  private static final String ATEXT = "!#$%&'*+-/=?^_`{|}~";
  private static final String ATTRIBUTE = "!#$&+-.^_`{|}~"; // RFC 2231 §7, without %, ' and *
  private static final String HEX = "0123456789ABCDEF";

  private HeaderText() {}

  /** An address with the name that readers see; an empty name for none. */
  public record NamedAddress(String name, String address) {}

  /** Whether the text has no control character but tabs, so that it can be in a header. */
  public static boolean isSafe(String text) {
    return text.chars().noneMatch(c -> (c < ' ' && c != '\t') || (c >= 0x7F && c < 0xA0))
        && text.chars().noneMatch(c -> c == 0x2028 || c == 0x2029)
        && StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** Whether the text is the name of a field, RFC 5322 §3.6.8. */
  public static boolean isFieldName(String text) {
    return !text.isEmpty()
        && text.length() <= LINE
        && text.chars().allMatch(c -> c > ' ' && c < 0x7F && c != ':');
  }

  /** A field of unstructured text. */
  public static String field(String name, String value) {
    requireSafe(value);
    String words = isPlain(value) ? value.strip() : encodedWords(value);
    return name + ":" + fold(words, name.length() + 1);
  }

  /** A field of addresses, RFC 5322 §3.4; an address above ASCII stays UTF-8 (RFC 6532). */
  public static String addressField(String name, List<NamedAddress> addresses) {
    StringBuilder all = new StringBuilder();
    for (NamedAddress a : addresses) {
      requireSafe(a.name());
      requireSafe(a.address());
      if (!all.isEmpty()) all.append(", ");
      if (a.name().isBlank()) all.append(a.address());
      else all.append(phrase(a.name().strip())).append(" <").append(a.address()).append('>');
    }
    return name + ":" + fold(all.toString(), name.length() + 1);
  }

  /** A parameter of a field, on lines of its own: {@code ;\r\n name="value"}. */
  static String parameter(String name, String value) {
    requireSafe(value);
    boolean ascii = value.chars().allMatch(c -> c >= ' ' && c < 0x7F);
    if (ascii && value.length() <= PARAMETER_PART) return ";\r\n " + name + "=" + quoted(value);
    String encoded = percentEncoded(value);
    if (encoded.length() <= PARAMETER_PART) return ";\r\n " + name + "*=utf-8''" + encoded;
    StringBuilder parts = new StringBuilder();
    int part = 0;
    for (int at = 0; at < encoded.length(); part++) {
      int end = Math.min(encoded.length(), at + PARAMETER_PART);
      while (end < encoded.length() && end > at + 1 && isInsideEscape(encoded, end)) end--;
      parts.append(";\r\n ").append(name).append('*').append(part).append("*=");
      if (part == 0) parts.append("utf-8''");
      parts.append(encoded, at, end);
      at = end;
    }
    return parts.toString();
  }

  private static boolean isInsideEscape(String encoded, int at) {
    return encoded.charAt(at - 1) == '%' || (at >= 2 && encoded.charAt(at - 2) == '%');
  }

  private static String percentEncoded(String value) {
    StringBuilder out = new StringBuilder();
    for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
      if (isAlphanumeric(b) || ATTRIBUTE.indexOf(b) >= 0) out.append((char) b);
      else out.append('%').append(HEX.charAt((b >> 4) & 15)).append(HEX.charAt(b & 15));
    }
    return out.toString();
  }

  private static String phrase(String name) {
    if (!isPlain(name)) return encodedWords(name);
    boolean atoms =
        name.chars().allMatch(c -> isAlphanumeric(c) || c == ' ' || ATEXT.indexOf(c) >= 0);
    return atoms ? name : quoted(name);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  /** ASCII that no reader takes for an encoded word, in words that a line can hold. */
  private static boolean isPlain(String text) {
    if (text.contains("=?") || text.chars().anyMatch(c -> c >= 0x7F)) return false;
    int word = 0;
    for (int i = 0; i < text.length(); i++) {
      word = text.charAt(i) == ' ' || text.charAt(i) == '\t' ? 0 : word + 1;
      if (word > MAX_WORD) return false;
    }
    return true;
  }

  /** A longer word would make a line longer than the 998 octets of RFC 5322 §2.1.1. */
  private static final int MAX_WORD = 900;

  /** RFC 2047 §2: words of whole characters, each at most 75 characters long. */
  private static String encodedWords(String text) {
    StringBuilder words = new StringBuilder();
    int from = 0;
    int octets = 0;
    for (int at = 0; at < text.length(); ) {
      int point = text.codePointAt(at);
      int size = new String(Character.toChars(point)).getBytes(StandardCharsets.UTF_8).length;
      if (octets + size > WORD_OCTETS) {
        encodedWord(text.substring(from, at), words);
        from = at;
        octets = 0;
      }
      octets += size;
      at += Character.charCount(point);
    }
    encodedWord(text.substring(from), words);
    return words.toString();
  }

  private static void encodedWord(String text, StringBuilder words) {
    if (!words.isEmpty()) words.append(' ');
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    words.append("=?utf-8?B?").append(Base64.getEncoder().encodeToString(octets)).append("?=");
  }

  /** Folds before blanks, so that lines have at most 76 characters where words allow it. */
  private static String fold(String text, int column) {
    StringBuilder out = new StringBuilder();
    int at = column;
    for (String word : text.split(" ", -1)) {
      boolean blankLine = word.isBlank();
      if (at + 1 + word.length() > LINE && at > column && !blankLine) {
        out.append("\r\n");
        at = 0;
      }
      out.append(' ').append(word);
      at += 1 + word.length();
    }
    return out.append("\r\n").toString();
  }

  private static boolean isAlphanumeric(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  private static void requireSafe(String value) {
    if (!isSafe(value)) throw new IllegalArgumentException("has a control character");
  }
}
