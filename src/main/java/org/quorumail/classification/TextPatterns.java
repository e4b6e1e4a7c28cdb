package org.quorumail.classification;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.Locale;
import java.util.regex.Matcher;

/**
 * The compiler of the patterns of one file. RE2 finds them in time linear to the text and to the
 * size of the pattern, so both are bounded: all patterns of a file together read a longest text in
 * about a tenth of a second at worst.
 */
final class TextPatterns {
  private static final int PHRASE_MIN = 3;
  private static final int PHRASE_MAX = 200;
  private static final int PATTERN_MAX = 500;

  /** The instructions of all patterns of a file. */
  private static final int PROGRAMS_MAX = 20_000;

  /** The product of all counts of a pattern, as nested counts multiply its size. */
  private static final int REPETITIONS_MAX = 1_000;

  private static final java.util.regex.Pattern COUNT =
      java.util.regex.Pattern.compile("\\{(\\d{1,9})(?:,(\\d{0,9}))?}");

  private int programs;

  static String phrase(String text) {
    String phrase = text.strip().toLowerCase(Locale.ROOT);
    if (phrase.length() >= PHRASE_MIN && phrase.length() <= PHRASE_MAX) return phrase;
    throw new IllegalArgumentException(
        "a phrase has %d to %d characters".formatted(PHRASE_MIN, PHRASE_MAX));
  }

  Pattern compile(String text) {
    if (text.length() > PATTERN_MAX)
      throw new IllegalArgumentException("a pattern has at most " + PATTERN_MAX + " characters");
    requireFewRepetitions(text);
    Pattern pattern;
    try {
      pattern = Pattern.compile(text, Pattern.CASE_INSENSITIVE);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("not an RE2 pattern: " + e.getMessage(), e);
    }
    programs += pattern.programSize();
    if (programs > PROGRAMS_MAX)
      throw new IllegalArgumentException("the patterns of this file are too large together");
    return pattern;
  }

  private static void requireFewRepetitions(String text) {
    long product = 1;
    Matcher count = COUNT.matcher(text);
    while (count.find() && product <= REPETITIONS_MAX) {
      long least = Long.parseLong(count.group(1));
      String most = count.group(2);
      long times = most == null || most.isEmpty() ? least : Long.parseLong(most);
      product *= Math.max(1, Math.max(least, times));
    }
    if (product > REPETITIONS_MAX)
      throw new IllegalArgumentException(
          "the counts in braces multiply to more than " + REPETITIONS_MAX);
  }
}
