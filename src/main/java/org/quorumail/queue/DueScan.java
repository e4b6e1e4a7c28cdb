package org.quorumail.queue;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.Destination;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnedSpool.DueRow;

/**
 * Reads the due index of a spool and fills the active window: one skip scan over the domains, then
 * the due rows of those whose destination has free slots. Used by the dispatcher only.
 */
final class DueScan {
  /** The rows of one domain that are read at once. */
  private static final int ROWS = 500;

  /**
   * The rows of a delayed destination whose age is checked once a minute. They are more than can be
   * reported in a minute, since those at the front may all have been reported already.
   */
  private static final int OVERDUE_ROWS = 2_000;

  private final DeliveryAgent agent;
  private final ActiveWindow window;
  private final Predicate<String> suspended;
  private final RetrySchedule schedule;

  DueScan(
      DeliveryAgent agent,
      ActiveWindow window,
      Predicate<String> suspended,
      RetrySchedule schedule) {
    this.agent = agent;
    this.window = window;
    this.suspended = suspended;
    this.schedule = schedule;
  }

  /**
   * The result of a scan.
   *
   * @param nextDueMillis the time of the earliest row that is not due yet; MAX_VALUE for none
   * @param oldestDueMillis the time since which the oldest row has been due; MAX_VALUE for none
   * @param domains the number of domains that have mail
   * @param lastFilledDomain the domain that got the last slots, empty when none did
   */
  record ScanResult(
      long nextDueMillis, long oldestDueMillis, int domains, String lastFilledDomain) {
    static final ScanResult EMPTY = new ScanResult(Long.MAX_VALUE, Long.MAX_VALUE, 0, "");

    ScanResult merge(ScanResult other) {
      return new ScanResult(
          Math.min(nextDueMillis, other.nextDueMillis),
          Math.min(oldestDueMillis, other.oldestDueMillis),
          domains + other.domains,
          other.lastFilledDomain.isEmpty() ? lastFilledDomain : other.lastFilledDomain);
    }
  }

  /**
   * Scans all domains of the spool once, beginning after the given one.
   *
   * @param overdue called for rows that are late while their destination is delayed
   */
  ScanResult scan(OwnedSpool spool, String after, Instant now, Consumer<DeliveryClaim> overdue) {
    ScanResult seen = scanRange(spool, after, null, now, overdue);
    return after.isEmpty() ? seen : seen.merge(scanRange(spool, "", after, now, overdue));
  }

  /**
   * Offers mail whose time was set while the wall clock was ahead, so that it is later than any
   * delay of the schedule. Called now and then; there is no such mail unless the clock was set
   * back.
   */
  void offerMisdated(OwnedSpool spool, Instant now) {
    long latest = now.plus(schedule.longestDelay()).toEpochMilli();
    long nanos = System.nanoTime();
    for (Optional<DueRow> first = spool.firstDue();
        first.isPresent();
        first = spool.firstDueAfter(first.get().domain())) {
      String domain = first.get().domain();
      if (suspended.test(domain)) continue;
      for (DueRow row : spool.dueRows(domain, Long.MAX_VALUE, OVERDUE_ROWS)) {
        if (row.dueMillis() <= latest) continue;
        window.offer(new DeliveryClaim(spool, row.id(), agent.destination(domain)), nanos);
      }
    }
  }

  private ScanResult scanRange(
      OwnedSpool spool,
      String after,
      @Nullable String last,
      Instant now,
      Consumer<DeliveryClaim> overdue) {
    long nextDue = Long.MAX_VALUE;
    long oldest = Long.MAX_VALUE;
    int domains = 0;
    String lastFilled = "";
    Optional<DueRow> row = after.isEmpty() ? spool.firstDue() : spool.firstDueAfter(after);
    while (row.isPresent()) {
      DueRow first = row.get();
      if (last != null && compareBytes(first.domain(), last) > 0) break;
      domains++;
      if (first.dueMillis() > now.toEpochMilli()) nextDue = Math.min(nextDue, first.dueMillis());
      else {
        // a raised priority makes a row due before it came
        long since = Math.max(first.dueMillis(), first.id().arrived().toEpochMilli());
        oldest = Math.min(oldest, since);
        boolean isSuspended = suspended.test(first.domain());
        if (!isSuspended && fill(spool, first.domain(), now, overdue)) lastFilled = first.domain();
      }
      row = spool.firstDueAfter(first.domain());
      if (row.isPresent() && compareBytes(row.get().domain(), first.domain()) <= 0) {
        throw new IllegalStateException("the due index goes back to " + row.get().domain());
      }
    }
    return new ScanResult(nextDue, oldest, domains, lastFilled);
  }

  /** The order of the index, which is not that of {@link String#compareTo} above U+FFFF. */
  private static int compareBytes(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  /** Returns whether any row found a slot. */
  private boolean fill(
      OwnedSpool spool, String domain, Instant now, Consumer<DeliveryClaim> overdue) {
    Destination destination = agent.destination(domain);
    long nanos = System.nanoTime();
    int slots = window.freeSlots(destination, nanos);
    if (slots == 0) {
      window.noteBacklog(destination);
      if (window.isDelayed(destination, nanos))
        reportOverdue(spool, domain, destination, now, overdue);
      return false;
    }
    int limit = Math.min(ROWS, slots) + window.claimCount(destination);
    List<DueRow> rows = spool.dueRows(domain, now.toEpochMilli(), limit);
    boolean any = false;
    for (DueRow row : rows) {
      ActiveWindow.OfferResult result =
          window.offer(new DeliveryClaim(spool, row.id(), destination), nanos);
      if (result == ActiveWindow.OfferResult.NO_SLOT) break;
      any |= result == ActiveWindow.OfferResult.ADDED;
    }
    if (rows.size() == limit) window.noteBacklog(destination);
    return any;
  }

  private void reportOverdue(
      OwnedSpool spool,
      String domain,
      Destination destination,
      Instant now,
      Consumer<DeliveryClaim> overdue) {
    for (DueRow row : spool.dueRows(domain, now.toEpochMilli(), OVERDUE_ROWS)) {
      if (schedule.isDelayed(row.id().arrived(), now)
          || schedule.isExpired(row.id().arrived(), now)) {
        overdue.accept(new DeliveryClaim(spool, row.id(), destination));
      }
    }
  }
}
