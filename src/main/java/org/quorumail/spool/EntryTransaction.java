package org.quorumail.spool;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.EventRows.Segment;
import org.quorumail.spool.MailEventFormat.NewEvent;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.quorumail.spool.SpoolCounters.FinalStatus;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * The changes of one log entry. Reads go through to the store, changes stay in memory, and {@link
 * #commit} writes them with the entry's position as one write batch. The index rows are derived
 * from a message before and after the entry, so none can be forgotten.
 */
final class EntryTransaction implements AutoCloseable {
  private final SpoolStore store;
  private final SpoolDatabase db;
  private final WriteBatch batch = new WriteBatch();
  private final Map<QueueId, MessageChange> changes = new LinkedHashMap<>();
  private final Map<QueueId, Upload> uploads = new HashMap<>();
  private final SpoolCounters.Delta counterDelta = new SpoolCounters.Delta();
  private final List<DueRow> dueRows = new ArrayList<>();
  private final RequestChanges requests;
  private final List<NewEvent> events = new ArrayList<>();
  private @Nullable Segment beganSegment;
  private @Nullable Segment firstKeptSegment;
  private boolean closesSpool;

  /** A message before and after the entry; null where it does not exist. */
  private static final class MessageChange {
    final @Nullable StoredMessage before;
    @Nullable StoredMessage after;

    MessageChange(@Nullable StoredMessage before) {
      this.before = before;
      this.after = before;
    }
  }

  EntryTransaction(SpoolStore store, SpoolDatabase db) {
    this.store = store;
    this.db = db;
    this.requests = new RequestChanges(store, db, batch);
  }

  /** The changes to the requests that are known by their keys. */
  RequestChanges requests() {
    return requests;
  }

  Optional<SpooledMessage> message(QueueId id) {
    return Optional.ofNullable(load(id).after).map(StoredMessage::message);
  }

  /** Adds a message. Its content is there already, or written by {@link #content}. */
  void create(StoredMessage stored) {
    load(stored.message().id()).after = stored;
    counterDelta.add(stored.message());
  }

  void update(SpooledMessage message) {
    MessageChange t = load(message.id());
    StoredMessage old = t.after;
    if (old == null) throw new IllegalStateException("there is no message " + message.id());
    t.after = old.with(message);
    counterDelta.update(old.message(), message);
  }

  /** Removes a message and all its rows. */
  void remove(QueueId id, FinalStatus ending) throws IOException {
    MessageChange t = load(id);
    StoredMessage old = t.after;
    if (old == null) return;
    for (int i = 0; i < old.chunks(); i++) delete(db.content, RowKeys.chunk(id, i));
    t.after = null;
    counterDelta.remove(old.message(), ending);
  }

  void content(QueueId id, int chunk, SpoolEntry.ByteSlice bytes) throws IOException {
    boolean whole = bytes.offset() == 0 && bytes.length() == bytes.array().length;
    put(db.content, RowKeys.chunk(id, chunk), whole ? bytes.array() : bytes.copy());
  }

  Upload upload(QueueId id) {
    Upload known = uploads.get(id);
    return known != null ? known : store.upload(id);
  }

  void upload(QueueId id, Upload upload) throws IOException {
    uploads.put(id, upload);
    put(db.meta, RowKeys.upload(id), upload.row());
  }

  /** Removes the upload, and its chunks unless a message has claimed them. */
  void endUpload(QueueId id, boolean withChunks) throws IOException {
    Upload upload = upload(id);
    if (upload.chunks() == 0) return;
    for (int i = 0; withChunks && i < upload.chunks(); i++)
      delete(db.content, RowKeys.chunk(id, i));
    uploads.put(id, Upload.NONE);
    delete(db.meta, RowKeys.upload(id));
  }

  /** The number of messages in the spool after the changes so far. */
  long messages() {
    return counterDelta.applyTo(store.counters()).messages();
  }

  boolean isSpoolClosed() {
    return closesSpool || store.isClosedForGood();
  }

  /** Marks the spool as one that accepts nothing any more. */
  void closeSpool() throws IOException {
    put(db.meta, RowKeys.CLOSED, EMPTY_VALUE);
    closesSpool = true;
  }

  /** Adds an event of a message. */
  void event(QueueId id, long atMillis, MailEvent.Detail detail) {
    events.add(new NewEvent(id, atMillis, detail));
  }

  /** Whether events are written in this spool: each of its members knows them. */
  boolean recordsEvents() {
    return !events.isEmpty() || store.eventSegment() >= 0;
  }

  /** Begins a segment of the events with this entry; false when it does not follow the last. */
  boolean beginEventSegment(SpoolEntry.EventSegment entry, LogPosition position) {
    boolean follows = store.eventSegment() >= 0 && entry.number() == store.eventSegment() + 1;
    if (!follows || beganSegment != null || entry.dropBefore() > entry.number()) return false;
    Segment began = new Segment(entry.number(), position.index(), entry.atMillis());
    beganSegment = began;
    firstKeptSegment =
        entry.dropBefore() == entry.number()
            ? began
            : store
                .read(db -> Optional.ofNullable(EventRows.segment(db, entry.dropBefore())))
                .orElse(null);
    return true;
  }

  /** Writes all changes; until then the store is unchanged. */
  void commit(LogPosition position) throws IOException {
    for (Map.Entry<QueueId, MessageChange> e : changes.entrySet()) {
      MessageChange t = e.getValue();
      if (t.before != t.after) writeMessage(e.getKey(), t.before, t.after);
    }
    int segment = writeEvents(position);
    store.commit(batch, counterDelta.applyTo(store.counters()), dueRows, position);
    requests.committed();
    if (closesSpool) store.closedForGood();
    store.eventSegment(segment);
  }

  /** Writes the rows of events, and returns the present segment; -1 before the first event. */
  private int writeEvents(LogPosition position) throws IOException {
    Segment began = beganSegment;
    int segment = began == null ? store.eventSegment() : began.number();
    if (began == null && events.isEmpty()) return segment;
    try {
      ColumnFamilyHandle family = db.createEvents();
      if (segment < 0) {
        began = new Segment(0, position.index(), events.getFirst().atMillis());
        segment = 0;
      }
      if (firstKeptSegment != null) EventRows.dropBefore(batch, family, firstKeptSegment);
      if (began != null) EventRows.putSegment(batch, family, began);
      if (!events.isEmpty()) EventRows.put(batch, family, segment, position.index(), events);
    } catch (RocksDBException e) {
      throw new IOException("the events cannot be added to the batch: " + e.getMessage(), e);
    }
    return segment;
  }

  @Override
  public void close() {
    batch.close();
  }

  private MessageChange load(QueueId id) {
    MessageChange t = changes.get(id);
    if (t == null) {
      t = new MessageChange(store.message(id).orElse(null));
      changes.put(id, t);
    }
    return t;
  }

  private void writeMessage(
      QueueId id, @Nullable StoredMessage before, @Nullable StoredMessage after)
      throws IOException {
    if (after != null) put(db.messages, RowKeys.message(id), MessageFormat.writeRow(after));
    else delete(db.messages, RowKeys.message(id));
    SpooledMessage was = before == null ? null : before.message();
    SpooledMessage is = after == null ? null : after.message();
    writeDueRows(id, dueRows(was), dueRows(is));
    writeStatusRow(id, status(was), status(is));
    if (was == null && is != null) put(db.index, sender(is), EMPTY_VALUE);
    if (was != null && is == null) delete(db.index, sender(was));
  }

  private void writeDueRows(QueueId id, Map<String, Long> was, Map<String, Long> is)
      throws IOException {
    for (Map.Entry<String, Long> e : was.entrySet()) {
      if (e.getValue().equals(is.get(e.getKey()))) continue;
      delete(db.due, RowKeys.due(e.getKey(), e.getValue(), id));
    }
    for (Map.Entry<String, Long> e : is.entrySet()) {
      if (e.getValue().equals(was.get(e.getKey()))) continue;
      put(db.due, RowKeys.due(e.getKey(), e.getValue(), id), EMPTY_VALUE);
      dueRows.add(new DueRow(e.getKey(), e.getValue(), id));
    }
  }

  private void writeStatusRow(QueueId id, MessageStatus was, MessageStatus is) throws IOException {
    if (was == is) return;
    if (was != MessageStatus.PENDING) delete(db.index, RowKeys.status(was, id));
    if (is != MessageStatus.PENDING) put(db.index, RowKeys.status(is, id), EMPTY_VALUE);
  }

  static Map<String, Long> dueRows(@Nullable SpooledMessage message) {
    if (message == null) return Map.of();
    Map<String, Long> due = message.dueByDomain();
    if (message.held()) due.replaceAll((domain, millis) -> RowKeys.NEVER);
    return due;
  }

  private static MessageStatus status(@Nullable SpooledMessage message) {
    return message == null ? MessageStatus.PENDING : MessageStatus.indexedStatus(message);
  }

  static byte[] sender(SpooledMessage message) {
    return RowKeys.sender(message.reversePath().toString(), message.id());
  }

  private static final byte[] EMPTY_VALUE = {};

  private void put(ColumnFamilyHandle family, byte[] key, byte[] value) throws IOException {
    try {
      batch.put(family, key, value);
    } catch (RocksDBException e) {
      throw new IOException("a change cannot be added to the batch: " + e.getMessage(), e);
    }
  }

  private void delete(ColumnFamilyHandle family, byte[] key) throws IOException {
    try {
      batch.delete(family, key);
    } catch (RocksDBException e) {
      throw new IOException("a change cannot be added to the batch: " + e.getMessage(), e);
    }
  }
}
