package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.mail.QueueId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks after the disk's free space and after uploads that nobody finishes. */
final class SpoolUpkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolUpkeep.class);

  private static final Duration SPACE_INTERVAL = Duration.ofSeconds(1);
  private static final Duration UPLOAD_INTERVAL = Duration.ofMinutes(1);

  /** Longer than any wait for a client's next bytes; then the accepting node is gone. */
  static final Duration UPLOAD_AGE_MAX = Duration.ofMinutes(15);

  private static final int UPLOADS_PER_TURN = 1000;

  private final Spools spools;
  private final Path directory;
  private final long minFree;
  private final Clock clock;
  private volatile boolean full;
  private volatile boolean closed;
  private final List<Thread> threads = new ArrayList<>();

  SpoolUpkeep(Spools spools, Path directory, long minFree, Clock clock) {
    this.spools = spools;
    this.directory = directory;
    this.minFree = minFree;
    this.clock = clock;
  }

  void start() {
    checkSpace();
    repeat("spool-space", SPACE_INTERVAL, this::checkSpace);
    repeat("spool-uploads", UPLOAD_INTERVAL, this::abortOldUploads);
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

  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
  }

  private void checkSpace() {
    boolean was = full;
    full = isBelowFloor();
    if (full == was) return;
    if (full) LOG.warn("event=disk_full path={} spool.min_free={}", directory, minFree);
    else LOG.info("event=disk_has_room path={} spool.min_free={}", directory, minFree);
  }

  private boolean isBelowFloor() {
    try {
      return Files.getFileStore(directory).getUsableSpace() < minFree;
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
