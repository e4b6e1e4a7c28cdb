package org.quorumail.spool;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.quorumail.mail.QueueId;
import org.quorumail.upkeep.PeriodicTasks;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The background work of all spools of a node. It watches the free space, aborts unfinished
 * uploads, compacts idle spools, and scrubs all replicas after the start and once a day. The scrub
 * reads at a rate that leaves the disk to the mail.
 *
 * <p>Threads: one platform thread per task, see {@link PeriodicTasks}.
 */
final class SpoolMaintenance implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolMaintenance.class);

  private static final Duration SPACE_INTERVAL = Duration.ofSeconds(1);
  private static final Duration UPLOAD_INTERVAL = Duration.ofMinutes(1);

  /** Longer than any wait for a client's next bytes: by then the accepting node is gone. */
  static final Duration UPLOAD_AGE_MAX = Duration.ofMinutes(15);

  private static final int UPLOADS_PER_RUN = 1000;

  private static final Duration COMPACTION_INTERVAL = Duration.ofSeconds(5);

  /** A compaction pays when files exceed four times the queued bytes and this. */
  private static final long GARBAGE_MIN = 32L << 20;

  private static final Duration SCRUB_INTERVAL = Duration.ofDays(1);

  /** A tenth of what a slow disk reads; a million messages of 4 KiB take eight minutes. */
  private static final long SCRUB_BYTES_PER_SECOND = 8 << 20;

  /** Elections come first. */
  private static final Duration SCRUB_DELAY = Duration.ofSeconds(5);

  private final Spools spools;

  /** Mail needs room in all of them: the stores' and the log's. */
  private final List<Path> directories = new CopyOnWriteArrayList<>();

  private final Map<Path, FileStore> fileStores = new HashMap<>();
  private final long minFree;
  private final Clock clock;
  private volatile boolean diskFull;
  private final Map<String, SpoolCounters> lastCounters = new HashMap<>();
  private final Map<String, SpoolCounters> compactedCounters = new HashMap<>();
  private final PeriodicTasks tasks = new PeriodicTasks();

  SpoolMaintenance(Spools spools, Path directory, long minFree, Clock clock) {
    this.spools = spools;
    directories.add(directory);
    this.minFree = minFree;
    this.clock = clock;
  }

  void start() {
    tasks.start("spool-space", SPACE_INTERVAL, this::checkSpace);
    tasks.start("spool-uploads", UPLOAD_INTERVAL, UPLOAD_INTERVAL, this::abortOldUploads);
    tasks.start(
        "spool-compaction", COMPACTION_INTERVAL, COMPACTION_INTERVAL, this::compactIdleSpools);
    tasks.start("spool-scrub", SCRUB_DELAY, SCRUB_INTERVAL, this::scrub);
  }

  void watchSpace(Path directory) {
    directories.add(directory);
    checkSpace();
  }

  /** Whether less than {@code spool.min_free} is left. */
  boolean isDiskFull() {
    return diskFull;
  }

  synchronized void checkSpace() {
    boolean wasFull = diskFull;
    Optional<Path> full = directories.stream().filter(this::isBelowMinFree).findFirst();
    diskFull = full.isPresent();
    if (diskFull == wasFull) return;
    if (diskFull) LOG.warn("event=disk_full path={} spool.min_free={}", full.get(), minFree);
    else LOG.info("event=disk_has_room paths={} spool.min_free={}", directories, minFree);
  }

  private boolean isBelowMinFree(Path directory) {
    try {
      FileStore store = fileStores.get(directory);
      if (store == null) { // found once: the look-up reads the whole table of mounts
        store = Files.getFileStore(directory);
        fileStores.put(directory, store);
      }
      return store.getUsableSpace() < minFree;
    } catch (IOException e) {
      LOG.warn("event=disk_unknown path={} reason=\"{}\"", directory, e.getMessage());
      return true;
    }
  }

  /** Only the owner aborts uploads, and by an entry, so that the replicas stay equal. */
  void abortOldUploads() {
    long before = clock.millis() - UPLOAD_AGE_MAX.toMillis();
    for (Spool spool : spools.all()) {
      if (spool.ownedSpool().isEmpty()) continue;
      for (QueueId id : spool.store().uploadsBefore(before, UPLOADS_PER_RUN)) {
        LOG.info("event=upload_aborted queue_id={} spool={}", id, spool.name());
        spool
            .append(new SpoolEntry.AbortUpload(id), CommitDeadline.WITHOUT_QUORUM)
            .exceptionally(e -> ApplyResult.UNKNOWN)
            .join();
      }
    }
  }

  /**
   * Under load RocksDB itself drops the rows of ended messages, file by file. When the load ends,
   * RocksDB stops too and would keep the last of them.
   */
  private void compactIdleSpools() {
    for (Spool spool : spools.all()) {
      SpoolCounters now = spool.counters();
      boolean idle = now.equals(lastCounters.put(spool.name(), now));
      if (!idle || now.equals(compactedCounters.get(spool.name()))) continue;
      compactedCounters.put(spool.name(), now); // once per idle time, whatever it gains
      if (spool.store().fileBytes() > 4 * now.bytes() + GARBAGE_MIN) spool.compact();
    }
  }

  /** The store itself reports a checksum that does not fit, which ends the process. */
  private void scrub() throws InterruptedException {
    if (spools.all().isEmpty()) return;
    long started = System.nanoTime();
    long bytes = 0;
    for (Spool spool : spools.all()) bytes += new Scrub(spool.store()).run(this::throttle);
    spools.metrics().scrubs.increment();
    LOG.info(
        "event=spools_scrubbed spools={} bytes={} seconds={}",
        spools.all().size(),
        bytes,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started));
  }

  private void throttle(long bytes) throws InterruptedException {
    spools.metrics().scrubbedBytes.increment((double) bytes);
    Thread.sleep(Duration.ofMillis(1 + bytes * 1000 / SCRUB_BYTES_PER_SECOND));
  }

  @Override
  public void close() {
    tasks.close();
  }
}
