package org.quorumail.queue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.AttemptResult;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.DeliveryAttempt;
import org.quorumail.delivery.DeliveryOrder;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Outcome.SuccessReport;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.OwnedSpool.InDoubtDeliveries;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attempt for one claim: finds the recipients that are due, delivers to them, and has the
 * outcomes recorded step by step. Used once, by one thread.
 */
final class DeliveryTask {
  private static final Logger LOG = LoggerFactory.getLogger(DeliveryTask.class);

  /**
   * The claim is not taken up before this after a failure of this node, which hardly passes at
   * once.
   */
  private static final Duration SHORT_BACKOFF = Duration.ofSeconds(5);

  private static final Duration LONG_BACKOFF = Duration.ofMinutes(1);
  private static final EnhancedStatus NO_HOST = new EnhancedStatus(4, 4, 1);
  private static final EnhancedStatus EXPANDED = new EnhancedStatus(2, 1, 5);

  private final TaskContext context;
  private final DeliveryClaim claim;
  private final List<Integer> recipientIndexes = new ArrayList<>(); // due, and of this task alone
  private final Set<Integer> undecided = new HashSet<>(); // taken, and without an outcome yet
  private final List<ActiveWindow.RecipientKey> taken = new ArrayList<>();
  private @Nullable SpooledMessage message;
  private @Nullable InDoubtDeliveries inDoubt;
  private boolean dotIsOut;
  private Duration backoff = Duration.ZERO;
  private long nextDueMillis = Long.MAX_VALUE;

  /** The parts that all tasks use. */
  record TaskContext(
      DeliveryAgent agent,
      ActiveWindow window,
      RetrySchedule schedule,
      OutcomeRecorder recorder,
      FailureActions actions,
      InstantSource time) {}

  DeliveryTask(TaskContext context, DeliveryClaim claim) {
    this.context = context;
    this.claim = claim;
  }

  /** Runs the attempt, for which there is room; returns how long the claim is backed off. */
  Duration run() {
    boolean begun = false;
    try {
      if (prepare() && !returnIfDeadlineMissed()) {
        begun = true;
        attempt();
      }
    } catch (RuntimeException e) { // a closed spool or a fault: the claim must never be lost
      logFault(e);
    } finally {
      if (!begun) context.agent.cancel(claim.destination());
      leaveDoubt();
      taken.forEach(context.window::releaseRecipient);
    }
    return backoff;
  }

  /** Instead of an attempt, when no host works: returns or reports a message that is overdue. */
  Duration reportOverdue() {
    try {
      if (prepare() && isOverdue()) {
        String reason = "no host of " + claim.destination() + " answers at the moment";
        recordAll(new Outcome.Deferred(NO_HOST, reason, ""));
      }
    } catch (RuntimeException e) {
      logFault(e);
    } finally {
      taken.forEach(context.window::releaseRecipient);
    }
    return backoff;
  }

  /** The time at which the first deferred recipient is due again; MAX_VALUE for none. */
  long nextDueMillis() {
    return nextDueMillis;
  }

  /** Finds the recipients that are due still; the claim may be old. */
  private boolean prepare() {
    if (!claim.spool().mayDeliver()) {
      backoff = SHORT_BACKOFF;
      return false;
    }
    message = claim.spool().message(claim.id()).orElse(null);
    if (message == null || message.held()) return false;
    long now = context.time.millis();
    for (int i = 0; i < message.recipients().size(); i++) {
      RecipientState r = message.recipients().get(i);
      if (r.status() != SpooledMessage.RecipientStatus.PENDING || !isForThisDestination(r)) {
        continue;
      }
      if (!context.schedule.isDue(r, now)) nextDueMillis = Math.min(nextDueMillis, r.dueMillis());
      else if (take(i)) recipientIndexes.add(i);
      else backoff = SHORT_BACKOFF;
    }
    recordExpansions();
    return !recipientIndexes.isEmpty();
  }

  private boolean take(int recipient) {
    ActiveWindow.RecipientKey key =
        new ActiveWindow.RecipientKey(claim.spool().name(), claim.id(), recipient);
    return context.window.takeRecipient(key) && taken.add(key) && undecided.add(recipient);
  }

  /** An alias for several needs no delivery, only the record that it was expanded. */
  private void recordExpansions() {
    List<Integer> aliases = recipientIndexes.stream().filter(this::isExpandedAlias).toList();
    if (aliases.isEmpty()) return;
    recipientIndexes.removeAll(aliases);
    String reason = "goes to the addresses behind it";
    record(outcomes(aliases, new Outcome.Delivered(EXPANDED, reason, "", SuccessReport.EXPANDED)));
  }

  private boolean isExpandedAlias(int recipient) {
    return message().recipients().get(recipient).recipient().expanded();
  }

  private boolean isForThisDestination(RecipientState r) {
    return context.agent.destination(r.address().domain()).equals(claim.destination());
  }

  /** A message whose sender wants it back rather than late (RFC 2852, mode R) is not tried. */
  private boolean returnIfDeadlineMissed() {
    if (!context.schedule.isDeadlineMissed(message(), context.time.instant())) return false;
    recordAll(new Outcome.Deferred(NO_HOST, "not tried again", ""));
    return true;
  }

  private boolean isOverdue() {
    Instant now = context.time.instant();
    return context.schedule.isExpired(message(), now)
        || new DsnPolicy(context.schedule, message()).isDelayNoticeDue(now);
  }

  /** Delivers step by step. Each step is committed before the next begins. */
  private void attempt() {
    DeliveryOrder order =
        new DeliveryOrder(
            message(),
            recipientIndexes,
            () -> claim.spool().content(claim.id()),
            this::mayFinalDotBeSent);
    try (DeliveryAttempt attempt = context.agent.begin(claim.destination(), order)) {
      boolean goesOn = true;
      while (goesOn && !attempt.isFinished()) {
        goesOn =
            switch (attempt.next()) {
              case AttemptResult.Outcomes some -> record(some.outcomes());
              case AttemptResult.NotTried not -> {
                backoff = SHORT_BACKOFF;
                LOG.debug("event=not_tried queue_id={} reason=\"{}\"", claim.id(), not.reason());
                yield false;
              }
              case AttemptResult.Unreadable content -> {
                backoff = LONG_BACKOFF;
                LOG.error(
                    "event=content_unreadable queue_id={} reason=\"{}\"",
                    claim.id(),
                    content.reason());
                yield false;
              }
            };
      }
    }
  }

  private boolean mayFinalDotBeSent(int recipients) {
    leaveDoubt();
    Optional<InDoubtDeliveries> entered = claim.spool().enterDoubt(recipients);
    inDoubt = entered.orElse(null);
    if (entered.isEmpty()) return false;
    dotIsOut = context.window.beginDot();
    if (!dotIsOut) leaveDoubt();
    return dotIsOut;
  }

  private void leaveDoubt() {
    if (inDoubt != null) inDoubt.close();
    inDoubt = null;
    if (dotIsOut) context.window.endDot();
    dotIsOut = false;
  }

  private void recordAll(Outcome outcome) {
    record(outcomes(recipientIndexes, outcome));
  }

  private static List<RecipientOutcome> outcomes(List<Integer> recipients, Outcome outcome) {
    return recipients.stream().map(i -> new RecipientOutcome(i, outcome)).toList();
  }

  /**
   * Commits outcomes, in a later term of this node if need be; its recipients stay taken meanwhile.
   * False when another node may own the spool.
   */
  private boolean record(List<RecipientOutcome> outcomes) {
    for (RecipientOutcome o : outcomes) {
      if (!undecided.remove(o.recipientIndex())) {
        throw new IllegalStateException(
            "recipient " + o.recipientIndex() + " has a second outcome in one attempt");
      }
    }
    List<RecipientOutcome> decided =
        context.actions.apply(message(), outcomes, claim.destination());
    OutcomeRecorder.Recorded recorded = context.recorder.record(claim.spool(), message(), decided);
    nextDueMillis = Math.min(nextDueMillis, recorded.nextDueMillis());
    if (!recorded.accepted()) backoff = SHORT_BACKOFF;
    leaveDoubt();
    return recorded.accepted();
  }

  private SpooledMessage message() {
    if (message == null) throw new IllegalStateException("the message is not read yet");
    return message;
  }

  private void logFault(RuntimeException e) {
    backoff = LONG_BACKOFF;
    if (claim.spool().mayDeliver()) {
      LOG.error("event=attempt_fault queue_id={} reason=\"{}\"", claim.id(), e.toString(), e);
    }
  }
}
