package org.quorumail.api;

import java.util.ArrayList;
import java.util.List;

/** The difference of two texts by lines: those that went begin with -, those that came with +. */
final class TextDiff {
  /** The most pairs of lines that are compared; a larger change is shown as a whole. */
  private static final long PAIRS_MAX = 4_000_000;

  private TextDiff() {}

  /** The lines of both texts in order; equal ones begin with a blank. */
  static List<String> lines(String before, String after) {
    List<String> old = before.lines().toList();
    List<String> now = after.lines().toList();
    int same = 0;
    while (same < Math.min(old.size(), now.size()) && old.get(same).equals(now.get(same))) same++;
    int tail = 0;
    while (tail < Math.min(old.size(), now.size()) - same
        && old.get(old.size() - 1 - tail).equals(now.get(now.size() - 1 - tail))) tail++;
    List<String> lines = new ArrayList<>();
    old.subList(0, same).forEach(line -> lines.add(" " + line));
    addMiddle(old.subList(same, old.size() - tail), now.subList(same, now.size() - tail), lines);
    old.subList(old.size() - tail, old.size()).forEach(line -> lines.add(" " + line));
    return lines;
  }

  /** Adds the lines by their longest common subsequence. */
  private static void addMiddle(List<String> old, List<String> now, List<String> lines) {
    boolean tooMany = (long) old.size() * now.size() > PAIRS_MAX;
    int[][] common = tooMany ? new int[0][0] : common(old, now);
    int i = 0;
    int j = 0;
    while (i < old.size() || j < now.size()) {
      boolean both = i < old.size() && j < now.size() && !tooMany;
      if (both && old.get(i).equals(now.get(j))) {
        lines.add(" " + old.get(i++));
        j++;
      } else if (i < old.size() && (!both || common[i + 1][j] >= common[i][j + 1])) {
        lines.add("-" + old.get(i++));
      } else {
        lines.add("+" + now.get(j++));
      }
    }
  }

  /** The length of the longest common subsequence of the rests that begin at two lines. */
  private static int[][] common(List<String> old, List<String> now) {
    int[][] common = new int[old.size() + 1][now.size() + 1];
    for (int i = old.size() - 1; i >= 0; i--) {
      for (int j = now.size() - 1; j >= 0; j--) {
        common[i][j] =
            old.get(i).equals(now.get(j))
                ? common[i + 1][j + 1] + 1
                : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    return common;
  }
}
