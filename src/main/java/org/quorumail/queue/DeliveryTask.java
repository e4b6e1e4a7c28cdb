package org.quorumail.queue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.Disposition;
import org.quorumail.delivery.Disposition.Responsibility;
import org.quorumail.delivery.Job;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.dsn.RecipientReport;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.OwnedSpool.DsnMessage;
import org.quorumail.spool.OwnedSpool.InDoubtDeliveries;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One attempt for one claim: what is due of it, the delivery, outcomes, report, record. */
final class DeliveryTask implements Job {
  private static final Logger log = LoggerFactory.getLogger(DeliveryTask.class);

  /** After trouble of our own, which is hardly over at once: the claim is not taken up before. */
  private static final Duration SHORT_BACKOFF = Duration.ofSeconds(5);

  private static final Duration LONG_BACKOFF = Duration.ofMinutes(1);
  private static final EnhancedStatus NO_HOST = new EnhancedStatus(4, 4, 1);
  private static final EnhancedStatus EXPANDED = new EnhancedStatus(2, 1, 5);

  private final TaskContext shared;
  private final DeliveryClaim claim;
  private final List<Integer> recipientIndexes = new ArrayList<>();
  private final List<Underway.Place> taken = new ArrayList<>();
  private @Nullable SpooledMessage message;
  private @Nullable InDoubtDeliveries doubt;
  private Duration backoff = Duration.ZERO;
  private long nextDueMillis = Long.MAX_VALUE;

  /** What all tasks use. */
  record TaskContext(
      DeliveryAgent deliveries,
      RetrySchedule schedule,
      DsnComposer notifications,
      QueueMeters meters,
      InstantSource time,
      Underway underway) {}

  DeliveryTask(TaskContext shared, DeliveryClaim claim) {
    this.shared = shared;
    this.claim = claim;
  }

  /** Runs the attempt, for which there is room; returns how long the claim rests afterwards. */
  Duration run() {
    boolean begun = false;
    try {
      if (prepare() && !tooLate()) {
        begun = true;
        shared.deliveries.attempt(claim.destination(), this);
      }
    } catch (
        RuntimeException e) { // the spool was closed under us, or a fault: never lose the claim
      logFault(e);
    } finally {
      if (!begun) shared.deliveries.cancel(claim.destination());
      leaveDoubt();
      taken.forEach(shared.underway::release);
    }
    return backoff;
  }

  /** Instead of an attempt, when no host works: gives up or reports what has waited too long. */
  Duration reportOverdue() {
    try {
      if (prepare() && isOverdue()) {
        Disposition none =
            new Disposition.TryLater(
                NO_HOST, "no host of " + claim.destination() + " answers at the moment", "");
        answered(recipientIndexes.stream().map(p -> new Result(p, none)).toList());
      }
    } catch (RuntimeException e) {
      logFault(e);
    } finally {
      taken.forEach(shared.underway::release);
    }
    return backoff;
  }

  /** A message that was wanted sooner (RFC 2852, mode R) is returned instead of tried. */
  private boolean tooLate() {
    Instant now = shared.time.instant();
    if (!shared.schedule.isDeadlineMissed(message(), now)) return false;
    Disposition late = new Disposition.TryLater(NO_HOST, "not tried again", "");
    answered(recipientIndexes.stream().map(p -> new Result(p, late)).toList());
    return true;
  }

  /** When the first of the recipients that were deferred is due again; MAX_VALUE for none. */
  long nextDueMillis() {
    return nextDueMillis;
  }

  private boolean isOverdue() {
    Instant now = shared.time.instant();
    return shared.schedule.isExpired(message(), now)
        || new DsnPolicy(shared.schedule, message()).isDelayNoticeDue(now);
  }

  /** Finds what is still to be done; the claim may have been made long ago. */
  private boolean prepare() {
    if (!claim.spool().mayDeliver()) {
      backoff = SHORT_BACKOFF;
      return false;
    }
    message = claim.spool().message(claim.id()).orElse(null);
    if (message == null || message.held()) return false;
    long now = shared.time.millis();
    for (int i = 0; i < message.recipients().size(); i++) {
      RecipientState r = message.recipients().get(i);
      if (r.status() != SpooledMessage.RecipientStatus.PENDING || !isForThisDestination(r))
        continue;
      if (r.dueMillis() > now) nextDueMillis = Math.min(nextDueMillis, r.dueMillis());
      else if (take(i)) recipientIndexes.add(i);
      else backoff = SHORT_BACKOFF;
    }
    tellOfExpansions();
    return !recipientIndexes.isEmpty();
  }

  private boolean take(int recipient) {
    Underway.Place place = new Underway.Place(claim.spool().name(), claim.id(), recipient);
    return shared.underway.take(place) && taken.add(place);
  }

  /** Of an alias for several nothing is to be done but to say so; then it is none of the places. */
  private void tellOfExpansions() {
    List<Integer> aliases = recipientIndexes.stream().filter(this::isExpandedAlias).toList();
    if (aliases.isEmpty()) return;
    recipientIndexes.removeAll(aliases);
    Disposition done =
        new Disposition.Delivered(
            EXPANDED, "goes to the addresses behind it", "", Responsibility.EXPANDED);
    answered(aliases.stream().map(p -> new Result(p, done)).toList());
  }

  private boolean isExpandedAlias(int place) {
    return message().recipients().get(place).recipient().expanded();
  }

  private boolean isForThisDestination(RecipientState r) {
    return shared.deliveries.destination(r.address().domain()).equals(claim.destination());
  }

  @Override
  public SpooledMessage message() {
    if (message == null) throw new IllegalStateException("the message is not read yet");
    return message;
  }

  @Override
  public List<Integer> recipients() {
    return recipientIndexes;
  }

  @Override
  public InputStream content() {
    return claim.spool().content(claim.id());
  }

  @Override
  public boolean dotAllowed(int recipients) {
    leaveDoubt();
    Optional<InDoubtDeliveries> entered = claim.spool().enterDoubt(recipients);
    doubt = entered.orElse(null);
    return entered.isPresent();
  }

  private void leaveDoubt() {
    if (doubt != null) doubt.close();
    doubt = null;
  }

  @Override
  public void answered(List<Result> results) {
    if (results.isEmpty()) return;
    for (List<Result> portion : Portions.of(message(), results)) {
      if (!settle(portion)) break;
    }
    leaveDoubt();
  }

  /** Commits results and their report; false when the term has passed. */
  private boolean settle(List<Result> results) {
    Instant now = shared.time.instant();
    Instant arrived = Instant.ofEpochMilli(message().arrivedMillis());
    List<RecipientOutcome> outcomes = new ArrayList<>(results.size());
    for (Result r : results) {
      int attempts = message().recipients().get(r.recipient()).attempts();
      outcomes.add(
          new RecipientOutcome(
              r.recipient(), shared.schedule.outcome(r.disposition(), attempts, message(), now)));
    }
    DsnMessage notification = notification(results, outcomes, now);
    boolean recorded = claim.spool().recordOutcomes(claim.id(), outcomes, notification);
    if (!recorded) {
      backoff = SHORT_BACKOFF;
      log.warn("event=outcome_refused queue_id={} term={}", claim.id(), claim.spool().term());
      return false;
    }
    for (RecipientOutcome r : outcomes) tell(r, arrived, now);
    if (notification != null) reported(notification);
    return true;
  }

  /** The report that the results make due, if any; it is committed together with them. */
  private @Nullable DsnMessage notification(
      List<Result> results, List<RecipientOutcome> outcomes, Instant now) {
    List<RecipientReport> reports =
        new DsnPolicy(shared.schedule, message()).reports(results, outcomes, now);
    if (reports.isEmpty()) return null;
    try (InputStream content = content()) {
      return notification(reports, content, now);
    } catch (IOException e) { // a report without the message is better than none
      log.error("event=content_unreadable queue_id={} reason=\"{}\"", claim.id(), e.getMessage());
    }
    try {
      return notification(reports, InputStream.nullInputStream(), now);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail to be read
    }
  }

  private @Nullable DsnMessage notification(
      List<RecipientReport> reports, InputStream content, Instant now) throws IOException {
    Instant until = shared.schedule.expiry(message());
    return shared.notifications.compose(message(), reports, content, now, until).orElse(null);
  }

  private void tell(RecipientOutcome result, Instant arrived, Instant now) {
    RecipientState recipient = message().recipients().get(result.recipientIndex());
    Outcome o = result.outcome();
    if (recipient.recipient().expanded()) return; // nothing was delivered
    shared.meters.outcome(o, recipient.attempts() > 0, Duration.between(arrived, now));
    if (o instanceof Outcome.Deferred d) {
      nextDueMillis = Math.min(nextDueMillis, d.until().toEpochMilli());
    }
    log.info(
        "event={} queue_id={} to=<{}> relay={} dsn={} attempt={} delay={} reply=\"{}\"",
        QueueMeters.word(o),
        claim.id(),
        recipient.address().printable(),
        o.remote().isEmpty() ? "none" : o.remote(),
        o.status(),
        recipient.attempts() + 1,
        Duration.between(arrived, now).toMillis() / 1000.0,
        o.diagnostic());
    if (o instanceof Outcome.Failed && message().reversePath() instanceof ReversePath.Null) {
      String to = recipient.address().printable();
      log.warn("event=report_failed queue_id={} to=<{}>", claim.id(), to);
    }
  }

  private void reported(DsnMessage notification) {
    log.info(
        "event=notification queue_id={} about={} kind={} to=<{}>",
        notification.id(),
        claim.id(),
        notification.aboutDelay() ? "delay" : "final",
        notification.envelope().recipients().getFirst().address().printable());
  }

  @Override
  public void notTried(String reason) {
    backoff = SHORT_BACKOFF;
    log.debug("event=not_tried queue_id={} reason=\"{}\"", claim.id(), reason);
  }

  @Override
  public void unreadable(String reason) {
    backoff = LONG_BACKOFF;
    log.error("event=content_unreadable queue_id={} reason=\"{}\"", claim.id(), reason);
  }

  private void logFault(RuntimeException e) {
    backoff = LONG_BACKOFF;
    if (claim.spool().mayDeliver()) {
      log.error("event=attempt_fault queue_id={} reason=\"{}\"", claim.id(), e.toString(), e);
    }
  }
}
