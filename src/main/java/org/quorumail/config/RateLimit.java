package org.quorumail.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A rate and the burst above it, such as {@code "10/s burst 20"}. */
public record RateLimit(double perSecond, int burst) {
  private static final Pattern RATE =
      Pattern.compile("(\\d{1,9})\\s*/\\s*(s|m|h)(?:\\s+burst\\s+(\\d{1,9}))?");

  /** Reads {@code 10/s burst 20}; also per minute ({@code m}) and per hour ({@code h}). */
  public static RateLimit parse(String text) {
    Matcher m = RATE.matcher(text.strip());
    if (!m.matches()) {
      throw new IllegalArgumentException("not a rate; write it like \"10/s burst 20\"");
    }
    int count = Integer.parseInt(m.group(1));
    int seconds =
        switch (m.group(2)) {
          case "h" -> 3600;
          case "m" -> 60;
          default -> 1;
        };
    int burst = m.group(3) == null ? Math.max(1, count) : Integer.parseInt(m.group(3));
    if (count == 0 || burst == 0) throw new IllegalArgumentException("a rate is more than 0");
    return new RateLimit((double) count / seconds, burst);
  }
}
