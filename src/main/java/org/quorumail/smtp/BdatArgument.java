package org.quorumail.smtp;

import java.util.Locale;
import java.util.Optional;

/** The argument of BDAT, RFC 3030 §2: the size of the chunk in octets, and the LAST marker. */
public record BdatArgument(long size, boolean last) {
  private static final int MAX_DIGITS = 18; // fits a long; RFC 3030 sets no bound

  /** Parses {@code SIZE} or {@code SIZE LAST}; empty when the text is neither. */
  public static Optional<BdatArgument> parse(String text) {
    int blank = text.indexOf(' ');
    String digits = blank < 0 ? text : text.substring(0, blank);
    if (digits.isEmpty() || digits.length() > MAX_DIGITS) return Optional.empty();
    for (int i = 0; i < digits.length(); i++) {
      if (digits.charAt(i) < '0' || digits.charAt(i) > '9') return Optional.empty();
    }
    if (blank < 0) return Optional.of(new BdatArgument(Long.parseLong(digits), false));
    String marker = text.substring(blank + 1).strip().toUpperCase(Locale.ROOT);
    if (!marker.equals("LAST")) return Optional.empty();
    return Optional.of(new BdatArgument(Long.parseLong(digits), true));
  }
}
