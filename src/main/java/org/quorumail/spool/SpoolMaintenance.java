package org.quorumail.spool;

import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

  private static final Duration EVENTS_INTERVAL = Duration.ofMinutes(1);

  private static final Duration COMPACTION_INTERVAL = Duration.ofSeconds(5);

  /** A compaction pays when files exceed four times the queued bytes and this. */
  private static final long GARBAGE_MIN = 32L << 20;

  /** The same while the disk is full. */
  private static final long GARBAGE_MIN_FULL = 8L << 20;

  private static final Duration RELIEF_INTERVAL = Duration.ofSeconds(10);

  private static final Duration SCRUB_INTERVAL = Duration.ofDays(1);

  /** A tenth of what a slow disk reads; a million messages of 4 KiB take eight minutes. */
  private static final long SCRUB_BYTES_PER_SECOND = 8 << 20;

  /** Elections come first. */
  private static final Duration SCRUB_DELAY = Duration.ofSeconds(5);

  private final Spools spools;

  private final DiskSpace space;
  private final EventRetention events;
  private final Clock clock;
  private final Map<String, SpoolCounters> lastCounters = new ConcurrentHashMap<>();
  private final Map<String, SpoolCounters> compactedCounters = new ConcurrentHashMap<>();
  private final PeriodicTasks tasks = new PeriodicTasks();

  SpoolMaintenance(Spools spools, long minFree, EventRetention events, Clock clock) {
    this.events = events;
    this.spools = spools;
    this.space = new DiskSpace(minFree, this::unwritten);
    this.clock = clock;
  }

  void start() {
    tasks.start("spool-space", SPACE_INTERVAL, space::check);
    tasks.start("spool-relief", RELIEF_INTERVAL, RELIEF_INTERVAL, this::relieveDisk);
    tasks.start("spool-uploads", UPLOAD_INTERVAL, UPLOAD_INTERVAL, this::abortOldUploads);
    tasks.start(
        "spool-compaction", COMPACTION_INTERVAL, COMPACTION_INTERVAL, this::compactIdleSpools);
    tasks.start("spool-events", EVENTS_INTERVAL, EVENTS_INTERVAL, this::boundEvents);
    tasks.start("spool-scrub", SCRUB_DELAY, SCRUB_INTERVAL, this::scrub);
  }

  DiskSpace space() {
    return space;
  }

  /** The spools whose groups are open; the others may remove this node from some. */
  private List<Spool> open() {
    return spools.all().stream().filter(spool -> spool.store().isOpen()).toList();
  }

  private DiskSpace.Unwritten unwritten() {
    long bytes = 0;
    for (Spool spool : spools.all()) bytes += spool.store().unflushedBytes();
    return new DiskSpace.Unwritten(bytes, spools.all().size() + 1); // and the meta group
  }

  /**
   * Makes room while mail is refused for want of it: a snapshot shortens the log, and an older one
   * no longer holds the files of delivered mail. An idle spool gets snapshots too: its last one may
   * hold such files.
   */
  void relieveDisk() {
    if (!space.isFull()) return;
    for (Spool spool : open()) {
      SpoolCounters now = spool.counters();
      boolean isGarbage = spool.store().fileBytes() > 2 * now.bytes() + GARBAGE_MIN_FULL;
      boolean changed = !now.equals(compactedCounters.get(spool.name()));
      if (isGarbage && changed) compact(spool, now);
      spool.log().requestSnapshot();
    }
  }

  /**
   * Rewrites a spool's files when there is room: what is in memory and what is queued is written
   * before the old files are deleted. Another's writes may take the room meanwhile; the failure of
   * one spool holds back no other.
   */
  private void compact(Spool spool, SpoolCounters queued) {
    if (queued.bytes() + spool.store().unflushedBytes() >= space.usable() / 2) return;
    compactedCounters.put(spool.name(), queued);
    try {
      spool.compact();
    } catch (UncheckedIOException e) {
      LOG.warn("event=compaction_failed spool={} reason=\"{}\"", spool.name(), e.getMessage());
    }
  }

  /** Only the owner drops events, and by an entry, so that the replicas stay equal. */
  private void boundEvents() {
    for (Spool spool : open()) {
      if (spool.ownedSpool().isPresent()) events.apply(spool, space.isFull());
    }
  }

  /** Only the owner aborts uploads, and by an entry, so that the replicas stay equal. */
  void abortOldUploads() {
    long before = clock.millis() - UPLOAD_AGE_MAX.toMillis();
    for (Spool spool : open()) {
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
    for (Spool spool : open()) {
      SpoolCounters now = spool.counters();
      boolean idle = now.equals(lastCounters.put(spool.name(), now));
      if (!idle || now.equals(compactedCounters.get(spool.name()))) continue;
      boolean isGarbage = spool.store().fileBytes() > 4 * now.bytes() + GARBAGE_MIN;
      if (isGarbage) compact(spool, now); // once per idle time, whatever it gains
      else compactedCounters.put(spool.name(), now);
    }
  }

  /** The store itself reports a checksum that does not fit, which ends the process. */
  private void scrub() throws InterruptedException {
    if (spools.all().isEmpty()) return;
    long started = System.nanoTime();
    long bytes = 0;
    for (Spool spool : open()) bytes += scrub(spool);
    spools.metrics().scrubs.increment();
    LOG.info(
        "event=spools_scrubbed spools={} bytes={} seconds={}",
        spools.all().size(),
        bytes,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started));
  }

  private long scrub(Spool spool) throws InterruptedException {
    try {
      return new Scrub(spool.store()).run(this::throttle);
    } catch (IllegalStateException e) {
      if (spools.all().contains(spool)) throw e;
      return 0; // dissolved meanwhile
    }
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
