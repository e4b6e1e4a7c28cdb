package org.quorumail.smtp;

import java.util.Locale;
import java.util.Optional;

/** What follows BDAT, RFC 3030 §2: the chunk's size in octets, and whether it is the last one. */
public record BdatArgument(long size, boolean last) {
  private static final int MAX_DIGITS = 18; // fits a long; RFC 3030 sets no bound

  /** Empty when it is not {@code SIZE} or {@code SIZE LAST}. */
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
