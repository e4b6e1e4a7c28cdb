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
import org.quorumail.replication.Position;
import org.quorumail.spool.Counters.Ending;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * What one entry changes: read through, kept in memory, and written with the entry's position by
 * {@link #commit}, all or nothing. Rows of the indexes follow from what a message was before and is
 * after, so they cannot be forgotten.
 */
final class Change implements AutoCloseable {
  private final SpoolStore store;
  private final SpoolDatabase db;
  private final WriteBatch rows = new WriteBatch();
  private final Map<QueueId, Touched> touched = new LinkedHashMap<>();
  private final Map<QueueId, Upload> uploads = new HashMap<>();
  private final Counters.Tally tally = new Counters.Tally();
  private final List<DueRow> dueRows = new ArrayList<>();

  /** A message as the store has it and as it will be; null where it is not. */
  private static final class Touched {
    final @Nullable Stored before;
    @Nullable Stored after;

    Touched(@Nullable Stored before) {
      this.before = before;
      this.after = before;
    }
  }

  Change(SpoolStore store, SpoolDatabase db) {
    this.store = store;
    this.db = db;
  }

  Optional<SpooledMessage> message(QueueId id) {
    return Optional.ofNullable(touch(id).after).map(Stored::message);
  }

  /** A message begins to exist; its content is there already or written by {@link #content}. */
  void create(Stored stored) {
    touch(stored.message().id()).after = stored;
    tally.enters(stored.message());
  }

  void update(SpooledMessage message) {
    Touched t = touch(message.id());
    Stored old = t.after;
    if (old == null) throw new IllegalStateException("there is no message " + message.id());
    t.after = new Stored(message, old.chunks());
    tally.changes(old.message(), message);
  }

  /** A message and all its rows go. */
  void remove(QueueId id, Ending ending) throws IOException {
    Touched t = touch(id);
    Stored old = t.after;
    if (old == null) return;
    for (int i = 0; i < old.chunks(); i++) delete(db.content, Keys.chunk(id, i));
    t.after = null;
    tally.leaves(old.message(), ending);
  }

  void content(QueueId id, int chunk, Entry.Slice bytes) throws IOException {
    boolean whole = bytes.offset() == 0 && bytes.length() == bytes.array().length;
    put(db.content, Keys.chunk(id, chunk), whole ? bytes.array() : bytes.copy());
  }

  Upload upload(QueueId id) {
    Upload known = uploads.get(id);
    return known != null ? known : store.upload(id);
  }

  void upload(QueueId id, Upload upload) throws IOException {
    uploads.put(id, upload);
    put(db.meta, Keys.upload(id), upload.row());
  }

  /** The upload is claimed, or its chunks go too. */
  void endUpload(QueueId id, boolean withChunks) throws IOException {
    Upload upload = upload(id);
    if (upload.chunks() == 0) return;
    for (int i = 0; withChunks && i < upload.chunks(); i++) delete(db.content, Keys.chunk(id, i));
    uploads.put(id, Upload.NONE);
    delete(db.meta, Keys.upload(id));
  }

  /** Writes everything; until then the store is as it was. */
  void commit(Position position) throws IOException {
    for (Map.Entry<QueueId, Touched> e : touched.entrySet()) {
      Touched t = e.getValue();
      if (t.before != t.after) rewrite(e.getKey(), t.before, t.after);
    }
    store.write(rows, tally.addedTo(store.counters()), dueRows, position);
  }

  @Override
  public void close() {
    rows.close();
  }

  private Touched touch(QueueId id) {
    Touched t = touched.get(id);
    if (t == null) {
      t = new Touched(store.message(id).orElse(null));
      touched.put(id, t);
    }
    return t;
  }

  private void rewrite(QueueId id, @Nullable Stored before, @Nullable Stored after)
      throws IOException {
    if (after != null) put(db.messages, Keys.message(id), MessageFormat.row(after));
    else delete(db.messages, Keys.message(id));
    SpooledMessage was = before == null ? null : before.message();
    SpooledMessage is = after == null ? null : after.message();
    rewriteDue(id, dueRows(was), dueRows(is));
    rewriteStatus(id, status(was), status(is));
    if (was == null && is != null) put(db.index, sender(is), NOTHING);
    if (was != null && is == null) delete(db.index, sender(was));
  }

  private void rewriteDue(QueueId id, Map<String, Long> was, Map<String, Long> is)
      throws IOException {
    for (Map.Entry<String, Long> e : was.entrySet()) {
      if (e.getValue().equals(is.get(e.getKey()))) continue;
      delete(db.due, Keys.due(e.getKey(), e.getValue(), id));
    }
    for (Map.Entry<String, Long> e : is.entrySet()) {
      if (e.getValue().equals(was.get(e.getKey()))) continue;
      put(db.due, Keys.due(e.getKey(), e.getValue(), id), NOTHING);
      dueRows.add(new DueRow(e.getKey(), e.getValue(), id));
    }
  }

  private void rewriteStatus(QueueId id, MessageStatus was, MessageStatus is) throws IOException {
    if (was == is) return;
    if (was != MessageStatus.PENDING) delete(db.index, Keys.status(was, id));
    if (is != MessageStatus.PENDING) put(db.index, Keys.status(is, id), NOTHING);
  }

  private static Map<String, Long> dueRows(@Nullable SpooledMessage message) {
    if (message == null) return Map.of();
    Map<String, Long> due = message.dueByDomain();
    if (message.held()) due.replaceAll((domain, millis) -> Keys.NEVER);
    return due;
  }

  private static MessageStatus status(@Nullable SpooledMessage message) {
    return message == null ? MessageStatus.PENDING : MessageStatus.of(message);
  }

  private static byte[] sender(SpooledMessage message) {
    return Keys.sender(message.reversePath().toString(), message.id());
  }

  private static final byte[] NOTHING = {};

  private void put(ColumnFamilyHandle family, byte[] key, byte[] value) throws IOException {
    try {
      rows.put(family, key, value);
    } catch (RocksDBException e) {
      throw new IOException("a change cannot be gathered: " + e.getMessage(), e);
    }
  }

  private void delete(ColumnFamilyHandle family, byte[] key) throws IOException {
    try {
      rows.delete(family, key);
    } catch (RocksDBException e) {
      throw new IOException("a change cannot be gathered: " + e.getMessage(), e);
    }
  }
}
