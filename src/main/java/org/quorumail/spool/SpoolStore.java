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
import org.quorumail.replication.Position;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.rocksdb.Checkpoint;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;

/**
 * The database of one spool's replica. {@link Change} writes it; everything here reads, or handles
 * it as a whole.
 *
 * <p>Threads: one writes, closes and replaces; anybody reads, and what closes waits for readers.
 */
final class SpoolStore implements AutoCloseable {
  private final Path directory;
  private final StoreMemory memory;
  private final DueIndex dueIndex = new DueIndex();

  /** Shared by readers; exclusive to open, close and replace. */
  private final ReentrantReadWriteLock opened = new ReentrantReadWriteLock();

  private @Nullable SpoolDatabase database;
  private volatile Position applied = Position.NONE;
  private volatile Counters counters = Counters.NONE;
  private final Consumer<? super DamagedStorageException> onDamage;

  SpoolStore(Path directory, StoreMemory memory) {
    this(directory, memory, damage -> {});
  }

  /**
   * @param onDamage told each time that something read does not fit its checksum
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
      applied = position(db.db.get(db.meta, Keys.APPLIED));
      byte[] row = db.db.get(db.meta, Keys.COUNTERS);
      counters = row == null ? Counters.NONE : Counters.of(row);
      dueIndex.forget();
    } catch (RocksDBException e) {
      throw unreadable(e); // whoever opens it tells
    } finally {
      opened.writeLock().unlock();
    }
  }

  /** The position of the last entry whose change is in the store. */
  Position applied() {
    return applied;
  }

  Counters counters() {
    return counters;
  }

  Optional<Stored> message(QueueId id) {
    byte[] row = reading(db -> db.db.get(db.messages, Keys.message(id)));
    return row == null ? Optional.empty() : Optional.of(stored(row));
  }

  byte @Nullable [] chunk(QueueId id, int number) {
    return reading(db -> db.db.get(db.content, Keys.chunk(id, number)));
  }

  Upload upload(QueueId id) {
    byte[] row = reading(db -> db.db.get(db.meta, Keys.upload(id)));
    return row == null ? Upload.NONE : upload(row);
  }

  /** Uploads whose last chunk is older, at most so many. */
  List<QueueId> uploadsBefore(long millis, int limit) {
    return reading(
        db -> {
          List<QueueId> old = new ArrayList<>();
          byte[] prefix = Keys.uploads();
          try (RocksIterator it = db.db.newIterator(db.meta)) {
            for (it.seek(prefix); it.isValid() && old.size() < limit; it.next()) {
              if (!Keys.startsWith(it.key(), prefix)) break;
              if (upload(it.value()).lastMillis() < millis) old.add(Keys.lastId(it.key()));
            }
            it.status();
          }
          return old;
        });
  }

  Optional<DueRow> firstDueAfter(String domain) {
    return reading(db -> dueIndex.firstAfter(db, domain));
  }

  List<DueRow> due(String domain, long untilMillis, int limit) {
    return reading(db -> dueIndex.until(db, domain, untilMillis, limit));
  }

  /** Runs a read over the open database; nothing closes it meanwhile. */
  <T extends @Nullable Object> T reading(Reading<T> reading) {
    opened.readLock().lock();
    try {
      return reading.of(opened());
    } catch (RocksDBException e) {
      IOException problem = unreadable(e);
      if (problem instanceof DamagedStorageException damage) onDamage.accept(damage);
      throw new UncheckedIOException(problem);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      opened.readLock().unlock();
    }
  }

  interface Reading<T extends @Nullable Object> {
    T of(SpoolDatabase db) throws RocksDBException, IOException;
  }

  /** Begins what one entry changes. By the applying thread. */
  Change change() {
    return new Change(this, opened());
  }

  /** Ends a change: its rows, the counters and the position become visible together. */
  void write(WriteBatch rows, Counters after, List<DueRow> newDueRows, Position position)
      throws IOException {
    SpoolDatabase db = opened();
    try {
      if (!after.equals(counters)) rows.put(db.meta, Keys.COUNTERS, after.row());
      rows.put(db.meta, Keys.APPLIED, row(position));
      db.db.write(db.unlogged, rows);
    } catch (RocksDBException e) {
      throw new IOException(
          "the spool in %s cannot be written: %s".formatted(directory, e.getMessage()), e);
    }
    dueIndex.added(newDueRows);
    counters = after;
    applied = position;
  }

  /** Writes a copy, mostly hard links, and forces it to disk. */
  Position checkpoint(Path target) throws IOException {
    SpoolDatabase db = opened();
    Path copy = target.resolve(StoreFiles.COPY);
    try (Checkpoint checkpoint = Checkpoint.create(db.db)) {
      checkpoint.createCheckpoint(copy.toString());
    } catch (RocksDBException e) {
      throw new IOException(
          "the spool in %s cannot be copied to %s: %s".formatted(directory, copy, e.getMessage()),
          e);
    }
    StoreFiles.force(copy);
    StoreFiles.force(target);
    return applied;
  }

  /** Takes a copy's state in place of its own. The copy stays usable. */
  void replace(Path source) throws IOException {
    opened.writeLock().lock();
    try {
      Path fresh = StoreFiles.copyBeside(directory, source.resolve(StoreFiles.COPY));
      close();
      StoreFiles.swap(fresh, directory);
      open();
    } finally {
      opened.writeLock().unlock();
    }
  }

  /** Position and content of this replica; reads everything. */
  StoreDigest digest() {
    return reading(StoreDigest::of);
  }

  long fileBytes() {
    return reading(db -> StoreFiles.size(directory));
  }

  /** Rewrites all files without what was deleted. */
  Spool.Compaction compact() {
    return reading(
        db -> {
          long before = StoreFiles.size(directory);
          try (var flush = new org.rocksdb.FlushOptions().setWaitForFlush(true)) {
            db.db.flush(flush, db.families);
          }
          for (var family : db.families) db.db.compactRange(family);
          return new Spool.Compaction(before, StoreFiles.size(directory));
        });
  }

  @Override
  public void close() {
    opened.writeLock().lock();
    try {
      if (database != null) database.close();
      database = null;
    } finally {
      opened.writeLock().unlock();
    }
  }

  static Position position(byte @Nullable [] row) {
    if (row == null) return Position.NONE;
    ByteBuffer in = ByteBuffer.wrap(row);
    return new Position(in.getLong(), in.getLong());
  }

  private static byte[] row(Position position) {
    return new ByteWriter(16).i64(position.term()).i64(position.index()).finish();
  }

  static Stored stored(byte[] row) {
    try {
      return MessageFormat.stored(row);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Upload upload(byte[] row) {
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

  /** What a failed read means: a checksum that does not fit, or a disk that does not answer. */
  private IOException unreadable(RocksDBException e) {
    String message = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    boolean corrupt =
        message.contains("orrupt")
            || message.contains("checksum")
            || (e.getStatus() != null && e.getStatus().getCode() == Status.Code.Corruption);
    if (!corrupt) {
      return new IOException("the spool in %s cannot be read: %s".formatted(directory, message), e);
    }
    return new DamagedStorageException(
        "the spool in %s is damaged (%s)".formatted(directory, message), e);
  }

  Path directory() {
    return directory;
  }

  /** For tests: everything that is in memory goes to disk. */
  void flush() throws IOException {
    try (var options = new org.rocksdb.FlushOptions().setWaitForFlush(true)) {
      SpoolDatabase db = opened();
      db.db.flush(options, db.families);
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  /** Options for a long read that must not push everything else out of the cache. */
  static ReadOptions scan() {
    return new ReadOptions().setFillCache(false);
  }
}
