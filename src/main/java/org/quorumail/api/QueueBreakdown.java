package org.quorumail.api;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.QueueView.MissingPart;

/**
 * The queue divided by a property of what waits.
 *
 * @param by the property
 * @param ages the upper ends of the columns of the histogram, the last of which has the rest
 * @param rows the most frequent values first
 * @param others what waits with values that have no row
 * @param complete false when so much waits that only a part was read in time
 * @param missing what is not counted; null when nothing is missing
 */
public record QueueBreakdown(
    String by,
    List<String> ages,
    List<BreakdownRow> rows,
    long others,
    boolean complete,
    @Nullable MissingPart missing) {
  /** The upper ends of the age classes. */
  public static final List<String> AGES = List.of("5m", "30m", "2h", "12h", "1d", "3d", "more");

  /** The most rows of an answer. */
  public static final int ROWS_MAX = 1_000;

  public QueueBreakdown {
    ages = List.copyOf(ages);
    rows = List.copyOf(rows);
  }

  /**
   * One value.
   *
   * @param waiting messages, by sender; else recipients that wait
   * @param bytes of the messages
   * @param byAge what waits in each age class
   */
  public record BreakdownRow(
      String key, long waiting, long bytes, long oldestAgeSeconds, List<Long> byAge) {
    public BreakdownRow {
      byAge = List.copyOf(byAge);
    }

    BreakdownRow plus(BreakdownRow other) {
      List<Long> ages = new ArrayList<>();
      for (int i = 0; i < byAge.size(); i++) ages.add(byAge.get(i) + other.byAge.get(i));
      return new BreakdownRow(
          key,
          waiting + other.waiting,
          bytes + other.bytes,
          Math.max(oldestAgeSeconds, other.oldestAgeSeconds),
          ages);
    }
  }

  /** The sum of the parts of a queue, with at most so many rows. */
  public static QueueBreakdown sum(
      String by, List<QueueBreakdown> parts, int limit, @Nullable MissingPart missing) {
    Map<String, BreakdownRow> byKey = new TreeMap<>();
    long others = 0;
    boolean complete = true;
    for (QueueBreakdown part : parts) {
      part.rows.forEach(row -> byKey.merge(row.key, row, BreakdownRow::plus));
      others += part.others;
      complete &= part.complete;
    }
    List<BreakdownRow> rows =
        byKey.values().stream()
            .sorted(Comparator.comparingLong(BreakdownRow::waiting).reversed())
            .toList();
    int shown = Math.min(limit, rows.size());
    others += rows.subList(shown, rows.size()).stream().mapToLong(BreakdownRow::waiting).sum();
    return new QueueBreakdown(by, AGES, rows.subList(0, shown), others, complete, missing);
  }
}
