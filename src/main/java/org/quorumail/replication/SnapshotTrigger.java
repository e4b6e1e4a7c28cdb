package org.quorumail.replication;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Decides when a snapshot is due: by bytes of entries, which bounds the log on disk, or by time.
 * Ratis itself counts entries only, and an entry may be a byte or a megabyte.
 */
final class SnapshotTrigger {
  private final long bytesMax;
  private final long intervalNanos;
  private final Runnable request;
  private final AtomicBoolean requested = new AtomicBoolean();

  /** The idle time after which a snapshot disturbs nobody and frees the log. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(20);

  /** The least bytes that are worth an early snapshot. */
  private static final long IDLE_BYTES_MIN = 1 << 20;

  private volatile long bytes;
  private volatile long appliedAt = System.nanoTime();
  private volatile long takenAt = System.nanoTime();

  SnapshotTrigger(long bytesMax, Duration interval, Runnable request) {
    this.bytesMax = bytesMax;
    this.intervalNanos = interval.toNanos();
    this.request = request;
  }

  /** Called by the applying thread alone. */
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void entryApplied(int size) {
    bytes += size;
    appliedAt = System.nanoTime();
    if (bytes >= bytesMax) request();
  }

  /** Called every second: an applied entry must not wait forever for its snapshot. */
  void tick() {
    long now = System.nanoTime();
    if (bytes > 0 && now - takenAt >= intervalNanos) request();
    if (bytes >= IDLE_BYTES_MIN && now - appliedAt >= IDLE_NANOS) request();
  }

  /** Called by the applying thread alone. */
  void snapshotTaken() {
    bytes = 0;
    takenAt = System.nanoTime();
    requested.set(false);
  }

  /** The request has failed; the next entry may request again. */
  void requestFailed() {
    requested.set(false);
  }

  private void request() {
    if (requested.compareAndSet(false, true)) request.run();
  }
}
