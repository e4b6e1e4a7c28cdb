package org.quorumail.spool;

import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.Dsn;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A spool in one term in which this node owns it. {@link SpoolOwnership} decides whether the term
 * goes on and whether mail may be delivered in it at this instant.
 */
final class OwnedTerm implements OwnedSpool {
  private static final Logger LOG = LoggerFactory.getLogger(OwnedTerm.class);

  /** The timeout of one entry of outcomes. They are sent again for as long as the term lasts. */
  private static final Duration RECORD_TIMEOUT = Duration.ofSeconds(10);

  /** The pause before outcomes are sent again, since an overloaded log refuses at once. */
  private static final Duration RETRY_PAUSE = Duration.ofMillis(100);

  /** The stored characters of a diagnostic: the first line or two of any honest reply. */
  private static final int DIAGNOSTIC_MAX = 500;

  private final String name;
  private final long term;
  private final SpoolOwnership ownership;
  private final SpoolStore store;
  private final EntryBatcher batcher;
  private final SpoolMetrics metrics;
  private final LongSupplier eventMillis;
  private final AtomicLong inDoubt = new AtomicLong();

  /**
   * @param eventMillis the time of an event that happens now; 0 when none is written
   */
  OwnedTerm(
      String name,
      long term,
      SpoolOwnership ownership,
      SpoolStore store,
      EntryBatcher batcher,
      SpoolMetrics metrics,
      LongSupplier eventMillis) {
    this.name = name;
    this.term = term;
    this.ownership = ownership;
    this.store = store;
    this.batcher = batcher;
    this.metrics = metrics;
    this.eventMillis = eventMillis;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long term() {
    return term;
  }

  @Override
  public boolean mayDeliver() {
    return ownership.mayDeliver(this);
  }

  @Override
  public Optional<InDoubtDeliveries> enterDoubt(int recipients) {
    // counted before the check: a dot that goes out is never missing from the gauge
    addInDoubt(recipients);
    if (!mayDeliver()) {
      addInDoubt(-recipients);
      return Optional.empty();
    }
    AtomicBoolean ended = new AtomicBoolean();
    return Optional.of(
        () -> {
          if (ended.compareAndSet(false, true)) addInDoubt(-recipients);
        });
  }

  /** Deliveries of this term whose final dot is out and whose outcome is not committed. */
  long inDoubt() {
    return inDoubt.get();
  }

  /** Messages in the replica. */
  long messages() {
    return store.counters().messages();
  }

  private void addInDoubt(int recipients) {
    long now = inDoubt.addAndGet(recipients);
    metrics.inDoubt.addAndGet(recipients);
    if (now < 0) throw new IllegalStateException("deliveries in doubt in " + name + ": " + now);
  }

  @Override
  public Optional<DueRow> firstDue() {
    return store.firstDue();
  }

  @Override
  public Optional<DueRow> firstDueAfter(String domain) {
    return store.firstDueAfter(domain);
  }

  @Override
  public List<DueRow> dueRows(String domain, long untilMillis, int limit) {
    return store.dueRows(domain, untilMillis, limit);
  }

  @Override
  public Optional<SpooledMessage> message(QueueId id) {
    return store.message(id).map(StoredMessage::message);
  }

  @Override
  public InputStream content(QueueId id) {
    return new ContentStream(store, id);
  }

  @Override
  public boolean recordOutcomes(
      QueueId id, List<RecipientOutcome> results, @Nullable DsnMessage notification) {
    AttemptOutcomes attempt =
        new AttemptOutcomes(
            id,
            results.stream().map(OwnedTerm::truncated).toList(),
            report(notification),
            eventMillis.getAsLong());
    try {
      OwnedTerm refusedBy = null;
      for (var recorder = recorder(); recorder.isPresent(); recorder = recorder()) {
        Optional<ApplyResult> result = recorder.get().send(attempt);
        if (result.isPresent() && result.get() != ApplyResult.REFUSED) {
          if (recorder.get() != this) logHandOver(id, recorder.get());
          return true;
        }
        // a first refusal means that the term has ended; the ownership is notified soon
        if (result.isPresent() && refusedBy == recorder.get()) break;
        if (result.isPresent()) refusedBy = recorder.get();
        Thread.sleep(RETRY_PAUSE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    LOG.info("event=outcomes_not_recorded spool={} queue_id={} term={}", name, id, term());
    return false;
  }

  private Optional<OwnedTerm> recorder() throws InterruptedException {
    return ownership.owns(this) ? Optional.of(this) : ownership.awaitRecorder(this);
  }

  private void logHandOver(QueueId id, OwnedTerm recorder) {
    LOG.info(
        "event=outcomes_handed_over spool={} queue_id={} term={} recorded_term={}",
        name,
        id,
        term,
        recorder.term);
  }

  /**
   * Returns nothing when no quorum answered in time. The caller then sends the same outcomes again,
   * which changes nothing if the first ones were applied.
   */
  private Optional<ApplyResult> send(AttemptOutcomes attempt) throws InterruptedException {
    long deadline = System.nanoTime() + RECORD_TIMEOUT.toNanos();
    var result = batcher.submit(new SpoolEntry.Outcomes(term(), List.of(attempt)), deadline);
    try {
      return Optional.of(result.get(2 * RECORD_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException | TimeoutException e) {
      result.cancel(false);
      LOG.warn(
          "event=outcomes_unanswered spool={} queue_id={} reason=\"{}\"",
          name,
          attempt.id(),
          String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static @Nullable Dsn report(@Nullable DsnMessage n) {
    if (n == null) return null;
    long arrived = n.id().arrived().toEpochMilli();
    SpoolEntry.ByteSlice content = SpoolEntry.ByteSlice.of(n.content());
    SpooledMessage message =
        SpooledMessage.accepted(n.id(), n.envelope(), arrived, content.length(), Optional.empty());
    return new Dsn(
        new NewMessage(message, SpoolEntry.ByteSlice.EMPTY, new ContentLocation.Inline(content)),
        n.aboutDelay());
  }

  private static RecipientOutcome truncated(RecipientOutcome result) {
    Outcome o = result.outcome();
    if (o.diagnostic().length() <= DIAGNOSTIC_MAX && o.remote().length() <= DIAGNOSTIC_MAX) {
      return result;
    }
    String diagnostic = truncated(o.diagnostic());
    String remote = truncated(o.remote());
    return new RecipientOutcome(
        result.recipientIndex(),
        switch (o) {
          case Outcome.Delivered d -> new Outcome.Delivered(d.status(), diagnostic, remote);
          case Outcome.Deferred d ->
              new Outcome.Deferred(d.until(), d.status(), diagnostic, remote);
          case Outcome.Failed f -> new Outcome.Failed(f.status(), diagnostic, remote);
        },
        result.tls());
  }

  private static String truncated(String text) {
    return text.length() <= DIAGNOSTIC_MAX ? text : text.substring(0, DIAGNOSTIC_MAX);
  }
}
