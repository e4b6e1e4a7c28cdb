package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.ReplicatedState;
import org.quorumail.spool.SpoolCounters.FinalStatus;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * The state machine of a spool: the arrows of {@code docs/spool-states.md}. One entry is one {@link
 * EntryTransaction}. Applying is deterministic: it depends on the store and the entry only.
 */
final class SpoolState implements ReplicatedState {
  private static final long IDLE = 0;

  private final SpoolStore store;
  private final StateListener events;
  private final LongConsumer onApplied;

  /** The start of applying the current entry, as nanoTime; {@link #IDLE} between two. */
  private volatile long busySinceNanos = IDLE;

  /** The term of the last entry that was applied here; applying thread only. */
  private long lastTerm = -1;

  /** The end of applying the last entry. */
  private volatile long idleSinceNanos = System.nanoTime();

  /**
   * The listener for leadership and due messages. The applying thread calls it; calls must not
   * block.
   */
  interface StateListener {
    /** The message is due now, in these domains. */
    void messageDue(SpooledMessage message);

    /** The message is due now, since an operator retries it. */
    default void messageRetried(SpooledMessage message) {
      messageDue(message);
    }

    void becomeLeader(Leadership leadership);

    void becomeFollower();

    /** The first entry of a term was applied; before {@link #becomeLeader} of the same term. */
    void termApplied(long term);

    /** A snapshot was installed, so entries of unknown terms were not applied one by one. */
    void termsSkipped();
  }

  SpoolState(SpoolStore store, StateListener events) {
    this(store, events, bytes -> {});
  }

  /**
   * @param onApplied called with the size of each entry that was applied
   */
  SpoolState(SpoolStore store, StateListener events, LongConsumer onApplied) {
    this.onApplied = onApplied;
    this.store = store;
    this.events = events;
  }

  SpoolStore store() {
    return store;
  }

  @Override
  public void open() throws IOException {
    store.open();
  }

  @Override
  public LogPosition applied() {
    return store.applied();
  }

  /**
   * Returns the time without progress: since the current entry came, or since the last one ended.
   */
  Duration stalledFor() {
    long since = busySinceNanos;
    return Duration.ofNanos(System.nanoTime() - (since == IDLE ? idleSinceNanos : since));
  }

  /** Whether an entry is being applied at this moment. */
  boolean isBusy() {
    return busySinceNanos != IDLE;
  }

  @Override
  public void check(ByteBuffer entry) throws IOException {
    SpoolEntryFormat.read(entry);
  }

  @Override
  public byte[] apply(LogPosition position, ByteBuffer bytes) throws IOException {
    busySinceNanos = Math.max(1, System.nanoTime());
    int size = bytes.remaining();
    try {
      byte[] answer = applyEntry(position, bytes);
      onApplied.accept(size);
      return answer;
    } finally {
      entryDone();
    }
  }

  private void entryDone() {
    idleSinceNanos = System.nanoTime();
    busySinceNanos = IDLE;
  }

  private byte[] applyEntry(LogPosition position, ByteBuffer bytes) throws IOException {
    SpoolEntry entry = SpoolEntryFormat.read(bytes);
    List<SpooledMessage> due = new ArrayList<>();
    byte[] answer;
    try (EntryTransaction change = store.beginTransaction()) {
      answer = ApplyResult.encode(applied(position, entry, change, due));
      change.commit(position);
    } catch (UncheckedIOException e) {
      throw new IOException(e.getMessage(), e);
    }
    noteTerm(position);
    if (isRetry(entry)) due.forEach(events::messageRetried);
    else due.forEach(events::messageDue);
    return answer;
  }

  private static boolean isRetry(SpoolEntry entry) {
    return entry instanceof SpoolEntry.Retry
        || (entry instanceof SpoolEntry.Batch batch
            && batch.parts().stream().anyMatch(SpoolEntry.Retry.class::isInstance));
  }

  @Override
  public void skip(LogPosition position) throws IOException {
    try (EntryTransaction change = store.beginTransaction()) {
      change.commit(position);
    }
    noteTerm(position);
    entryDone();
  }

  private void noteTerm(LogPosition position) {
    if (position.term() == lastTerm) return;
    lastTerm = position.term();
    events.termApplied(lastTerm);
  }

  @Override
  public LogPosition snapshot(Path directory) throws IOException {
    return store.checkpoint(directory);
  }

  @Override
  public void install(Path directory) throws IOException {
    store.replace(directory);
    events.termsSkipped();
  }

  @Override
  public void becomeLeader(Leadership leadership) {
    events.becomeLeader(leadership);
  }

  @Override
  public void becomeFollower() {
    events.becomeFollower();
  }

  @Override
  public void close() {
    store.close();
  }

  private static List<ApplyResult> applied(
      LogPosition position, SpoolEntry entry, EntryTransaction change, List<SpooledMessage> due)
      throws IOException {
    return switch (entry) {
      case SpoolEntry.Accept e -> {
        List<ApplyResult> answers = new ArrayList<>(e.messages().size());
        for (NewMessage m : e.messages()) answers.add(accept(m, change, due));
        yield answers;
      }
      case SpoolEntry.AcceptOnce e -> List.of(acceptOnce(e, change, due));
      case SpoolEntry.Chunk e -> List.of(chunk(e, change));
      case SpoolEntry.AbortUpload e -> List.of(abort(e.upload(), change));
      case SpoolEntry.Outcomes e -> outcomes(position, e, change, due);
      case SpoolEntry.Remove e -> List.of(remove(e, change));
      case SpoolEntry.Hold e -> List.of(hold(e, change));
      case SpoolEntry.Release e -> List.of(release(e, change, due));
      case SpoolEntry.Retry e -> List.of(retry(e, change, due));
      case SpoolEntry.Batch e -> {
        List<ApplyResult> answers = new ArrayList<>(e.parts().size());
        for (SpoolEntry part : e.parts()) answers.addAll(applied(position, part, change, due));
        yield answers;
      }
      case SpoolEntry.Close e -> List.of(close(change));
      case SpoolEntry.EventSegment e ->
          List.of(change.beginEventSegment(e, position) ? ApplyResult.DONE : ApplyResult.REFUSED);
    };
  }

  /** Applies the end of the spool: a fence after which nothing is accepted on any replica. */
  private static ApplyResult close(EntryTransaction change) throws IOException {
    if (change.messages() > 0) return ApplyResult.REFUSED;
    change.closeSpool();
    return ApplyResult.DONE;
  }

  /** Applies receiving, uploading → committed → due. */
  static ApplyResult accept(NewMessage m, EntryTransaction change, List<SpooledMessage> due)
      throws IOException {
    SpooledMessage message = m.message();
    QueueId id = message.id();
    if (change.message(id).isPresent()) return ApplyResult.DONE; // the same entry, sent again
    if (message.recipients().isEmpty()) return ApplyResult.REFUSED; // nobody could ever end it
    if (change.isSpoolClosed()) return ApplyResult.REFUSED;
    int chunks;
    switch (m.content()) {
      case ContentLocation.Inline inline -> {
        change.endUpload(id, true);
        change.content(id, 0, inline.bytes());
        chunks = 1;
      }
      case ContentLocation.Uploaded uploaded -> {
        int count = uploaded.chunks();
        Upload upload = change.upload(id);
        long size = m.prefix().length() + upload.bytes();
        boolean whole = upload.chunks() == count && size == message.size();
        if (count == 0 || !whole) return ApplyResult.REFUSED; // aborted meanwhile
        change.endUpload(id, false);
        chunks = count;
      }
    }
    change.create(new StoredMessage(message, m.prefix(), chunks));
    Arrival arrival = m.arrival();
    if (arrival != null)
      change.event(id, message.arrivedMillis(), accepted(message, arrival, null));
    if (!message.held()) due.add(message);
    return ApplyResult.DONE;
  }

  /** Applies an acceptance and its key in one step, and forgets the oldest keys. */
  private static ApplyResult acceptOnce(
      SpoolEntry.AcceptOnce entry, EntryTransaction change, List<SpooledMessage> due)
      throws IOException {
    long now = entry.message().message().arrivedMillis();
    RequestKey key = entry.key();
    Optional<AcceptedRequest> known =
        change.requests().find(key).filter(r -> r.atMillis() > now - AcceptedRequest.KEPT_MILLIS);
    if (known.isPresent()) {
      boolean isSameEntry = known.get().id().equals(entry.message().message().id());
      return isSameEntry ? ApplyResult.DONE : ApplyResult.ACCEPTED_BEFORE;
    }
    ApplyResult result = accept(entry.message(), change, due);
    if (result != ApplyResult.DONE) return result;
    change.requests().add(key, entry.message().message().id(), now);
    return result;
  }

  /**
   * @param about the message that this one is a report about; null for mail
   */
  static MailEvent.Accepted accepted(
      SpooledMessage message, Arrival arrival, @Nullable QueueId about) {
    List<RecipientState> recipients = message.recipients();
    return new MailEvent.Accepted(
        arrival,
        message.reversePath().toString(),
        recipients.stream().map(r -> r.address().toString()).toList(),
        message.size(),
        message.held() ? recipients.getFirst().diagnostic() : "",
        about);
  }

  private static void ordered(
      SpooledMessage message, MailEvent.Order order, long atMillis, EntryTransaction change) {
    if (atMillis == 0) return;
    String sender = message.reversePath().toString();
    change.event(message.id(), atMillis, new MailEvent.Ordered(order, sender));
  }

  /** Applies a chunk to uploading. Numbers come in order; one may come twice. */
  private static ApplyResult chunk(SpoolEntry.Chunk chunk, EntryTransaction change)
      throws IOException {
    QueueId id = chunk.upload();
    Upload upload = change.upload(id);
    if (chunk.number() < upload.chunks()) return ApplyResult.DONE;
    boolean gap = chunk.number() > upload.chunks();
    if (change.isSpoolClosed() || gap || change.message(id).isPresent()) return ApplyResult.REFUSED;
    change.content(id, chunk.number(), chunk.bytes());
    long bytes = upload.bytes() + chunk.bytes().length();
    change.upload(id, new Upload(chunk.number() + 1, bytes, chunk.atMillis()));
    return ApplyResult.DONE;
  }

  /**
   * Applies uploading → nothing. An accepted message has no upload any more, so it cannot be
   * harmed.
   */
  private static ApplyResult abort(QueueId upload, EntryTransaction change) throws IOException {
    change.endUpload(upload, true);
    return ApplyResult.DONE;
  }

  /**
   * Applies attempting → delivered, deferred, failed → removed. The term is a fence: a former
   * owner's outcomes could contradict an attempt that the present owner has begun.
   */
  private static List<ApplyResult> outcomes(
      LogPosition position,
      SpoolEntry.Outcomes entry,
      EntryTransaction change,
      List<SpooledMessage> due)
      throws IOException {
    int n = entry.attempts().size();
    if (entry.term() != position.term()) {
      ApplyResult[] refused = new ApplyResult[n];
      Arrays.fill(refused, ApplyResult.REFUSED);
      return List.of(refused);
    }
    List<ApplyResult> answers = new ArrayList<>(n);
    for (AttemptOutcomes attempt : entry.attempts())
      answers.add(new OutcomeApplier(change, due).apply(attempt));
    return answers;
  }

  private static ApplyResult remove(SpoolEntry.Remove entry, EntryTransaction change)
      throws IOException {
    Optional<SpooledMessage> message = change.message(entry.id());
    if (message.isEmpty()) return ApplyResult.NO_SUCH_MESSAGE;
    change.remove(entry.id(), FinalStatus.REMOVED);
    ordered(message.get(), MailEvent.Order.DELETED, entry.atMillis(), change);
    return ApplyResult.DONE;
  }

  private static ApplyResult hold(SpoolEntry.Hold entry, EntryTransaction change) {
    Optional<SpooledMessage> message = change.message(entry.id());
    if (message.isEmpty()) return ApplyResult.NO_SUCH_MESSAGE;
    if (message.get().held()) return ApplyResult.DONE;
    change.update(message.get().withHeld(true));
    ordered(message.get(), MailEvent.Order.HELD, entry.atMillis(), change);
    return ApplyResult.DONE;
  }

  private static ApplyResult release(
      SpoolEntry.Release entry, EntryTransaction change, List<SpooledMessage> due) {
    Optional<SpooledMessage> message = change.message(entry.id());
    if (message.isEmpty()) return ApplyResult.NO_SUCH_MESSAGE;
    if (message.get().held()) {
      makeDue(message.get().withHeld(false), entry.atMillis(), change, due);
      long at = change.recordsEvents() ? entry.atMillis() : 0;
      ordered(message.get(), MailEvent.Order.RELEASED, at, change);
    }
    return ApplyResult.DONE;
  }

  private static ApplyResult retry(
      SpoolEntry.Retry entry, EntryTransaction change, List<SpooledMessage> due) {
    Optional<SpooledMessage> message = change.message(entry.id());
    if (message.isEmpty()) return ApplyResult.NO_SUCH_MESSAGE;
    if (message.get().held()) return ApplyResult.HELD;
    makeDue(message.get(), entry.atMillis(), change, due);
    long at = change.recordsEvents() ? entry.atMillis() : 0;
    ordered(message.get(), MailEvent.Order.RETRIED, at, change);
    return ApplyResult.DONE;
  }

  private static void makeDue(
      SpooledMessage message, long atMillis, EntryTransaction change, List<SpooledMessage> due) {
    long dueMillis = SpooledMessage.firstDueMillis(message.options(), atMillis);
    List<RecipientState> recipients =
        message.recipients().stream().map(r -> dueAt(r, dueMillis)).toList();
    SpooledMessage now = message.withRecipients(recipients);
    change.update(now);
    due.add(now);
  }

  private static RecipientState dueAt(RecipientState r, long atMillis) {
    if (r.status() != RecipientStatus.PENDING) return r;
    return new RecipientState(r.recipient(), r.status(), r.attempts(), atMillis, r.diagnostic());
  }
}
