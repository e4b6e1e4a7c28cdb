package org.quorumail.smtp;

import java.util.Optional;

/** The encoding of parameter values, RFC 3461 §4: {@code +} and two upper-case hex digits. */
public final class Xtext {
  private static final String HEX = "0123456789ABCDEF";

  private Xtext() {}

  /** Decodes xtext to one character per octet; empty when the text is not xtext. */
  public static Optional<String> decode(String xtext) {
    StringBuilder text = new StringBuilder(xtext.length());
    for (int i = 0; i < xtext.length(); i++) {
      char c = xtext.charAt(i);
      if (c < '!' || c > '~' || c == '=') return Optional.empty();
      if (c != '+') {
        text.append(c);
        continue;
      }
      if (i + 2 >= xtext.length()) return Optional.empty();
      int high = HEX.indexOf(xtext.charAt(++i));
      int low = HEX.indexOf(xtext.charAt(++i));
      if (high < 0 || low < 0) return Optional.empty();
      text.append((char) (high << 4 | low));
    }
    return Optional.of(text.toString());
  }

  /** Encodes text of one character per octet. */
  public static String encode(String text) {
    StringBuilder xtext = new StringBuilder(text.length() + 8);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c > 0xFF) throw new IllegalArgumentException("xtext encodes octets");
      boolean plain = c >= '!' && c <= '~' && c != '+' && c != '=';
      if (plain) xtext.append(c);
      else xtext.append('+').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
    }
    return xtext.toString();
  }
}
