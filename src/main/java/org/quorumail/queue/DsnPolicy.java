package org.quorumail.queue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.dsn.DsnAction;
import org.quorumail.dsn.RecipientReport;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.Notify;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Outcome.SuccessReport;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpooledMessage;

/**
 * Decides which outcomes of an attempt are reported to the sender: RFC 3461 §4.1 (NOTIFY) and §5.2,
 * RFC 2852 §4.1.4. The report is recorded together with the outcomes, so it is sent once, even when
 * the spool changes its owner.
 */
final class DsnPolicy {
  private final RetrySchedule schedule;
  private final SpooledMessage message;

  DsnPolicy(RetrySchedule schedule, SpooledMessage message) {
    this.schedule = schedule;
    this.message = message;
  }

  /**
   * The reports that these outcomes make due; none about a message without a sender. A delay is
   * never reported together with a final outcome: each has its own condition for being reported
   * once.
   */
  List<RecipientReport> reports(List<RecipientOutcome> outcomes, Instant now) {
    List<RecipientReport> finals = new ArrayList<>();
    List<RecipientReport> delays = new ArrayList<>();
    if (message.reversePath() instanceof ReversePath.Null) return finals;
    for (RecipientOutcome o : outcomes) {
      Recipient recipient = message.recipients().get(o.recipientIndex()).recipient();
      Outcome outcome = o.outcome();
      Optional<DsnAction> action = action(recipient.notifyOn(), outcome);
      if (action.isEmpty()) continue;
      RecipientReport report =
          new RecipientReport(
              recipient, action.get(), outcome.status(), outcome.diagnostic(), outcome.remote());
      (action.get() == DsnAction.DELAYED ? delays : finals).add(report);
    }
    return finals.isEmpty() && isDelayNoticeDue(now) ? delays : finals;
  }

  /**
   * Returns whether the sender has waited long enough, wants a delay reported, and has no report
   * yet.
   */
  boolean isDelayNoticeDue(Instant now) {
    return !message.delayReported()
        && message.reversePath() instanceof ReversePath.Mailbox
        && schedule.isDelayed(message, now)
        && message.recipients().stream()
            .anyMatch(
                r ->
                    r.status() == SpooledMessage.RecipientStatus.PENDING
                        && wantsDelay(r.recipient().notifyOn()));
  }

  private Optional<DsnAction> action(Notify notify, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Failed f -> notify.failure() ? Optional.of(DsnAction.FAILED) : Optional.empty();
      case Outcome.Deferred d ->
          wantsDelay(notify) ? Optional.of(DsnAction.DELAYED) : Optional.empty();
      case Outcome.Delivered d -> delivered(notify, d.successReport());
    };
  }

  /** RFC 2852 §4.1.4: a late message of mode N is reported unless NOTIFY=NEVER. */
  private boolean wantsDelay(Notify notify) {
    boolean never = !notify.success() && !notify.failure() && !notify.delay();
    boolean timed = message.options().deliverBy().isPresent();
    return notify.delay() || (timed && !never);
  }

  private Optional<DsnAction> delivered(Notify notify, SuccessReport report) {
    boolean traced = message.options().deliverBy().filter(DeliverBy::trace).isPresent();
    boolean never = notify.equals(Notify.NEVER);
    return switch (report) {
      case BY_NEXT_HOP -> traced && !never ? Optional.of(DsnAction.RELAYED) : Optional.empty();
      case RELAYED ->
          notify.success() || (message.options().deliverBy().isPresent() && !never)
              ? Optional.of(DsnAction.RELAYED)
              : Optional.empty();
      case EXPANDED -> notify.success() ? Optional.of(DsnAction.EXPANDED) : Optional.empty();
      case DELIVERED -> notify.success() ? Optional.of(DsnAction.DELIVERED) : Optional.empty();
    };
  }
}
