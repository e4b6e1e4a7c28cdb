package org.quorumail.queue;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.dsn.RecipientReport;
import org.quorumail.mail.FailureClass;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.metrics.Buckets;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnedSpool.DsnMessage;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records the outcomes of attempts. It sets the time of the next attempt and composes the report
 * that is due. It commits both as one record of the spool, then counts and logs them. Thread-safe.
 */
final class OutcomeRecorder {
  private static final Logger LOG = LoggerFactory.getLogger(OutcomeRecorder.class);

  private static final String DETAILS =
      " queue_id={} to=<{}> relay={} dsn={} attempt={} delay={} reply=\"{}\"";

  private static final String FAILURE_DETAILS = DETAILS + " class={}";

  /** The part of the message that a report returns, and the report's own header. */
  private static final int ORIGINAL = 64 * 1024;

  private static final int MAX_BATCH_BYTES = OwnedSpool.RECORD_BYTES_MAX - ORIGINAL;

  /** Field names, dates, numbers and line ends for one recipient, in outcome and report. */
  private static final int FRAME = 320;

  private final Function<String, FailureClass> classify;
  private final RetrySchedule schedule;
  private final DsnComposer dsns;
  private final InstantSource time;
  private final Counter delivered;
  private final Counter deferred;
  private final Counter failed;
  private final Counter retries;
  private final FailureCounters failures;
  private final Timer age;

  /**
   * @param classify gives the class of a diagnostic
   */
  OutcomeRecorder(
      RetrySchedule schedule,
      DsnComposer dsns,
      MeterRegistry meters,
      InstantSource time,
      Function<String, FailureClass> classify) {
    this.classify = classify;
    failures = new FailureCounters(meters);
    this.schedule = schedule;
    this.dsns = dsns;
    this.time = time;
    delivered = attempts(meters, "delivered");
    deferred = attempts(meters, "deferred");
    failed = attempts(meters, "failed");
    retries =
        Counter.builder("delivery.retries")
            .description("Attempts after the first one of a recipient")
            .register(meters);
    age =
        Timer.builder("delivery.queue.age")
            .description("Age of a message when the outcome of a recipient is final")
            .serviceLevelObjectives(Buckets.waiting())
            .register(meters);
  }

  private static Counter attempts(MeterRegistry meters, String status) {
    return Counter.builder("delivery.attempts")
        .description("Outcomes of attempts, by recipient")
        .tag("status", status)
        .register(meters);
  }

  /**
   * The result of {@link #record}.
   *
   * @param accepted false when another node may own the spool: it tries the rest again
   * @param nextDueMillis the earliest time of a deferred recipient; MAX_VALUE for none
   */
  record Recorded(boolean accepted, long nextDueMillis) {}

  /** Commits the outcomes of one step of an attempt. Blocks. */
  Recorded record(OwnedSpool spool, SpooledMessage message, List<RecipientOutcome> outcomes) {
    return record(spool, message, outcomes, true);
  }

  /**
   * The same, perhaps without a report.
   *
   * @param reports whether the sender is notified of what is due for a report
   */
  Recorded record(
      OwnedSpool spool, SpooledMessage message, List<RecipientOutcome> outcomes, boolean reports) {
    long nextDueMillis = Long.MAX_VALUE;
    for (List<RecipientOutcome> batch : batches(message, outcomes)) {
      Instant now = time.instant();
      List<RecipientOutcome> scheduled =
          batch.stream().map(o -> schedule.schedule(o, message, now)).toList();
      DsnMessage report = reports ? report(spool, message, scheduled, now) : null;
      if (!spool.recordOutcomes(message.id(), scheduled, report)) {
        LOG.warn("event=outcome_refused queue_id={} term={}", message.id(), spool.term());
        return new Recorded(false, nextDueMillis);
      }
      for (RecipientOutcome o : scheduled) {
        if (o.outcome() instanceof Outcome.Deferred d) {
          nextDueMillis = Math.min(nextDueMillis, d.until().toEpochMilli());
        }
        countAndLog(message, o, now);
      }
      if (report != null) logReport(message, report);
    }
    return new Recorded(true, nextDueMillis);
  }

  /**
   * Cuts outcomes into batches, so that each, with the report that it makes due, fits into one
   * record of the spool. A thousand recipients with ordinary replies are one batch. A server that
   * says half a page about each of them makes it several batches and several reports.
   */
  private static List<List<RecipientOutcome>> batches(
      SpooledMessage message, List<RecipientOutcome> outcomes) {
    List<List<RecipientOutcome>> batches = new ArrayList<>();
    int begin = 0;
    int bytes = 0;
    for (int i = 0; i < outcomes.size(); i++) {
      RecipientOutcome o = outcomes.get(i);
      int more = maxBytes(message.recipients().get(o.recipientIndex()).recipient(), o.outcome());
      if (bytes + more > MAX_BATCH_BYTES && i > begin) {
        batches.add(outcomes.subList(begin, i));
        begin = i;
        bytes = 0;
      }
      bytes += more;
    }
    if (begin < outcomes.size()) batches.add(outcomes.subList(begin, outcomes.size()));
    return batches;
  }

  /** The most that one recipient takes: once in the outcome, and folded twice in the report. */
  private static int maxBytes(Recipient to, Outcome outcome) {
    int address = to.address().ascii() ? 2 : 6;
    return FRAME
        + 4 * outcome.diagnostic().length()
        + 2 * outcome.remote().length()
        + address * to.address().toString().length()
        + 2 * to.originalRecipient().length();
  }

  /** The report that the outcomes make due; null for none. It is committed together with them. */
  private @Nullable DsnMessage report(
      OwnedSpool spool, SpooledMessage message, List<RecipientOutcome> outcomes, Instant now) {
    if (message.reversePath() instanceof ReversePath.Null)
      return reduced(spool, message, outcomes, now);
    List<RecipientReport> reports = new DsnPolicy(schedule, message).reports(outcomes, now);
    if (reports.isEmpty()) return null;
    Instant until = schedule.expiry(message);
    try (InputStream content = spool.content(message.id())) {
      return dsns.compose(message, reports, content, now, until).orElse(null);
    } catch (IOException e) { // a report without the message is better than none
      LOG.error("event=content_unreadable queue_id={} reason=\"{}\"", message.id(), e.getMessage());
    }
    try {
      InputStream nothing = InputStream.nullInputStream();
      return dsns.compose(message, reports, nothing, now, until).orElse(null);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an empty stream cannot fail
    }
  }

  /** A report that was refused for its content is sent once more in its smallest form. */
  private @Nullable DsnMessage reduced(
      OwnedSpool spool, SpooledMessage message, List<RecipientOutcome> outcomes, Instant now) {
    if (outcomes.stream().noneMatch(o -> isAboutContent(o.outcome()))) return null;
    try (InputStream content = spool.content(message.id())) {
      return dsns.reduce(message, content, now).orElse(null);
    } catch (IOException e) {
      LOG.error("event=content_unreadable queue_id={} reason=\"{}\"", message.id(), e.getMessage());
      return null;
    }
  }

  /** RFC 3463 §3: other subjects are the address, the mailbox, and the way to the host. */
  private static boolean isAboutContent(Outcome outcome) {
    int subject = outcome.status().subject();
    return outcome instanceof Outcome.Failed && subject != 1 && subject != 2 && subject != 4;
  }

  private void countAndLog(SpooledMessage message, RecipientOutcome result, Instant now) {
    RecipientState recipient = message.recipients().get(result.recipientIndex());
    if (recipient.recipient().expanded()) return; // nothing was delivered
    Outcome o = result.outcome();
    Duration sinceArrival = Duration.between(Instant.ofEpochMilli(message.arrivedMillis()), now);
    count(o, recipient.attempts() > 0, sinceArrival);
    String to = recipient.address().printable();
    FailureClass failureClass =
        o instanceof Outcome.Delivered ? null : classify.apply(o.diagnostic());
    if (failureClass != null) failures.count(o, failureClass);
    Object[] details = {
      message.id(),
      to,
      o.remote().isEmpty() ? "none" : o.remote(),
      o.status(),
      recipient.attempts() + 1,
      sinceArrival.toMillis() / 1000.0,
      o.diagnostic(),
      failureClass == null ? "" : failureClass.text()
    };
    switch (o) {
      case Outcome.Delivered d -> LOG.info("event=delivered" + DETAILS, details);
      case Outcome.Deferred d -> LOG.info("event=deferred" + FAILURE_DETAILS, details);
      case Outcome.Failed f -> LOG.info("event=failed" + FAILURE_DETAILS, details);
    }
    if (o instanceof Outcome.Failed && message.reversePath() instanceof ReversePath.Null) {
      LOG.warn("event=report_failed queue_id={} to=<{}>", message.id(), to);
    }
  }

  private void count(Outcome outcome, boolean retry, Duration sinceArrival) {
    if (retry) retries.increment();
    switch (outcome) {
      case Outcome.Delivered d -> delivered.increment();
      case Outcome.Deferred d -> deferred.increment();
      case Outcome.Failed f -> failed.increment();
    }
    if (!(outcome instanceof Outcome.Deferred)) age.record(sinceArrival);
  }

  private static void logReport(SpooledMessage message, DsnMessage report) {
    LOG.info(
        "event=dsn_queued queue_id={} about={} kind={} to=<{}>",
        report.id(),
        message.id(),
        report.aboutDelay() ? "delay" : "final",
        report.envelope().recipients().getFirst().address().printable());
  }
}
