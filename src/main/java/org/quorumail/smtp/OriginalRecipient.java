package org.quorumail.smtp;

import java.util.Locale;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.quorumail.mail.MailAddress;

/**
 * The syntax of ORCPT values, RFC 3461 §4.2, with the address type {@code utf-8} of RFC 6533 §3.
 */
public final class OriginalRecipient {
  private static final int MAX = 500; // RFC 3461 §4.2
  private static final String UTF8 = "utf-8";
  private static final String HEX = "0123456789ABCDEF";

  private OriginalRecipient() {}

  /**
   * Parses a value of one character per octet; empty when it is malformed. UTF-8 in the value,
   * which only SMTPUTF8 allows, is converted to the ASCII form of RFC 6533 ({@code \x{E4}}), which
   * every hop accepts.
   */
  public static Optional<String> parse(String value, boolean smtpUtf8) {
    int sign = value.indexOf(';');
    if (sign <= 0 || value.length() > MAX || !isAtom(value.substring(0, sign))) {
      return Optional.empty();
    }
    String type = value.substring(0, sign);
    String address = value.substring(sign + 1);
    if (address.isEmpty()) return Optional.empty();
    if (!type.toLowerCase(Locale.ROOT).equals(UTF8)) {
      return Xtext.decode(address).map(decoded -> value);
    }
    Optional<String> ascii =
        smtpUtf8 ? Utf8Text.decode(address).map(OriginalRecipient::ascii) : Optional.of(address);
    return ascii.filter(OriginalRecipient::isUtf8Xtext).map(text -> type + ";" + text);
  }

  /** Formats an address as a value; empty when the value would be too long. */
  public static String of(MailAddress address) {
    String value =
        address.ascii()
            ? "rfc822;" + Xtext.encode(address.toString())
            : UTF8 + ";" + escaped(address.toString());
    return value.length() > MAX ? "" : value;
  }

  /** Returns the address in a value, decoded where it is xtext; empty when there is none. */
  public static String address(String value) {
    String encoded = value.substring(value.indexOf(';') + 1);
    return Xtext.decode(encoded).orElse(encoded);
  }

  private static boolean isAtom(String type) {
    for (int i = 0; i < type.length(); i++) {
      char c = type.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && (c < '0' || c > '9') && c != '-') return false;
    }
    return true;
  }

  /** Escapes the characters above ASCII; the others are in their ASCII form already. */
  private static String ascii(String text) {
    return escaped(text, point -> point < 0x80);
  }

  private static String escaped(String text) {
    return escaped(text, point -> point > ' ' && point < 0x7F && "+=\\".indexOf(point) < 0);
  }

  private static String escaped(String text, IntPredicate plain) {
    StringBuilder ascii = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            point -> {
              if (plain.test(point)) ascii.append((char) point);
              else
                ascii
                    .append("\\x{")
                    .append(Integer.toHexString(point).toUpperCase(Locale.ROOT))
                    .append('}');
            });
    return ascii.toString();
  }

  /** RFC 6533 §3, utf-8-addr-xtext: printable, without + and =, with {@code \x{HEX}} in it. */
  private static boolean isUtf8Xtext(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '!' || c > '~' || c == '+' || c == '=') return false;
      if (c != '\\') continue;
      int end = text.indexOf('}', i);
      if (!text.startsWith("x{", i + 1) || end < i + 5 || end > i + 9) return false;
      for (int j = i + 3; j < end; j++) if (HEX.indexOf(text.charAt(j)) < 0) return false;
      i = end;
    }
    return true;
  }
}
