package org.quorumail.queue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Deliveries;
import org.quorumail.delivery.Destination;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnedSpool.DueRow;

/**
 * Looks through the due index of a spool and fills the active window: one skip scan over the
 * domains, then the due rows of those whose destination has a place. Used by the dispatcher only.
 */
final class Sweep {
  /** Rows of one domain that are read at once. */
  private static final int ROWS = 500;

  /**
   * Rows of a destination that is left alone which are looked at for their age, once a minute: more
   * than can be told of in that time, since those at the front may all have been told of already.
   */
  private static final int AGED_ROWS = 2_000;

  private final Deliveries deliveries;
  private final ActiveWindow window;
  private final Predicate<String> suspended;
  private final RetrySchedule schedule;

  Sweep(
      Deliveries deliveries,
      ActiveWindow window,
      Predicate<String> suspended,
      RetrySchedule schedule) {
    this.deliveries = deliveries;
    this.window = window;
    this.suspended = suspended;
    this.schedule = schedule;
  }

  /** Told of rows that have waited too long for a destination that is left alone. */
  @FunctionalInterface
  interface Aged {
    void row(Claim claim);
  }

  /**
   * What a sweep saw.
   *
   * @param nextDueMillis when the earliest row that is not due yet will be; MAX_VALUE for none
   * @param oldestDueMillis since when the longest waiting row has been due; MAX_VALUE for none
   * @param domains how many have mail
   * @param lastFilled the domain that got the last places, empty when none did
   */
  record Seen(long nextDueMillis, long oldestDueMillis, int domains, String lastFilled) {
    static final Seen NOTHING = new Seen(Long.MAX_VALUE, Long.MAX_VALUE, 0, "");

    Seen with(Seen other) {
      return new Seen(
          Math.min(nextDueMillis, other.nextDueMillis),
          Math.min(oldestDueMillis, other.oldestDueMillis),
          domains + other.domains,
          other.lastFilled.isEmpty() ? lastFilled : other.lastFilled);
    }
  }

  /** Goes once over all domains of the spool, beginning after the given one. */
  Seen over(OwnedSpool spool, String after, Instant now, Aged aged) {
    Seen seen = range(spool, after, null, now, aged);
    return after.isEmpty() ? seen : seen.with(range(spool, "", after, now, aged));
  }

  private Seen range(
      OwnedSpool spool, String after, @Nullable String last, Instant now, Aged aged) {
    long nextDue = Long.MAX_VALUE;
    long oldest = Long.MAX_VALUE;
    int domains = 0;
    String lastFilled = "";
    Optional<DueRow> row = spool.firstDueAfter(after);
    while (row.isPresent()) {
      DueRow first = row.get();
      if (last != null && first.domain().compareTo(last) > 0) break;
      domains++;
      if (first.dueMillis() > now.toEpochMilli()) nextDue = Math.min(nextDue, first.dueMillis());
      else {
        // a raised priority makes a row due before it came
        long since = Math.max(first.dueMillis(), first.id().arrived().toEpochMilli());
        oldest = Math.min(oldest, since);
        boolean suspends = suspended.test(first.domain());
        if (!suspends && fill(spool, first.domain(), now, aged)) lastFilled = first.domain();
      }
      row = spool.firstDueAfter(first.domain());
    }
    return new Seen(nextDue, oldest, domains, lastFilled);
  }

  /** Whether any row found a place. */
  private boolean fill(OwnedSpool spool, String domain, Instant now, Aged aged) {
    Destination destination = deliveries.destination(domain);
    long nanos = System.nanoTime();
    int places = window.places(destination, nanos);
    if (places == 0) {
      window.leftOut(destination);
      if (window.waiting(destination, nanos)) reportAged(spool, domain, destination, now, aged);
      return false;
    }
    int limit = Math.min(ROWS, places) + window.known(destination);
    List<DueRow> rows = spool.due(domain, now.toEpochMilli(), limit);
    boolean any = false;
    for (DueRow row : rows) {
      ActiveWindow.Offer offer = window.offer(new Claim(spool, row.id(), destination), nanos);
      if (offer == ActiveWindow.Offer.NO_PLACE) break;
      any |= offer == ActiveWindow.Offer.TAKEN;
    }
    if (rows.size() == limit) window.leftOut(destination);
    return any;
  }

  private void reportAged(
      OwnedSpool spool, String domain, Destination destination, Instant now, Aged aged) {
    for (DueRow row : spool.due(domain, now.toEpochMilli(), AGED_ROWS)) {
      if (schedule.late(row.id().arrived(), now) || schedule.expired(row.id().arrived(), now)) {
        aged.row(new Claim(spool, row.id(), destination));
      }
    }
  }
}
