package org.quorumail.queue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Outcome.SuccessReport;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * Bounces messages at the order of an operator: the recipients that wait fail as if the next hop
 * had refused them, and the report to the sender is committed with that. Only the owner of the
 * spool does so, and only for recipients of whom no attempt is running: else a recipient could be
 * both delivered and bounced. Thread-safe.
 */
final class OperatorBounces {
  private static final EnhancedStatus REFUSED = new EnhancedStatus(5, 7, 1);
  private static final EnhancedStatus EXPANDED = new EnhancedStatus(2, 1, 5);

  private final ActiveWindow window;
  private final OutcomeRecorder recorder;

  OperatorBounces(ActiveWindow window, OutcomeRecorder recorder) {
    this.window = window;
    this.recorder = recorder;
  }

  /** Bounces a message of a spool that this node owns. Blocks until a quorum has it. */
  BounceResult bounce(OwnedSpool spool, QueueId id, OperatorCommand.Bounce order) {
    Optional<SpooledMessage> found = spool.message(id);
    if (found.isEmpty() || !spool.mayDeliver()) return BounceResult.NOT_OWNED;
    List<ActiveWindow.RecipientKey> taken = new ArrayList<>();
    try {
      for (int i = 0; i < found.get().recipients().size(); i++) {
        ActiveWindow.RecipientKey key = new ActiveWindow.RecipientKey(spool.name(), id, i);
        if (isPending(found.get(), i) && window.takeRecipient(key)) taken.add(key);
      }
      Optional<SpooledMessage> now = spool.message(id); // an attempt may just have ended
      if (now.isEmpty()) return BounceResult.NOT_OWNED;
      List<RecipientOutcome> outcomes =
          taken.stream()
              .map(ActiveWindow.RecipientKey::recipientIndex)
              .filter(i -> isPending(now.get(), i))
              .map(i -> new RecipientOutcome(i, outcome(now.get().recipients().get(i), order)))
              .toList();
      if (outcomes.isEmpty()) return BounceResult.IN_PROGRESS;
      boolean reports = !order.silent() && now.get().reversePath() instanceof ReversePath.Mailbox;
      return recorder.record(spool, now.get(), outcomes, reports).accepted()
          ? BounceResult.DONE
          : BounceResult.NOT_RECORDED;
    } finally {
      taken.forEach(window::releaseRecipient);
    }
  }

  private static boolean isPending(SpooledMessage message, int recipient) {
    return message.recipients().get(recipient).status() == RecipientStatus.PENDING;
  }

  /** An alias for several has no mailbox that could fail: those behind it do. */
  private static Outcome outcome(RecipientState recipient, OperatorCommand.Bounce order) {
    if (recipient.recipient().expanded())
      return new Outcome.Delivered(
          EXPANDED, "goes to the addresses behind it", "", SuccessReport.EXPANDED);
    String reason = order.reason().isEmpty() ? "" : ": " + order.reason();
    return new Outcome.Failed(REFUSED, "bounced by an operator" + reason, "");
  }
}
