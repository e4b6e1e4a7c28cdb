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
final class SpoolUpkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolUpkeep.class);

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
  private volatile boolean full;
  private volatile boolean closed;
  private final Map<String, Counters> lastSeen = new HashMap<>();
  private final Map<String, Counters> compactedAt = new HashMap<>();
  private final List<Thread> threads = new ArrayList<>();

  SpoolUpkeep(Spools spools, Path directory, long minFree, Clock clock) {
    this.spools = spools;
    directories.add(directory);
    this.minFree = minFree;
    this.clock = clock;
  }

  void start() {
    checkSpace();
    repeat("spool-space", SPACE_INTERVAL, this::checkSpace);
    repeat("spool-uploads", UPLOAD_INTERVAL, this::abortOldUploads);
    repeat("spool-garbage", GARBAGE_INTERVAL, this::compactWhatIsQuiet);
    threads.add(Thread.ofVirtual().name("spool-scrub").start(this::scrubDaily));
  }

  void watchSpace(Path directory) {
    directories.add(directory);
    checkSpace();
  }

  /** Whether less than {@code spool.min_free} is left. */
  boolean isFull() {
    return full;
  }

  /** By the owner only, by entry: so the replicas stay equal. */
  void abortOldUploads() {
    long before = clock.millis() - UPLOAD_AGE_MAX.toMillis();
    for (Spool spool : spools.all()) {
      if (spool.owned().isEmpty()) continue;
      for (QueueId id : spool.store().uploadsBefore(before, UPLOADS_PER_TURN)) {
        LOG.info("event=upload_aborted queue_id={} spool={}", id, spool.name());
        spool
            .append(new Entry.AbortUpload(id), Patience.SHORT)
            .exceptionally(e -> Answer.UNKNOWN)
            .join();
      }
    }
  }

  /**
   * Under load the database throws away by itself what ended messages leave, file by file; when the
   * load ends it stops, and would keep the last of it.
   */
  private void compactWhatIsQuiet() {
    for (Spool spool : spools.all()) {
      if (!spool.isOpen()) continue;
      Counters now = spool.counters();
      boolean quiet = now.equals(lastSeen.put(spool.name(), now));
      if (!quiet || now.equals(compactedAt.get(spool.name()))) continue;
      compactedAt.put(spool.name(), now); // once per quiet time, whatever it brings
      if (spool.fileBytes() > 4 * now.bytes() + GARBAGE_MIN) spool.compact();
    }
  }

  private void scrubDaily() {
    try {
      do Thread.sleep(SCRUB_AFTER_START);
      while (!closed && !areOpen());
      while (!closed) {
        attempt(this::scrub);
        Thread.sleep(SCRUB_INTERVAL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A slow machine opens its groups one after the other; a node that joins has none for long. */
  private boolean areOpen() {
    List<Spool> all = spools.all();
    return !all.isEmpty() && all.stream().allMatch(Spool::isOpen);
  }

  /** What does not fit its checksum is told by the store itself, and ends the process. */
  private void scrub() {
    long begun = System.nanoTime();
    long bytes = 0;
    try {
      for (Spool spool : spools.all()) bytes += new Scrub(spool.store()).run(this::pace);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    spools.meters().scrubs.increment();
    LOG.info(
        "event=spools_scrubbed spools={} bytes={} seconds={}",
        spools.all().size(),
        bytes,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun));
  }

  private void pace(long bytes) throws InterruptedException {
    spools.meters().scrubbedBytes.increment((double) bytes);
    Thread.sleep(Duration.ofMillis(1 + bytes * 1000 / SCRUB_BYTES_PER_SECOND));
  }

  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
  }

  private synchronized void checkSpace() {
    boolean was = full;
    Optional<Path> shortOf = directories.stream().filter(this::isBelowFloor).findFirst();
    full = shortOf.isPresent();
    if (full == was) return;
    if (full) LOG.warn("event=disk_full path={} spool.min_free={}", shortOf.get(), minFree);
    else LOG.info("event=disk_has_room paths={} spool.min_free={}", directories, minFree);
  }

  private boolean isBelowFloor(Path directory) {
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
        attempt(work);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void attempt(Runnable work) {
    try {
      work.run();
    } catch (IllegalStateException | UncheckedIOException e) {
      if (!closed) LOG.warn("event=upkeep_failed reason=\"{}\"", e.getMessage());
    }
  }
}
