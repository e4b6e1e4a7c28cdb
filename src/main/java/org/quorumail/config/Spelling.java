package org.quorumail.config;

import java.util.Collection;
import java.util.Optional;

/** A suggestion for a mistyped word: the nearest known one. */
public final class Spelling {
  private Spelling() {}

  /** Returns the nearest word by edit distance, if it is near enough to be meant. */
  public static Optional<String> nearest(String word, Collection<String> known) {
    String best = null;
    // of three letters, two changed ones leave no word to recognise
    int bestDistance = (word.length() <= 3 ? 1 : Math.max(2, word.length() / 3)) + 1;
    for (String candidate : known) {
      int distance = distance(word, candidate);
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
    return Optional.ofNullable(best);
  }

  /** The Levenshtein distance: insertions, deletions and replacements. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) row[j] = j;
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
