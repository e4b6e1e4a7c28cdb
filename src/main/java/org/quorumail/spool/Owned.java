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
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.spool.Entry.AttemptResults;
import org.quorumail.spool.Entry.Report;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A spool in one term in which this node owns it. */
final class Owned implements OwnedSpool, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Owned.class);

  /** Of one entry of results; they are sent again for as long as the term lasts. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Before they are sent again, since a log that is overloaded refuses at once. */
  private static final Duration PAUSE = Duration.ofMillis(100);

  /** What is kept of a diagnostic: the first line or two of any honest reply. */
  private static final int DIAGNOSTIC_MAX = 500;

  private final String name;
  private final Leadership leadership;
  private final ReplicatedLog log;
  private final SpoolStore store;
  private final SpoolMeters meters;
  private final Collector collector;
  private final AtomicLong inDoubt = new AtomicLong();
  private volatile boolean closed;

  Owned(
      String name,
      Leadership leadership,
      ReplicatedLog log,
      Collector collector,
      SpoolStore store,
      SpoolMeters meters) {
    this.name = name;
    this.leadership = leadership;
    this.log = log;
    this.store = store;
    this.meters = meters;
    this.collector = collector;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long term() {
    return leadership.term();
  }

  @Override
  public boolean mayDeliver() {
    return !closed && leadership.leaseHeld();
  }

  @Override
  public Optional<Doubt> enterDoubt(int recipients) {
    // counted before the check: a dot that goes out is never missing from the gauge
    doubt(recipients);
    if (!mayDeliver()) {
      doubt(-recipients);
      return Optional.empty();
    }
    AtomicBoolean ended = new AtomicBoolean();
    return Optional.of(
        () -> {
          if (ended.compareAndSet(false, true)) doubt(-recipients);
        });
  }

  /** Deliveries from this spool whose final dot is out and whose outcome is not committed. */
  long inDoubt() {
    return inDoubt.get();
  }

  private void doubt(int recipients) {
    inDoubt.addAndGet(recipients);
    meters.inDoubt.addAndGet(recipients);
  }

  @Override
  public Optional<DueRow> firstDueAfter(String domain) {
    return store.firstDueAfter(domain);
  }

  @Override
  public List<DueRow> due(String domain, long untilMillis, int limit) {
    return store.due(domain, untilMillis, limit);
  }

  @Override
  public Optional<SpooledMessage> message(QueueId id) {
    return store.message(id).map(Stored::message);
  }

  @Override
  public InputStream content(QueueId id) {
    return new ContentStream(store, id);
  }

  @Override
  public boolean record(QueueId id, List<Result> results, @Nullable Notification notification) {
    AttemptResults attempt =
        new AttemptResults(id, results.stream().map(Owned::bounded).toList(), report(notification));
    try {
      while (leads()) {
        Optional<Answer> answer = send(attempt);
        if (answer.isPresent()) return answer.get() != Answer.REFUSED;
        Thread.sleep(PAUSE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    LOG.info("event=results_not_recorded spool={} queue_id={} term={}", name, id, term());
    return false;
  }

  /**
   * Empty when no quorum answered in time. Then the same results are sent again, which changes
   * nothing if they had arrived: what is delivered or failed stays so, and is reported once.
   */
  private Optional<Answer> send(AttemptResults attempt) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    var answer = collector.submit(new Entry.Outcomes(term(), List.of(attempt)), deadline);
    try {
      return Optional.of(answer.get(2 * PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException | TimeoutException e) {
      answer.cancel(false);
      LOG.warn(
          "event=results_unanswered spool={} queue_id={} reason=\"{}\"",
          name,
          attempt.id(),
          String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private boolean leads() {
    return !closed && log.leadership().filter(l -> l.term() == term()).isPresent();
  }

  @Override
  public void close() {
    closed = true;
  }

  private static @Nullable Report report(@Nullable Notification n) {
    if (n == null) return null;
    long arrived = n.id().arrived().toEpochMilli();
    Entry.Slice content = Entry.Slice.of(n.content());
    return new Report(Spools.inline(n.id(), n.envelope(), arrived, content), n.reportsDelay());
  }

  private static Result bounded(Result result) {
    Outcome o = result.outcome();
    if (o.diagnostic().length() <= DIAGNOSTIC_MAX && o.remote().length() <= DIAGNOSTIC_MAX) {
      return result;
    }
    String diagnostic = bounded(o.diagnostic());
    String remote = bounded(o.remote());
    return new Result(
        result.recipient(),
        switch (o) {
          case Outcome.Delivered d -> new Outcome.Delivered(d.status(), diagnostic, remote);
          case Outcome.Deferred d ->
              new Outcome.Deferred(d.until(), d.status(), diagnostic, remote);
          case Outcome.Failed f -> new Outcome.Failed(f.status(), diagnostic, remote);
        });
  }

  private static String bounded(String text) {
    return text.length() <= DIAGNOSTIC_MAX ? text : text.substring(0, DIAGNOSTIC_MAX);
  }
}
