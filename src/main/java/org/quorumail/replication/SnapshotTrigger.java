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

  /** When nothing has come for so long, a snapshot costs nobody anything and frees the log. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(20);

  /** Less is not worth a snapshot before its time. */
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

  /** Called from time to time: something applied must not wait for ever. */
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

  /** The request came to nothing; the next entry may ask again. */
  void requestFailed() {
    requested.set(false);
  }

  private void request() {
    if (requested.compareAndSet(false, true)) request.run();
  }
}
