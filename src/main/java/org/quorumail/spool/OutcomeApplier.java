package org.quorumail.spool;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.SpoolCounters.FinalStatus;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.Dsn;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * The transition that the outcomes of an attempt cause: attempting → delivered, deferred, failed →
 * removed, with the DSN about them. The same outcomes may be applied twice, when the first append
 * got no answer; the second time changes nothing.
 */
final class OutcomeApplier {
  private final EntryTransaction change;
  private final List<SpooledMessage> due;

  /**
   * @param due collects the messages that become due
   */
  OutcomeApplier(EntryTransaction change, List<SpooledMessage> due) {
    this.change = change;
    this.due = due;
  }

  ApplyResult apply(AttemptOutcomes attempt) throws IOException {
    Optional<SpooledMessage> stored = change.message(attempt.id());
    if (stored.isEmpty()) return ApplyResult.NO_SUCH_MESSAGE; // ended, or an operator took it out
    SpooledMessage before = stored.get();
    List<RecipientState> recipients = new ArrayList<>(before.recipients());
    boolean expired = false;
    for (RecipientOutcome result : attempt.outcomes()) {
      if (result.recipientIndex() < 0 || result.recipientIndex() >= recipients.size()) {
        return ApplyResult.REFUSED; // an exception would stop every replica at every start
      }
      RecipientState old = recipients.get(result.recipientIndex());
      if (isAlreadyApplied(old, result.outcome())) continue;
      recipients.set(result.recipientIndex(), after(old, result.outcome()));
      expired |= isExpiry(result.outcome());
      if (attempt.atMillis() != 0)
        change.event(before.id(), attempt.atMillis(), attempted(before, old, result));
    }
    SpooledMessage after = before.withRecipients(recipients);
    acceptDsn(attempt, before, after);
    Dsn dsn = attempt.dsn();
    if (dsn != null && dsn.aboutDelay()) after = after.withDelayReported(true);
    change.update(after);
    if (pending(after) == 0) change.remove(after.id(), finalStatus(after, expired));
    return ApplyResult.DONE;
  }

  /** An end stays, and the same deferral again is no new attempt. */
  private static boolean isAlreadyApplied(RecipientState old, Outcome outcome) {
    if (old.status() != RecipientStatus.PENDING) return true;
    return outcome instanceof Outcome.Deferred again
        && old.attempts() > 0
        && old.dueMillis() == again.until().toEpochMilli()
        && old.diagnostic().equals(again.diagnostic());
  }

  private static RecipientState after(RecipientState old, Outcome outcome) {
    RecipientStatus status =
        switch (outcome) {
          case Outcome.Delivered d -> RecipientStatus.DELIVERED;
          case Outcome.Deferred d -> RecipientStatus.PENDING;
          case Outcome.Failed f -> RecipientStatus.FAILED;
        };
    long due =
        outcome instanceof Outcome.Deferred deferred
            ? deferred.until().toEpochMilli()
            : old.dueMillis();
    return new RecipientState(
        old.recipient(), status, old.attempts() + 1, due, outcome.diagnostic());
  }

  /**
   * Accepts the DSN once, even when its first acceptance is no longer visible. A DSN about ends is
   * new when these outcomes end a recipient; one about a delay is new once per message.
   */
  private void acceptDsn(AttemptOutcomes attempt, SpooledMessage before, SpooledMessage after)
      throws IOException {
    Dsn dsn = attempt.dsn();
    if (dsn == null) return;
    boolean isKnown = dsn.aboutDelay() ? before.delayReported() : pending(before) == pending(after);
    if (isKnown) return;
    SpooledMessage report = dsn.message().message();
    boolean isNew = change.message(report.id()).isEmpty();
    ApplyResult accepted = SpoolState.accept(dsn.message(), change, due);
    if (!isNew || accepted != ApplyResult.DONE || attempt.atMillis() == 0) return;
    change.event(
        report.id(), attempt.atMillis(), SpoolState.accepted(report, Arrival.UNKNOWN, before.id()));
  }

  private static MailEvent.Attempted attempted(
      SpooledMessage message, RecipientState recipient, RecipientOutcome result) {
    Outcome outcome = result.outcome();
    MailEvent.Result end =
        switch (outcome) {
          case Outcome.Delivered d -> MailEvent.Result.DELIVERED;
          case Outcome.Deferred d -> MailEvent.Result.DEFERRED;
          case Outcome.Failed f ->
              isExpiry(f) ? MailEvent.Result.EXPIRED : MailEvent.Result.BOUNCED;
        };
    return new MailEvent.Attempted(
        end,
        message.reversePath().toString(),
        recipient.address().toString(),
        recipient.attempts() + 1,
        outcome instanceof Outcome.Deferred d ? d.until().toEpochMilli() : 0,
        outcome.status(),
        outcome.diagnostic(),
        outcome.remote(),
        result.tls());
  }

  private static long pending(SpooledMessage message) {
    return message.recipients().stream().filter(r -> r.status() == RecipientStatus.PENDING).count();
  }

  private static FinalStatus finalStatus(SpooledMessage message, boolean expired) {
    if (expired) return FinalStatus.EXPIRED;
    boolean failed =
        message.recipients().stream().anyMatch(r -> r.status() == RecipientStatus.FAILED);
    return failed ? FinalStatus.FAILED : FinalStatus.COMPLETED;
  }

  /** RFC 3463 §3.5: X.4.7, delivery time expired. */
  private static boolean isExpiry(Outcome outcome) {
    EnhancedStatus status = outcome.status();
    return outcome instanceof Outcome.Failed && status.subject() == 4 && status.detail() == 7;
  }
}
