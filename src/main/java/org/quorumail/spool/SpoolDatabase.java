package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.upkeep.PlatformThread;
import org.rocksdb.AbstractNativeReference;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.TablePropertiesCollectorFactory;
import org.rocksdb.WriteOptions;

/**
 * An open RocksDB database with the column families and settings of a spool, and its native
 * objects.
 *
 * <p>There is no write-ahead log: the Raft log takes its place. All column families are flushed as
 * one, so a crash leaves the state at exactly one position.
 */
final class SpoolDatabase implements AutoCloseable {
  /** Contents from this size on live in blob files, which compaction does not rewrite. */
  private static final long BLOB_MIN_BYTES = 1024;

  /** Blob files are deleted whole: small ones sooner. */
  private static final long BLOB_FILE_BYTES = 32L << 20;

  /** A blob file is rewritten when this part of the oldest ones is garbage. */
  private static final double BLOB_GARBAGE_MAX = 0.5;

  private static final long CONTENT_BUFFER_BYTES = 32L << 20;
  private static final long ROWS_BUFFER_BYTES = 8L << 20;
  private static final long EVENTS_BUFFER_BYTES = 16L << 20;
  private static final byte[] EVENTS = "events".getBytes(UTF_8);

  /**
   * One is written and one is flushed; two more keep a slow disk from stopping the applying thread.
   */
  private static final int WRITE_BUFFERS_MAX = 4;

  /** A queue deletes what it wrote: a table with half of a window deleted is compacted at once. */
  private static final long DELETION_WINDOW = 4096;

  private static final long DELETIONS_MAX = 2048;

  /** A limit per spool; a node has a few spools. */
  private static final int OPEN_FILES_MAX = 256;

  private static final int BLOOM_BITS = 10;

  /** Untouched files are compacted after this, so that old garbage goes too. */
  private static final long PERIODIC_COMPACTION_SECONDS = 24L * 3600;

  final RocksDB db;

  /** Applied position, counters, uploads. */
  final ColumnFamilyHandle meta;

  final ColumnFamilyHandle messages;
  final ColumnFamilyHandle content;
  final ColumnFamilyHandle due;

  /** The indexes by sender, and by status unless it is pending. */
  final ColumnFamilyHandle index;

  /** All that are there. */
  volatile List<ColumnFamilyHandle> families;

  /** Write options without the write-ahead log. */
  final WriteOptions withoutWal;

  /**
   * The events of mail. The family is created with the first event, since an older release cannot
   * open a store that has it.
   */
  private volatile @Nullable ColumnFamilyHandle events;

  private final ColumnFamilyOptions eventOptions;
  private final Deque<AbstractNativeReference> closedAfterDatabase = new ArrayDeque<>();

  SpoolDatabase(Path directory, StoreMemory memory) throws RocksDBException {
    PlatformThread.require();
    ColumnFamilyOptions rows = rows(memory, ROWS_BUFFER_BYTES);
    ColumnFamilyOptions blobs = blobs(memory);
    DBOptions options = keep(options(memory));
    List<ColumnFamilyHandle> opened = new ArrayList<>();
    List<ColumnFamilyDescriptor> wanted =
        new ArrayList<>(
            List.of(
                new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, rows),
                new ColumnFamilyDescriptor("messages".getBytes(UTF_8), rows),
                new ColumnFamilyDescriptor("content".getBytes(UTF_8), blobs),
                new ColumnFamilyDescriptor("due".getBytes(UTF_8), rows),
                new ColumnFamilyDescriptor("index".getBytes(UTF_8), rows)));
    eventOptions = rows(memory, EVENTS_BUFFER_BYTES);
    try {
      if (hasEvents(directory)) wanted.add(new ColumnFamilyDescriptor(EVENTS, eventOptions));
      db = RocksDB.open(options, directory.toString(), wanted, opened);
    } catch (RocksDBException e) {
      closedAfterDatabase.forEach(AbstractNativeReference::close);
      throw e;
    }
    families = List.copyOf(opened);
    meta = families.get(0);
    messages = families.get(1);
    content = families.get(2);
    due = families.get(3);
    index = families.get(4);
    events = families.size() > 5 ? families.get(5) : null;
    withoutWal = keep(new WriteOptions().setDisableWAL(true));
  }

  private static boolean hasEvents(Path directory) throws RocksDBException {
    if (!Files.exists(directory.resolve("CURRENT"))) return false; // a new one
    try (Options any = new Options()) {
      return RocksDB.listColumnFamilies(any, directory.toString()).stream()
          .anyMatch(name -> Arrays.equals(name, EVENTS));
    }
  }

  /** The events of mail; null before the first. */
  @Nullable ColumnFamilyHandle events() {
    return events;
  }

  /** The same, created when it is not there; called by the writing thread. */
  ColumnFamilyHandle createEvents() throws RocksDBException {
    PlatformThread.require();
    ColumnFamilyHandle known = events;
    if (known != null) return known;
    ColumnFamilyHandle created =
        db.createColumnFamily(new ColumnFamilyDescriptor(EVENTS, eventOptions));
    List<ColumnFamilyHandle> all = new ArrayList<>(families);
    all.add(created);
    families = List.copyOf(all);
    events = created;
    return created;
  }

  /** Closes the database; all reads and writes must have ended. The log replays unflushed rows. */
  @Override
  public void close() {
    PlatformThread.require();
    db.cancelAllBackgroundWork(true);
    families.forEach(ColumnFamilyHandle::close);
    db.close();
    closedAfterDatabase.forEach(AbstractNativeReference::close);
  }

  private DBOptions options(StoreMemory memory) {
    return new DBOptions()
        .setCreateIfMissing(true)
        .setCreateMissingColumnFamilies(true)
        .setAtomicFlush(true)
        .setParanoidChecks(true)
        .setWriteBufferManager(memory.writeBuffers)
        .setMaxOpenFiles(OPEN_FILES_MAX)
        .setMaxBackgroundJobs(2)
        .setBytesPerSync(1L << 20)
        .setStatsDumpPeriodSec(0)
        .setStatsPersistPeriodSec(0)
        .setKeepLogFileNum(2)
        .setMaxLogFileSize(1L << 20)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setMaxManifestFileSize(4L << 20);
  }

  private ColumnFamilyOptions rows(StoreMemory memory, long bufferBytes) {
    // only the combined options of the Java binding can carry a collector
    try (Options carrier = new Options()) {
      carrier.setTablePropertiesCollectorFactory(
          List.of(
              keep(
                  TablePropertiesCollectorFactory.NewCompactOnDeletionCollectorFactory(
                      DELETION_WINDOW, DELETIONS_MAX, 0.5))));
      return keep(new ColumnFamilyOptions(carrier))
          .setTableFormatConfig(
              new BlockBasedTableConfig()
                  .setBlockCache(memory.blocks)
                  .setCacheIndexAndFilterBlocks(true)
                  .setPinL0FilterAndIndexBlocksInCache(true)
                  .setFilterPolicy(keep(new BloomFilter(BLOOM_BITS))))
          .setCompressionType(CompressionType.LZ4_COMPRESSION)
          .setWriteBufferSize(bufferBytes)
          .setMaxWriteBufferNumber(WRITE_BUFFERS_MAX)
          .setLevelCompactionDynamicLevelBytes(true)
          .setPeriodicCompactionSeconds(PERIODIC_COMPACTION_SECONDS);
    }
  }

  private ColumnFamilyOptions blobs(StoreMemory memory) {
    return rows(memory, CONTENT_BUFFER_BYTES)
        .setEnableBlobFiles(true)
        .setMinBlobSize(BLOB_MIN_BYTES)
        .setBlobFileSize(BLOB_FILE_BYTES)
        .setBlobCompressionType(CompressionType.NO_COMPRESSION)
        .setEnableBlobGarbageCollection(true)
        .setBlobGarbageCollectionAgeCutoff(1.0)
        .setBlobGarbageCollectionForceThreshold(BLOB_GARBAGE_MAX);
  }

  private <T extends AbstractNativeReference> T keep(T reference) {
    closedAfterDatabase.push(reference);
    return reference;
  }
}
