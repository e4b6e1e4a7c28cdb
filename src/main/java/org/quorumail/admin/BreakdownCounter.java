package org.quorumail.admin;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.quorumail.api.QueueBreakdown;
import org.quorumail.api.QueueBreakdown.BreakdownRow;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.config.Units;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/** Counts messages by sender, or recipients that wait by destination, error or class. */
final class BreakdownCounter implements Consumer<SpooledMessage> {
  /** Values beyond are counted together: a queue may have as many senders as messages. */
  private static final int KEYS_MAX = 10_000;

  /** Replies that differ only behind this are one row. */
  private static final int KEY_LENGTH_MAX = 100;

  private static final Pattern ADDRESS = Pattern.compile("\\S{1,400}@\\S{1,400}");

  private final String by;
  private final FailureClassifier classifier;
  private final long nowMillis;
  private final Map<String, Row> rows = new HashMap<>();
  private long others;

  private static final class Row {
    final long[] byAge = new long[QueueBreakdown.AGES.size()];
    long waiting;
    long bytes;
    long oldestMillis;
  }

  /**
   * @param by a property of {@link org.quorumail.api.QueueView#BREAKDOWNS}
   */
  BreakdownCounter(String by, FailureClassifier classifier, long nowMillis) {
    this.by = by;
    this.classifier = classifier;
    this.nowMillis = nowMillis;
  }

  @Override
  public void accept(SpooledMessage message) {
    if (by.equals("sender")) {
      count(message.reversePath().toString(), message);
      return;
    }
    for (RecipientState r : message.recipients()) {
      if (r.status() != RecipientStatus.PENDING) continue;
      boolean hasFailed = r.attempts() > 0;
      if (by.equals("destination")) count(r.address().domain(), message);
      else if (!hasFailed) count("not tried yet", message);
      else if (by.equals("error")) count(error(r.diagnostic()), message);
      else count(classifier.classify(r.diagnostic()).failureClass().text(), message);
    }
  }

  private static String error(String diagnostic) {
    String text = ADDRESS.matcher(diagnostic).replaceAll("@");
    return text.length() <= KEY_LENGTH_MAX ? text : text.substring(0, KEY_LENGTH_MAX) + "…";
  }

  private void count(String key, SpooledMessage message) {
    if (rows.size() >= KEYS_MAX && !rows.containsKey(key)) {
      others++;
      return;
    }
    Row row = rows.computeIfAbsent(key, k -> new Row());
    long age = Math.max(0, nowMillis - message.arrivedMillis());
    row.waiting++;
    row.bytes += message.size();
    row.oldestMillis = Math.max(row.oldestMillis, age);
    row.byAge[ageClass(age)]++;
  }

  private static int ageClass(long ageMillis) {
    int last = QueueBreakdown.AGES.size() - 1;
    for (int i = 0; i < last; i++) {
      long end = Units.parseDuration(QueueBreakdown.AGES.get(i)).toMillis();
      if (ageMillis < end) return i;
    }
    return last;
  }

  QueueBreakdown result(boolean complete, int limit) {
    List<BreakdownRow> counted = new ArrayList<>();
    rows.forEach(
        (key, row) -> {
          List<Long> ages = new ArrayList<>();
          for (long n : row.byAge) ages.add(n);
          counted.add(new BreakdownRow(key, row.waiting, row.bytes, row.oldestMillis / 1000, ages));
        });
    QueueBreakdown all =
        new QueueBreakdown(by, QueueBreakdown.AGES, counted, others, complete, null);
    return QueueBreakdown.sum(by, List.of(all), limit, null);
  }
}
