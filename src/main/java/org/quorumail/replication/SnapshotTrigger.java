package org.quorumail.replication;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Decides when a snapshot is due: by bytes or number of entries, which bounds the log on disk and
 * the replay, or by time. Ratis itself counts entries only, and an entry may be a byte or a
 * megabyte.
 *
 * <p>A replica applies nothing while it takes its snapshot. Each snapshot is therefore due at a
 * random point between half of the limits and the limits. The replicas of a group, which apply the
 * same entries, then do not all stop at the same index.
 */
final class SnapshotTrigger {
  private final long bytesMax;
  private final long intervalNanos;
  private final Random random;
  private final Runnable request;
  private final AtomicBoolean requested = new AtomicBoolean();

  /** The idle time after which a snapshot disturbs nobody and frees the log. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(20);

  /** The least bytes that are worth an early snapshot. */
  private static final long IDLE_BYTES_MIN = 1 << 20;

  /** Far less than Ratis' own trigger allows, which would fire at the same index everywhere. */
  static final int ENTRIES_MAX = 10_000;

  private volatile long bytes;
  private volatile long entries;

  /** The part of both limits at which the next snapshot is due: a half to one. */
  private volatile double due;

  private volatile long appliedAt = System.nanoTime();
  private volatile long takenAt = System.nanoTime();

  SnapshotTrigger(long bytesMax, Duration interval, Runnable request) {
    this(bytesMax, interval, new Random(), request);
  }

  SnapshotTrigger(long bytesMax, Duration interval, Random random, Runnable request) {
    this.random = random;
    this.due = nextDue(random);
    this.bytesMax = bytesMax;
    this.intervalNanos = interval.toNanos();
    this.request = request;
  }

  /** Called by the applying thread alone. */
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void entryApplied(int size) {
    bytes += size;
    entries++;
    appliedAt = System.nanoTime();
    if (bytes >= due * bytesMax || entries >= due * ENTRIES_MAX) request();
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
    entries = 0;
    due = nextDue(random);
    takenAt = System.nanoTime();
    requested.set(false);
  }

  /** The request has ended, with a snapshot or without; the next entry may request again. */
  void requestEnded() {
    requested.set(false);
  }

  private static double nextDue(Random random) {
    return 0.5 + random.nextDouble() / 2;
  }

  /** Requests a snapshot unless one is requested already. */
  void request() {
    if (requested.compareAndSet(false, true)) request.run();
  }
}
