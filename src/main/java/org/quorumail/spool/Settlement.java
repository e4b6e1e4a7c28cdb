package org.quorumail.spool;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.spool.Counters.Ending;
import org.quorumail.spool.Entry.AttemptResults;
import org.quorumail.spool.Entry.Report;
import org.quorumail.spool.OwnedSpool.Result;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.Status;

/**
 * What the results of an attempt make of a message: attempting → delivered, deferred, failed →
 * removed, with the report that goes with them. The same results may come twice, when nobody
 * answered the first time; then the second time changes nothing.
 */
final class Settlement {
  private final Change change;
  private final List<SpooledMessage> due;

  /**
   * @param due gets the messages that have become due
   */
  Settlement(Change change, List<SpooledMessage> due) {
    this.change = change;
    this.due = due;
  }

  Answer of(AttemptResults attempt) throws IOException {
    Optional<SpooledMessage> stored = change.message(attempt.id());
    if (stored.isEmpty()) return Answer.NO_SUCH_MESSAGE; // ended, or an operator took it out
    SpooledMessage before = stored.get();
    List<RecipientState> recipients = new ArrayList<>(before.recipients());
    boolean expired = false;
    for (Result result : attempt.results()) {
      if (result.recipient() < 0 || result.recipient() >= recipients.size()) {
        throw new IOException(
            "results for %s name recipient %d of %d"
                .formatted(before.id(), result.recipient(), recipients.size()));
      }
      RecipientState old = recipients.get(result.recipient());
      if (isKnown(old, result.outcome())) continue;
      recipients.set(result.recipient(), after(old, result.outcome()));
      expired |= isExpiry(result.outcome());
    }
    SpooledMessage after = before.withRecipients(recipients);
    report(attempt.report(), before, after);
    Report report = attempt.report();
    if (report != null && report.aboutDelay()) after = after.withDelayReported(true);
    change.update(after);
    if (pending(after) == 0) change.remove(after.id(), ending(after, expired));
    return Answer.DONE;
  }

  /** Recorded before: the first end stays, and results that are sent again are no new attempt. */
  private static boolean isKnown(RecipientState old, Outcome outcome) {
    if (old.status() != Status.PENDING) return true;
    return outcome instanceof Outcome.Deferred again
        && old.attempts() > 0
        && old.dueMillis() == again.until().toEpochMilli()
        && old.diagnostic().equals(again.diagnostic());
  }

  private static RecipientState after(RecipientState old, Outcome outcome) {
    Status status =
        switch (outcome) {
          case Outcome.Delivered d -> Status.DELIVERED;
          case Outcome.Deferred d -> Status.PENDING;
          case Outcome.Failed f -> Status.FAILED;
        };
    long due =
        outcome instanceof Outcome.Deferred deferred
            ? deferred.until().toEpochMilli()
            : old.dueMillis();
    return new RecipientState(
        old.recipient(), status, old.attempts() + 1, due, outcome.diagnostic());
  }

  /**
   * A report is accepted once, although its first acceptance may be forgotten by now: one about
   * ends when somebody comes to an end by these results, one about a delay once per message.
   */
  private void report(@Nullable Report report, SpooledMessage before, SpooledMessage after)
      throws IOException {
    if (report == null) return;
    boolean told = report.aboutDelay() ? before.delayReported() : pending(before) == pending(after);
    if (!told) SpoolState.accept(report.message(), change, due);
  }

  private static long pending(SpooledMessage message) {
    return message.recipients().stream().filter(r -> r.status() == Status.PENDING).count();
  }

  private static Ending ending(SpooledMessage message, boolean expired) {
    if (expired) return Ending.EXPIRED;
    boolean failed = message.recipients().stream().anyMatch(r -> r.status() == Status.FAILED);
    return failed ? Ending.FAILED : Ending.COMPLETED;
  }

  /** RFC 3463 §3.5: X.4.7, delivery time expired. */
  private static boolean isExpiry(Outcome outcome) {
    EnhancedStatus status = outcome.status();
    return outcome instanceof Outcome.Failed && status.subject() == 4 && status.detail() == 7;
  }
}
