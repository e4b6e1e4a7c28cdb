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
import org.quorumail.mail.QueueId;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.Position;
import org.quorumail.replication.ReplicatedState;
import org.quorumail.spool.Counters.Ending;
import org.quorumail.spool.Entry.AttemptResults;
import org.quorumail.spool.Entry.Body;
import org.quorumail.spool.Entry.NewMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.Status;

/**
 * The state machine of a spool: the arrows of {@code docs/spool-states.md}. One entry is one {@link
 * Change}. Deterministic: what a replica does depends on the store and the entry only.
 */
final class SpoolState implements ReplicatedState {
  private static final long IDLE = 0;

  private final SpoolStore store;
  private final Events events;

  /** When the entry came that is being applied, as nanoTime; {@link #IDLE} between two. */
  private volatile long busySince = IDLE;

  /** When the last one was done. */
  private volatile long doneAt = System.nanoTime();

  /** Told what happens here; called by the applying thread and must not block. */
  interface Events {
    /** The message is due now, in these domains. */
    void due(SpooledMessage message);

    void led(Leadership leadership);

    void followed();
  }

  SpoolState(SpoolStore store, Events events) {
    this.store = store;
    this.events = events;
  }

  @Override
  public void open() throws IOException {
    store.open();
  }

  @Override
  public Position applied() {
    return store.applied();
  }

  /** For how long the state machine has made no progress: with one entry, or without any. */
  Duration still() {
    long since = busySince;
    return Duration.ofNanos(System.nanoTime() - (since == IDLE ? doneAt : since));
  }

  /** Whether an entry is being applied at this moment. */
  boolean isBusy() {
    return busySince != IDLE;
  }

  @Override
  public byte[] apply(Position position, ByteBuffer bytes) throws IOException {
    busySince = Math.max(1, System.nanoTime());
    try {
      return applyNow(position, bytes);
    } finally {
      done();
    }
  }

  private void done() {
    doneAt = System.nanoTime();
    busySince = IDLE;
  }

  private byte[] applyNow(Position position, ByteBuffer bytes) throws IOException {
    Entry entry = EntryFormat.read(bytes);
    List<SpooledMessage> due = new ArrayList<>();
    byte[] answer;
    try (Change change = store.change()) {
      answer = Answer.bytes(applied(position, entry, change, due));
      change.commit(position);
    } catch (UncheckedIOException e) {
      throw new IOException(e.getMessage(), e);
    }
    due.forEach(events::due);
    return answer;
  }

  @Override
  public void skip(Position position) throws IOException {
    try (Change change = store.change()) {
      change.commit(position);
    }
    done();
  }

  @Override
  public Position snapshot(Path directory) throws IOException {
    return store.checkpoint(directory);
  }

  @Override
  public void install(Path directory) throws IOException {
    store.replace(directory);
  }

  @Override
  public void led(Leadership leadership) {
    events.led(leadership);
  }

  @Override
  public void followed() {
    events.followed();
  }

  @Override
  public void close() {
    store.close();
  }

  private static List<Answer> applied(
      Position position, Entry entry, Change change, List<SpooledMessage> due) throws IOException {
    return switch (entry) {
      case Entry.Accept e -> {
        List<Answer> answers = new ArrayList<>(e.messages().size());
        for (NewMessage m : e.messages()) answers.add(accept(m, change, due));
        yield answers;
      }
      case Entry.Chunk e -> List.of(chunk(e, change));
      case Entry.AbortUpload e -> List.of(abort(e.upload(), change));
      case Entry.Outcomes e -> outcomes(position, e, change, due);
      case Entry.Remove e -> List.of(remove(e.id(), change));
      case Entry.Hold e -> List.of(hold(e.id(), change));
      case Entry.Release e -> List.of(release(e, change, due));
      case Entry.Retry e -> List.of(retry(e, change, due));
      case Entry.Several e -> {
        List<Answer> answers = new ArrayList<>(e.parts().size());
        for (Entry part : e.parts()) answers.addAll(applied(position, part, change, due));
        yield answers;
      }
    };
  }

  /** receiving, uploading → committed → due. */
  static Answer accept(NewMessage m, Change change, List<SpooledMessage> due) throws IOException {
    SpooledMessage message = m.message();
    QueueId id = message.id();
    if (change.message(id).isPresent()) return Answer.DONE; // the same entry, sent again
    if (message.recipients().isEmpty()) return Answer.REFUSED; // nobody could ever end it
    int chunks;
    switch (m.body()) {
      case Body.Inline inline -> {
        change.endUpload(id, true);
        change.content(id, 0, inline.bytes());
        chunks = 1;
      }
      case Body.Uploaded uploaded -> {
        int count = uploaded.chunks();
        Upload upload = change.upload(id);
        boolean whole = upload.chunks() == count && upload.bytes() == message.size();
        if (count == 0 || !whole) return Answer.REFUSED; // aborted meanwhile
        change.endUpload(id, false);
        chunks = count;
      }
    }
    change.create(new Stored(message, chunks));
    if (!message.held()) due.add(message);
    return Answer.DONE;
  }

  /** uploading. Numbers come in order; one may come twice. */
  private static Answer chunk(Entry.Chunk chunk, Change change) throws IOException {
    QueueId id = chunk.upload();
    Upload upload = change.upload(id);
    if (chunk.number() < upload.chunks()) return Answer.DONE;
    boolean gap = chunk.number() > upload.chunks();
    if (gap || change.message(id).isPresent()) return Answer.REFUSED;
    change.content(id, chunk.number(), chunk.bytes());
    long bytes = upload.bytes() + chunk.bytes().length();
    change.upload(id, new Upload(chunk.number() + 1, bytes, chunk.atMillis()));
    return Answer.DONE;
  }

  /** uploading → nothing. An accepted message has no upload any more, so nothing can harm it. */
  private static Answer abort(QueueId upload, Change change) throws IOException {
    change.endUpload(upload, true);
    return Answer.DONE;
  }

  /**
   * attempting → delivered, deferred, failed → removed. The term fences: a former owner's results
   * could contradict an attempt that the present owner has begun.
   */
  private static List<Answer> outcomes(
      Position position, Entry.Outcomes entry, Change change, List<SpooledMessage> due)
      throws IOException {
    int n = entry.attempts().size();
    if (entry.term() != position.term()) {
      Answer[] refused = new Answer[n];
      Arrays.fill(refused, Answer.REFUSED);
      return List.of(refused);
    }
    List<Answer> answers = new ArrayList<>(n);
    for (AttemptResults attempt : entry.attempts())
      answers.add(new Settlement(change, due).of(attempt));
    return answers;
  }

  private static Answer remove(QueueId id, Change change) throws IOException {
    if (change.message(id).isEmpty()) return Answer.NO_SUCH_MESSAGE;
    change.remove(id, Ending.REMOVED);
    return Answer.DONE;
  }

  private static Answer hold(QueueId id, Change change) {
    Optional<SpooledMessage> message = change.message(id);
    if (message.isEmpty()) return Answer.NO_SUCH_MESSAGE;
    if (!message.get().held()) change.update(message.get().withHeld(true));
    return Answer.DONE;
  }

  private static Answer release(Entry.Release entry, Change change, List<SpooledMessage> due) {
    Optional<SpooledMessage> message = change.message(entry.id());
    if (message.isEmpty()) return Answer.NO_SUCH_MESSAGE;
    if (message.get().held()) {
      makeDue(message.get().withHeld(false), entry.atMillis(), change, due);
    }
    return Answer.DONE;
  }

  private static Answer retry(Entry.Retry entry, Change change, List<SpooledMessage> due) {
    Optional<SpooledMessage> message = change.message(entry.id());
    if (message.isEmpty()) return Answer.NO_SUCH_MESSAGE;
    if (message.get().held()) return Answer.HELD;
    makeDue(message.get(), entry.atMillis(), change, due);
    return Answer.DONE;
  }

  private static void makeDue(
      SpooledMessage message, long atMillis, Change change, List<SpooledMessage> due) {
    long dueMillis = SpooledMessage.dueAt(message.options(), atMillis);
    List<RecipientState> recipients =
        message.recipients().stream().map(r -> dueAt(r, dueMillis)).toList();
    SpooledMessage now = message.withRecipients(recipients);
    change.update(now);
    due.add(now);
  }

  private static RecipientState dueAt(RecipientState r, long atMillis) {
    if (r.status() != Status.PENDING) return r;
    return new RecipientState(r.recipient(), r.status(), r.attempts(), atMillis, r.diagnostic());
  }
}
