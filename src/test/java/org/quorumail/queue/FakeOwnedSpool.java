package org.quorumail.queue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnershipListener;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/** A spool in memory: one lock, scans instead of indexes. */
final class FakeOwnedSpool implements OwnedSpool {
  private final String name;
  private final Map<QueueId, SpooledMessage> messages = new LinkedHashMap<>();
  private final Map<QueueId, byte[]> contents = new HashMap<>();
  private final AtomicInteger inDoubt = new AtomicInteger();
  private final AtomicInteger mostInDoubt = new AtomicInteger();
  private final AtomicInteger rowsRead = new AtomicInteger();
  private final List<Outcome> outcomes = new CopyOnWriteArrayList<>();
  private final List<DsnMessage> notifications = new CopyOnWriteArrayList<>();
  private volatile @Nullable OwnershipListener listener;
  private volatile boolean leaseHeldForDot = true;
  private int mostRecorded;
  private volatile boolean refuses;
  private volatile boolean unreadable;

  FakeOwnedSpool(String name) {
    this.name = name;
  }

  synchronized QueueId accept(Envelope envelope, String content, long now) {
    QueueId id = QueueId.generate(java.time.Instant.ofEpochMilli(now));
    accept(id, envelope, content.getBytes(StandardCharsets.ISO_8859_1), now);
    return id;
  }

  private void accept(QueueId id, Envelope envelope, byte[] content, long now) {
    List<RecipientState> recipients =
        envelope.recipients().stream()
            .map(a -> new RecipientState(a, RecipientStatus.PENDING, 0, now, ""))
            .toList();
    contents.put(id, content);
    messages.put(
        id,
        new SpooledMessage(
            id,
            envelope.reversePath(),
            envelope.options(),
            now,
            content.length,
            false,
            false,
            recipients));
  }

  /** Sets the listener for reports that arrive here. */
  void tell(OwnershipListener hinted) {
    listener = hinted;
  }

  void loseLeaseBeforeTheDot() {
    leaseHeldForDot = false;
  }

  void refuseRecords() {
    refuses = true;
  }

  void makeUnreadable() {
    unreadable = true;
  }

  List<Outcome> outcomes() {
    return outcomes;
  }

  List<DsnMessage> notifications() {
    return notifications;
  }

  int inDoubt() {
    return inDoubt.get();
  }

  int mostInDoubt() {
    return mostInDoubt.get();
  }

  int rowsRead() {
    return rowsRead.get();
  }

  /** Of the largest record: results and report. */
  synchronized int mostRecorded() {
    return mostRecorded;
  }

  synchronized int size() {
    return messages.size();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long term() {
    return 1;
  }

  @Override
  public boolean mayDeliver() {
    return true;
  }

  @Override
  public Optional<InDoubtDeliveries> enterDoubt(int recipients) {
    if (!leaseHeldForDot) return Optional.empty();
    mostInDoubt.accumulateAndGet(inDoubt.addAndGet(recipients), Math::max);
    AtomicInteger open = new AtomicInteger(recipients);
    return Optional.of(() -> inDoubt.addAndGet(-open.getAndSet(0)));
  }

  private synchronized Stream<DueRow> rows() {
    List<DueRow> rows = new ArrayList<>();
    for (SpooledMessage m : messages.values()) {
      Map<String, Long> byDomain = new HashMap<>();
      for (RecipientState r : m.recipients()) {
        if (r.status() != RecipientStatus.PENDING || m.held()) continue;
        byDomain.merge(r.address().domain(), r.dueMillis(), Math::min);
      }
      byDomain.forEach((domain, due) -> rows.add(new DueRow(domain, due, m.id())));
    }
    return rows.stream()
        .sorted(
            Comparator.comparing(DueRow::domain, FakeOwnedSpool::compareBytes)
                .thenComparingLong(DueRow::dueMillis));
  }

  @Override
  public Optional<DueRow> firstDue() {
    rowsRead.incrementAndGet();
    return rows().findFirst();
  }

  @Override
  public Optional<DueRow> firstDueAfter(String domain) {
    rowsRead.incrementAndGet();
    return rows().filter(r -> compareBytes(r.domain(), domain) > 0).findFirst();
  }

  private static int compareBytes(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public List<DueRow> dueRows(String domain, long untilMillis, int limit) {
    List<DueRow> due =
        rows()
            .filter(r -> r.domain().equals(domain) && r.dueMillis() <= untilMillis)
            .limit(limit)
            .toList();
    rowsRead.addAndGet(due.size());
    return due;
  }

  @Override
  public synchronized Optional<SpooledMessage> message(QueueId id) {
    return Optional.ofNullable(messages.get(id));
  }

  @Override
  public synchronized InputStream content(QueueId id) {
    if (unreadable) {
      return new InputStream() {
        @Override
        public int read() throws IOException {
          throw new IOException("bad block");
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
          return read();
        }
      };
    }
    byte[] content = messages.containsKey(id) ? contents.get(id) : null;
    if (content != null) return new ByteArrayInputStream(content);
    return new InputStream() {
      @Override
      public int read() throws IOException {
        throw new IOException("message " + id + " is not in the spool any more");
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        return read();
      }
    };
  }

  @Override
  public synchronized boolean recordOutcomes(
      QueueId id, List<RecipientOutcome> results, @Nullable DsnMessage notification) {
    if (refuses) return false;
    mostRecorded = Math.max(mostRecorded, bytes(results, notification));
    SpooledMessage m = messages.get(id);
    if (m == null) return true;
    List<RecipientState> recipients = new ArrayList<>(m.recipients());
    for (RecipientOutcome r : results) {
      outcomes.add(r.outcome());
      RecipientState before = recipients.get(r.recipientIndex());
      if (!isRecorded(before, r.outcome())) {
        recipients.set(r.recipientIndex(), after(before, r.outcome()));
      }
    }
    boolean aboutDelay = notification != null && notification.aboutDelay();
    boolean reported =
        aboutDelay ? m.delayReported() : pending(m.recipients()) == pending(recipients);
    messages.put(
        id,
        new SpooledMessage(
            id,
            m.reversePath(),
            m.options(),
            m.arrivedMillis(),
            m.size(),
            m.held(),
            m.delayReported() || aboutDelay,
            recipients));
    if (pending(recipients) == 0) messages.remove(id);
    if (notification != null && !reported) acceptDsn(notification);
    return true;
  }

  private void acceptDsn(DsnMessage dsn) {
    notifications.add(dsn);
    accept(dsn.id(), dsn.envelope(), dsn.content(), dsn.id().arrived().toEpochMilli());
    OwnershipListener hinted = listener;
    if (hinted != null) hinted.messageDue(this, dsn.id(), domains(dsn.id()));
  }

  private static long pending(List<RecipientState> recipients) {
    return recipients.stream().filter(r -> r.status() == RecipientStatus.PENDING).count();
  }

  /** Outcomes may be sent again: an end stays, and the same deferral is no new attempt. */
  private static boolean isRecorded(RecipientState before, Outcome outcome) {
    if (before.status() != RecipientStatus.PENDING) return true;
    return outcome instanceof Outcome.Deferred d
        && before.attempts() > 0
        && before.dueMillis() == d.until().toEpochMilli()
        && before.diagnostic().equals(d.diagnostic());
  }

  private static int bytes(List<RecipientOutcome> results, @Nullable DsnMessage notification) {
    int bytes = notification == null ? 0 : notification.content().length;
    for (RecipientOutcome r : results) {
      bytes += r.outcome().diagnostic().length() + r.outcome().remote().length() + 32;
    }
    return bytes;
  }

  private static RecipientState after(RecipientState r, Outcome outcome) {
    int attempts = r.attempts() + 1;
    return switch (outcome) {
      case Outcome.Delivered d ->
          new RecipientState(r.recipient(), RecipientStatus.DELIVERED, attempts, 0, d.diagnostic());
      case Outcome.Failed f ->
          new RecipientState(r.recipient(), RecipientStatus.FAILED, attempts, 0, f.diagnostic());
      case Outcome.Deferred d ->
          new RecipientState(
              r.recipient(),
              RecipientStatus.PENDING,
              attempts,
              d.until().toEpochMilli(),
              d.diagnostic());
    };
  }

  synchronized List<String> domains(QueueId id) {
    LinkedHashSet<String> domains = new LinkedHashSet<>();
    messages.get(id).recipients().forEach(r -> domains.add(r.address().domain()));
    return List.copyOf(domains);
  }
}
