package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.quorumail.mail.QueueId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the disk's free space, after uploads that nobody finishes, and after rot: all
 * replicas are read once after the start and once a day, at a rate that leaves the disk to the
 * mail.
 */
final class SpoolMaintenance implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolMaintenance.class);

  private static final Duration SPACE_INTERVAL = Duration.ofSeconds(1);
  private static final Duration UPLOAD_INTERVAL = Duration.ofMinutes(1);

  /** Longer than any wait for a client's next bytes; then the accepting node is gone. */
  static final Duration UPLOAD_AGE_MAX = Duration.ofMinutes(15);

  private static final int UPLOADS_PER_TURN = 1000;

  private static final Duration GARBAGE_INTERVAL = Duration.ofSeconds(5);

  /** Files beyond four times what is in the queue and this are worth a compaction. */
  private static final long GARBAGE_MIN = 32L << 20;

  private static final Duration SCRUB_INTERVAL = Duration.ofDays(1);

  /** A tenth of what a slow disk reads; a million messages of 4 KiB take eight minutes. */
  private static final long SCRUB_BYTES_PER_SECOND = 8 << 20;

  /** The groups open and elect first. */
  private static final Duration SCRUB_AFTER_START = Duration.ofSeconds(5);

  private final Spools spools;

  /** Mail needs room in all of them: the stores' and the log's. */
  private final List<Path> directories = new CopyOnWriteArrayList<>();

  private final Map<Path, FileStore> stores = new HashMap<>();

  private final long minFree;
  private final Clock clock;
  private volatile boolean diskFull;
  private volatile boolean closed;
  private final Map<String, SpoolCounters> lastCounters = new HashMap<>();
  private final Map<String, SpoolCounters> compactedCounters = new HashMap<>();
  private final List<Thread> threads = new ArrayList<>();

  SpoolMaintenance(Spools spools, Path directory, long minFree, Clock clock) {
    this.spools = spools;
    directories.add(directory);
    this.minFree = minFree;
    this.clock = clock;
  }

  void start() {
    repeat("spool-space", SPACE_INTERVAL, this::checkSpace);
    repeat("spool-uploads", UPLOAD_INTERVAL, this::abortOldUploads);
    repeat("spool-garbage", GARBAGE_INTERVAL, this::compactIdleSpools);
    threads.add(Thread.ofVirtual().name("spool-scrub").start(this::scrubDaily));
  }

  void watchSpace(Path directory) {
    directories.add(directory);
    checkSpace();
  }

  /** Whether less than {@code spool.min_free} is left. */
  boolean isDiskFull() {
    return diskFull;
  }

  /** By the owner only, by entry: so the replicas stay equal. */
  void abortOldUploads() {
    long before = clock.millis() - UPLOAD_AGE_MAX.toMillis();
    for (Spool spool : spools.all()) {
      if (spool.ownedSpool().isEmpty()) continue;
      for (QueueId id : spool.store().uploadsBefore(before, UPLOADS_PER_TURN)) {
        LOG.info("event=upload_aborted queue_id={} spool={}", id, spool.name());
        spool
            .append(new SpoolEntry.AbortUpload(id), CommitDeadline.WITHOUT_QUORUM)
            .exceptionally(e -> ApplyResult.UNKNOWN)
            .join();
      }
    }
  }

  /**
   * Under load the database throws away by itself what ended messages leave, file by file; when the
   * load ends it stops, and would keep the last of it.
   */
  private void compactIdleSpools() {
    for (Spool spool : spools.all()) {
      SpoolCounters now = spool.counters();
      boolean quiet = now.equals(lastCounters.put(spool.name(), now));
      if (!quiet || now.equals(compactedCounters.get(spool.name()))) continue;
      compactedCounters.put(spool.name(), now); // once per quiet time, whatever it brings
      if (spool.store().fileBytes() > 4 * now.bytes() + GARBAGE_MIN) spool.compact();
    }
  }

  private void scrubDaily() {
    try {
      do Thread.sleep(SCRUB_AFTER_START);
      while (!closed && spools.all().isEmpty()); // a node that joins has none for long
      while (!closed) {
        runGuarded(this::scrub);
        Thread.sleep(SCRUB_INTERVAL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What does not fit its checksum is told by the store itself, and ends the process. */
  private void scrub() {
    long begun = System.nanoTime();
    long bytes = 0;
    try {
      for (Spool spool : spools.all()) bytes += new Scrub(spool.store()).run(this::throttle);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    spools.metrics().scrubs.increment();
    LOG.info(
        "event=spools_scrubbed spools={} bytes={} seconds={}",
        spools.all().size(),
        bytes,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun));
  }

  private void throttle(long bytes) throws InterruptedException {
    spools.metrics().scrubbedBytes.increment((double) bytes);
    Thread.sleep(Duration.ofMillis(1 + bytes * 1000 / SCRUB_BYTES_PER_SECOND));
  }

  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
  }

  synchronized void checkSpace() {
    boolean was = diskFull;
    Optional<Path> shortOf = directories.stream().filter(this::isBelowMinFree).findFirst();
    diskFull = shortOf.isPresent();
    if (diskFull == was) return;
    if (diskFull) LOG.warn("event=disk_full path={} spool.min_free={}", shortOf.get(), minFree);
    else LOG.info("event=disk_has_room paths={} spool.min_free={}", directories, minFree);
  }

  private boolean isBelowMinFree(Path directory) {
    try {
      FileStore store = stores.get(directory);
      if (store == null) { // found once: that reads the whole table of mounts
        store = Files.getFileStore(directory);
        stores.put(directory, store);
      }
      return store.getUsableSpace() < minFree;
    } catch (IOException e) {
      LOG.warn("event=disk_unknown path={} reason=\"{}\"", directory, e.getMessage());
      return true;
    }
  }

  private void repeat(String name, Duration interval, Runnable work) {
    threads.add(Thread.ofVirtual().name(name).start(() -> every(interval, work)));
  }

  private void every(Duration interval, Runnable work) {
    try {
      while (!closed) {
        Thread.sleep(interval);
        runGuarded(work);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void runGuarded(Runnable work) {
    try {
      work.run();
    } catch (IllegalStateException | UncheckedIOException e) {
      if (!closed) LOG.warn("event=upkeep_failed reason=\"{}\"", e.getMessage());
    }
  }
}
