package org.quorumail.spool;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.quorumail.upkeep.PlatformThread;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileReader;

/**
 * A scrub of one store: it reads all that is on disk and compares the checksums, so that rot is
 * found while the other replicas are intact. It reads every block of every table and every content
 * in the blob files. It bypasses the block cache, and the store can be closed between its steps.
 */
final class Scrub {
  /** The bytes of one step over contents: enough to be cheap, few enough not to delay a close. */
  private static final long STEP_BYTES = 1 << 20;

  private static final byte[] BEGINNING = {};

  private final SpoolStore store;

  Scrub(SpoolStore store) {
    this.store = store;
  }

  /** The rate limit of a scrub, called after each step; it waits as long as the rate requires. */
  @FunctionalInterface
  interface Throttle {
    void afterRead(long bytes) throws InterruptedException;
  }

  /**
   * Reads everything once.
   *
   * @return bytes that were read
   * @throws java.io.UncheckedIOException with a {@code DamagedStorageException} when a checksum
   *     does not fit; the store also notifies its own listener
   */
  long run(Throttle pace) throws InterruptedException {
    long total = 0;
    for (String table : tables()) {
      long bytes = verifyTable(Path.of(table));
      pace.afterRead(bytes);
      total += bytes;
    }
    Step step = readContents(BEGINNING);
    while (true) {
      pace.afterRead(step.bytes);
      total += step.bytes;
      if (step.last.length == 0) return total;
      step = readContents(step.last);
    }
  }

  private List<String> tables() {
    return store.read(db -> liveTables(db));
  }

  private static List<String> liveTables(SpoolDatabase db) {
    List<String> files = new ArrayList<>();
    for (LiveFileMetaData file : db.db.getLiveFilesMetaData()) {
      if (file.fileName().endsWith(".sst")) files.add(file.path() + file.fileName());
    }
    return files;
  }

  private long verifyTable(Path file) {
    PlatformThread.require();
    return store.read(
        db -> {
          try (Options options = new Options();
              SstFileReader reader = new SstFileReader(options)) {
            reader.open(file.toString());
            reader.verifyChecksum();
            return Files.size(file);
          } catch (RocksDBException e) {
            // a compaction may have taken it away meanwhile
            boolean gone = !Files.exists(file) && !liveTables(db).contains(file.toString());
            if (gone) return 0L;
            throw e;
          }
        });
  }

  /**
   * @param last the last row that was read; empty at the end
   */
  private record Step(long bytes, byte[] last) {}

  private Step readContents(byte[] after) {
    return store.read(
        db -> {
          long bytes = 0;
          try (ReadOptions options = SpoolStore.scanOptions();
              RocksIterator rows = db.db.newIterator(db.content, options)) {
            rows.seek(after);
            if (after.length > 0 && rows.isValid() && Arrays.equals(rows.key(), after)) rows.next();
            byte[] last = BEGINNING;
            for (; rows.isValid(); rows.next()) {
              bytes += rows.value().length;
              last = rows.key();
              if (bytes >= STEP_BYTES) return new Step(bytes, last);
            }
            rows.status();
            return new Step(bytes, BEGINNING);
          }
        });
  }
}
