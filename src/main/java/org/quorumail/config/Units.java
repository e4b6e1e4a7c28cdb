package org.quorumail.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parsers and formats of durations and sizes in configuration files and commands. */
public final class Units {
  /**
   * A bound above any duration that means something here; it keeps arithmetic far from overflow.
   */
  private static final long MAX_MILLIS = Duration.ofDays(36_500).toMillis();

  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");

  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

  private static final Map<String, Long> BYTES =
      Map.of("b", 1L, "kb", 1L << 10, "mb", 1L << 20, "gb", 1L << 30, "tb", 1L << 40);

  private Units() {}

  /** Reads {@code 250ms}, {@code 30s}, {@code 5m}, {@code 1h}, {@code 5d}. */
  public static Duration parseDuration(String text) {
    Matcher m = NUMBER_AND_UNIT.matcher(text.strip());
    Long unit = m.matches() ? MILLIS.get(m.group(2)) : null;
    if (unit == null) {
      throw new IllegalArgumentException(
          "not a duration; write it like \"30s\", \"5m\", \"250ms\", \"1h\" or \"5d\"");
    }
    long count = Long.parseLong(m.group(1));
    if (count > MAX_MILLIS / unit) throw new IllegalArgumentException("longer than 100 years");
    return Duration.ofMillis(count * unit);
  }

  /** Reads {@code 25MB}, {@code 1GB}, {@code 512KB}; units are powers of 1,024. */
  public static long parseSize(String text) {
    Matcher m = NUMBER_AND_UNIT.matcher(text.strip());
    Long unit = m.matches() ? BYTES.get(unitOfSize(m.group(2))) : null;
    if (unit == null) {
      throw new IllegalArgumentException(
          "not a size; write it like \"25MB\", \"512KB\" or \"1GB\"");
    }
    long count = Long.parseLong(m.group(1));
    if (count > Long.MAX_VALUE / unit) throw new IllegalArgumentException("too large a size");
    return count * unit;
  }

  private static String unitOfSize(String unit) {
    String lower = unit.toLowerCase(Locale.ROOT);
    if (lower.isEmpty()) return "b";
    return lower.endsWith("ib") ? lower.charAt(0) + "b" : lower;
  }

  /** The shortest exact spelling that {@link #parseDuration} reads. */
  public static String format(Duration duration) {
    long millis = duration.toMillis();
    for (String unit : new String[] {"d", "h", "m", "s"}) {
      long length = MILLIS.getOrDefault(unit, 1L);
      if (millis >= length && millis % length == 0) return millis / length + unit;
    }
    return millis + "ms";
  }

  /** The shortest exact spelling that {@link #parseSize} reads. */
  public static String format(long bytes) {
    for (String unit : new String[] {"TB", "GB", "MB", "KB"}) {
      long length = BYTES.getOrDefault(unit.toLowerCase(Locale.ROOT), 1L);
      if (bytes >= length && bytes % length == 0) return bytes / length + unit;
    }
    return bytes + "B";
  }
}
