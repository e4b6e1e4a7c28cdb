package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * The invariants of a store's rows, checked over all of them: the indexes hold the rows that follow
 * from the messages and no other, every content is whole and belongs to a message or an upload, and
 * the counters count what is there. Only assertions run this check, since it reads everything.
 */
final class StoreInvariants {
  private final SpoolDatabase db;
  private final Set<DueRow> due = new HashSet<>();
  private final Map<QueueId, Integer> chunks = new HashMap<>();
  private final Set<String> index = new HashSet<>();
  private final SpoolCounters.Delta delta = new SpoolCounters.Delta();

  private StoreInvariants(SpoolDatabase db) {
    this.db = db;
  }

  /**
   * Checks an open database, as far as its files can be read.
   *
   * @return true
   * @throws IllegalStateException with the first violation
   */
  static boolean hold(SpoolDatabase db, SpoolCounters counters) {
    StoreInvariants expected = new StoreInvariants(db);
    try {
      expected.readMessages();
      expected.checkIndexes();
      expected.checkContents();
      expected.checkCounters(counters);
      expected.checkEvents();
    } catch (RocksDBException e) {
      // damage is reported by the reads that need the rows
    }
    return true;
  }

  private void readMessages() throws RocksDBException {
    forEach(
        db.messages,
        (key, value) -> {
          StoredMessage stored = SpoolStore.stored(value);
          SpooledMessage message = stored.message();
          QueueId id = message.id();
          check(id.equals(RowKeys.trailingId(key)), "the key of message " + id);
          chunks.put(id, stored.chunks());
          delta.add(message);
          EntryTransaction.dueRows(message)
              .forEach((domain, millis) -> due.add(dueRow(domain, millis, id)));
          index.add(text(EntryTransaction.sender(message)));
          MessageStatus status = MessageStatus.indexedStatus(message);
          if (status != MessageStatus.PENDING) index.add(text(RowKeys.status(status, id)));
        });
  }

  private void checkIndexes() throws RocksDBException {
    forEach(
        db.due, (key, value) -> check(due.remove(RowKeys.dueRow(key)), "a due row " + text(key)));
    check(due.isEmpty(), "due rows that are missing: " + due);
    forEach(db.index, (key, value) -> check(index.remove(text(key)), "an index row " + text(key)));
    check(index.isEmpty(), "index rows that are missing: " + index);
  }

  private void checkContents() throws RocksDBException {
    forEach(
        db.meta,
        (key, value) -> {
          if (!RowKeys.startsWith(key, RowKeys.uploadPrefix())) return;
          QueueId id = RowKeys.trailingId(key);
          Integer claimed = chunks.put(id, SpoolStore.upload(value).chunks());
          check(claimed == null, "an upload of the accepted message " + id);
        });
    Map<QueueId, Integer> found = new HashMap<>();
    forEach(db.content, (key, value) -> found.merge(RowKeys.chunkId(key), 1, Integer::sum));
    check(found.equals(chunks), "chunks, found " + found + ", expected " + chunks);
  }

  private void checkCounters(SpoolCounters counters) {
    SpoolCounters counted = delta.applyTo(SpoolCounters.NONE);
    boolean same =
        counted.pending() == counters.pending()
            && counted.retry() == counters.retry()
            && counted.held() == counters.held()
            && counted.bytes() == counters.bytes();
    check(same, "the counters, found " + counters + ", expected " + counted);
    check(counters.areValid(), "the counters " + counters);
  }

  /**
   * Each event row has its postings, in the segment in which it was written, and no other is there.
   */
  private void checkEvents() throws RocksDBException {
    ColumnFamilyHandle events = db.events();
    if (events == null) return;
    Set<String> wanted = new HashSet<>();
    Set<String> postings = new HashSet<>();
    Set<Integer> segments = new HashSet<>();
    forEach(
        events,
        (key, value) -> {
          int segment = EventKeys.segmentOf(key);
          if (EventKeys.isPosting(key)) {
            postings.add(text(key));
          } else if (EventKeys.isEvents(key)) {
            check(segments.contains(segment), "events without a segment, " + text(key));
            long entry = EventKeys.entry(key);
            for (long hash : hashes(entry, value))
              wanted.add(text(EventKeys.posting(segment, hash, entry)));
          } else {
            segments.add(segment);
          }
        });
    check(postings.equals(wanted), "postings, found " + postings + ", expected " + wanted);
  }

  private static Set<Long> hashes(long entry, byte[] value) {
    try {
      return EventRows.hashes(entry, value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface RowCheck {
    void accept(byte[] key, byte[] value);
  }

  private void forEach(ColumnFamilyHandle family, RowCheck row) throws RocksDBException {
    try (ReadOptions options = SpoolStore.scanOptions();
        RocksIterator it = db.db.newIterator(family, options)) {
      for (it.seekToFirst(); it.isValid(); it.next()) row.accept(it.key(), it.value());
      it.status();
    }
  }

  /** The row as its key has it: times are not negative there, nor NUL in names. */
  private static DueRow dueRow(String domain, long millis, QueueId id) {
    return RowKeys.dueRow(RowKeys.due(domain, millis, id));
  }

  private static String text(byte[] key) {
    return java.util.HexFormat.of().formatHex(key);
  }

  private static void check(boolean holds, String what) {
    if (!holds) throw new IllegalStateException("the store is not consistent: " + what);
  }
}
