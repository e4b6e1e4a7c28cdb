package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.DamagedStorageException;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.quorumail.upkeep.PlatformThread;
import org.rocksdb.Checkpoint;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;

/**
 * The database of one spool's replica. {@link EntryTransaction} writes to it; this class reads it
 * and handles it as a whole.
 *
 * <p>Threads: one thread writes, closes and replaces; any thread reads. A close waits for readers.
 */
final class SpoolStore implements AutoCloseable {
  private final Path directory;
  private final StoreMemory memory;
  private final DueIndex dueIndex = new DueIndex();
  private final RequestRows requests = new RequestRows(this);

  /** Shared by readers; exclusive to open, close and replace. */
  private final ReentrantReadWriteLock opened = new ReentrantReadWriteLock();

  private volatile @Nullable SpoolDatabase database;
  private volatile LogPosition applied = LogPosition.NONE;
  private volatile SpoolCounters counters = SpoolCounters.NONE;
  private volatile boolean closedForGood;

  /** The present segment of the events; -1 before the first event. */
  private volatile int eventSegment = -1;

  private final Consumer<? super DamagedStorageException> onDamage;

  SpoolStore(Path directory, StoreMemory memory) {
    this(directory, memory, damage -> {});
  }

  /**
   * @param onDamage called each time that a read finds a wrong checksum
   */
  SpoolStore(
      Path directory, StoreMemory memory, Consumer<? super DamagedStorageException> onDamage) {
    this.directory = directory;
    this.memory = memory;
    this.onDamage = onDamage;
  }

  void open() throws IOException {
    opened.writeLock().lock();
    try {
      StoreFiles.prepare(directory);
      SpoolDatabase db = new SpoolDatabase(directory, memory);
      database = db;
      applied = position(db.db.get(db.meta, RowKeys.APPLIED));
      byte[] row = db.db.get(db.meta, RowKeys.COUNTERS);
      counters = row == null ? SpoolCounters.NONE : SpoolCounters.of(row);
      closedForGood = db.db.get(db.meta, RowKeys.CLOSED) != null;
      EventRows.Segment segment = EventRows.edge(db, true);
      eventSegment = segment == null ? -1 : segment.number();
      dueIndex.clear();
      requests.replaced();
      assert StoreInvariants.hold(db, counters);
    } catch (RocksDBException e) {
      throw readFailure(e); // the caller reports it
    } finally {
      opened.writeLock().unlock();
    }
  }

  /** The requests that were accepted under a key. */
  RequestRows requests() {
    return requests;
  }

  /** The position of the last entry whose change is in the store. */
  LogPosition applied() {
    return applied;
  }

  SpoolCounters counters() {
    return counters;
  }

  /** Whether the database is open: its group is. */
  boolean isOpen() {
    return database != null;
  }

  /** Whether the spool accepts nothing any more, see {@link SpoolEntry.Close}. */
  boolean isClosedForGood() {
    return closedForGood;
  }

  /** Called when the row that says so is written. */
  void closedForGood() {
    closedForGood = true;
  }

  /** The present segment of the events; -1 before the first event. */
  int eventSegment() {
    return eventSegment;
  }

  /** Called when the row of the segment is written. */
  void eventSegment(int present) {
    eventSegment = present;
  }

  /** Bytes of the files of events. */
  long eventBytes() {
    return read(
        db -> {
          ColumnFamilyHandle family = db.events();
          return family == null ? 0 : db.db.getLongProperty(family, "rocksdb.total-sst-files-size");
        });
  }

  Optional<StoredMessage> message(QueueId id) {
    byte[] row = read(db -> db.db.get(db.messages, RowKeys.message(id)));
    return row == null ? Optional.empty() : Optional.of(stored(row));
  }

  byte @Nullable [] chunk(QueueId id, int number) {
    return read(db -> db.db.get(db.content, RowKeys.chunk(id, number)));
  }

  Upload upload(QueueId id) {
    byte[] row = read(db -> db.db.get(db.meta, RowKeys.upload(id)));
    return row == null ? Upload.NONE : upload(row);
  }

  /** Returns at most so many uploads whose last chunk is older. */
  List<QueueId> uploadsBefore(long millis, int limit) {
    return read(
        db -> {
          List<QueueId> old = new ArrayList<>();
          byte[] prefix = RowKeys.uploadPrefix();
          try (RocksIterator it = db.db.newIterator(db.meta)) {
            for (it.seek(prefix); it.isValid() && old.size() < limit; it.next()) {
              if (!RowKeys.startsWith(it.key(), prefix)) break;
              if (upload(it.value()).lastMillis() < millis) old.add(RowKeys.trailingId(it.key()));
            }
            it.status();
          }
          return old;
        });
  }

  Optional<DueRow> firstDue() {
    return read(dueIndex::first);
  }

  Optional<DueRow> firstDueAfter(String domain) {
    return read(db -> dueIndex.firstAfter(db, domain));
  }

  List<DueRow> dueRows(String domain, long untilMillis, int limit) {
    return read(db -> dueIndex.dueUntil(db, domain, untilMillis, limit));
  }

  /** Runs a read over the open database, which stays open meanwhile. */
  <T extends @Nullable Object> T read(StoreQuery<T> reading) {
    opened.readLock().lock();
    try {
      return reading.run(opened());
    } catch (RocksDBException e) {
      IOException problem = readFailure(e);
      if (problem instanceof DamagedStorageException damage) onDamage.accept(damage);
      throw new UncheckedIOException(problem);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      opened.readLock().unlock();
    }
  }

  interface StoreQuery<T extends @Nullable Object> {
    T run(SpoolDatabase db) throws RocksDBException, IOException;
  }

  /** Begins the transaction of one entry; called by the applying thread. */
  EntryTransaction beginTransaction() {
    return new EntryTransaction(this, opened());
  }

  /** Commits a transaction: its rows, the counters and the position become visible together. */
  void commit(WriteBatch rows, SpoolCounters after, List<DueRow> newDueRows, LogPosition position)
      throws IOException {
    SpoolDatabase db = opened();
    if (position.index() <= applied.index() || position.term() < applied.term()) {
      throw new IllegalStateException(
          "the spool in %s is at %s and cannot move to %s".formatted(directory, applied, position));
    }
    assert after.areValid() : after;
    try {
      if (!after.equals(counters)) rows.put(db.meta, RowKeys.COUNTERS, after.row());
      rows.put(db.meta, RowKeys.APPLIED, row(position));
      db.db.write(db.withoutWal, rows);
    } catch (RocksDBException e) {
      throw new IOException(
          "the spool in %s cannot be written: %s".formatted(directory, e.getMessage()), e);
    }
    dueIndex.rowsWritten(newDueRows);
    counters = after;
    applied = position;
  }

  /** Writes a copy, mostly hard links, and forces it to disk. */
  LogPosition checkpoint(Path target) throws IOException {
    PlatformThread.require();
    SpoolDatabase db = opened();
    Path copy = target.resolve(StoreFiles.CHECKPOINT_DIRECTORY);
    try (Checkpoint checkpoint = Checkpoint.create(db.db)) {
      checkpoint.createCheckpoint(copy.toString());
    } catch (RocksDBException e) {
      throw new IOException(
          "the spool in %s cannot be copied to %s: %s".formatted(directory, copy, e.getMessage()),
          e);
    }
    StoreFiles.force(copy);
    StoreFiles.force(target);
    deleteFilesOfDroppedEvents(db);
    return applied;
  }

  /**
   * Deletes files that have only dropped events. The copy before has forced the drop to disk: a
   * restart cannot find the rows again. Readers would miss rows, so the files stay while there is
   * any.
   */
  private void deleteFilesOfDroppedEvents(SpoolDatabase db) throws IOException {
    if (!opened.writeLock().tryLock()) return; // the next copy
    try {
      EventRows.Segment first = EventRows.edge(db, false);
      ColumnFamilyHandle family = db.events();
      if (first == null || family == null || first.number() == 0) return;
      db.db.deleteFilesInRanges(
          family, List.of(EventKeys.segment(0), EventKeys.segment(first.number())), false);
    } catch (RocksDBException e) {
      throw readFailure(e);
    } finally {
      opened.writeLock().unlock();
    }
  }

  /** Replaces the whole state by that of a copy, which stays usable. */
  void replace(Path source) throws IOException {
    opened.writeLock().lock();
    try {
      Path fresh =
          StoreFiles.copyBeside(directory, source.resolve(StoreFiles.CHECKPOINT_DIRECTORY));
      close();
      StoreFiles.swap(fresh, directory);
      open();
    } finally {
      opened.writeLock().unlock();
    }
  }

  /** Computes the digest of this replica; reads every row. */
  StoreDigest digest() {
    return PlatformThread.call("spool-digest", () -> read(StoreDigest::of));
  }

  /** Bytes of rows in memory, which are still to be flushed. */
  long unflushedBytes() {
    opened.readLock().lock();
    try {
      if (database == null) return 0; // the spool was dissolved meanwhile
      return read(db -> db.db.getAggregatedLongProperty("rocksdb.cur-size-all-mem-tables"));
    } finally {
      opened.readLock().unlock();
    }
  }

  /** Bytes of the files of mail. */
  long fileBytes() {
    return Math.max(0, read(db -> StoreFiles.size(directory)) - eventBytes());
  }

  /** Rewrites all files without deleted rows. */
  Spool.Compaction compact() {
    return PlatformThread.call("spool-compaction", this::compactHere);
  }

  private Spool.Compaction compactHere() {
    PlatformThread.require();
    return read(
        db -> {
          long before = StoreFiles.size(directory);
          try (var flush = new org.rocksdb.FlushOptions().setWaitForFlush(true)) {
            db.db.flush(flush, db.families);
          }
          for (var family : db.families) {
            if (family != db.events()) db.db.compactRange(family); // events go file by file
          }
          return new Spool.Compaction(before, StoreFiles.size(directory));
        });
  }

  @Override
  public void close() {
    opened.writeLock().lock();
    try {
      if (database != null) {
        assert StoreInvariants.hold(database, counters);
        database.close();
      }
      database = null;
    } finally {
      opened.writeLock().unlock();
    }
  }

  static LogPosition position(byte @Nullable [] row) {
    if (row == null) return LogPosition.NONE;
    ByteBuffer in = ByteBuffer.wrap(row);
    return new LogPosition(in.getLong(), in.getLong());
  }

  private static byte[] row(LogPosition position) {
    return new ByteWriter(16).i64(position.term()).i64(position.index()).finish();
  }

  static StoredMessage stored(byte[] row) {
    try {
      return MessageFormat.readRow(row);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Upload upload(byte[] row) {
    try {
      return Upload.of(row);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SpoolDatabase opened() {
    SpoolDatabase db = database;
    if (db == null) throw new IllegalStateException("the spool in " + directory + " is closed");
    return db;
  }

  /** Classifies a failure: a wrong checksum, or a disk that fails or is full. */
  private IOException readFailure(RocksDBException e) {
    String message = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    boolean corrupt =
        message.contains("orrupt")
            || message.contains("checksum")
            || (e.getStatus() != null && e.getStatus().getCode() == Status.Code.Corruption);
    if (!corrupt) {
      return new IOException("the spool in %s fails: %s".formatted(directory, message), e);
    }
    return new DamagedStorageException(
        "the spool in %s is damaged (%s)".formatted(directory, message), e);
  }

  Path directory() {
    return directory;
  }

  /** Flushes all memory to disk; for tests. */
  void flush() throws IOException {
    PlatformThread.require();
    try (var options = new org.rocksdb.FlushOptions().setWaitForFlush(true)) {
      SpoolDatabase db = opened();
      db.db.flush(options, db.families);
    } catch (RocksDBException e) {
      throw readFailure(e);
    }
  }

  /** Options for a long read that must not evict the cache. */
  static ReadOptions scanOptions() {
    return new ReadOptions().setFillCache(false);
  }
}
