package org.quorumail.spool;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The space on the file systems of the stores and the log, and the decision whether it suffices for
 * mail. Mail needs {@code spool.min_free} after everything that the node still has to write: what
 * the stores hold in memory, and a checkpoint and a log segment of each group. Between two
 * measurements the entries that the replicas apply are deducted.
 *
 * <p>Each file system has a {@link Ballast}, which counts as free. It is released when the node
 * could not write what it has to, and restored when there is room again. Mail is refused meanwhile.
 *
 * <p>Thread-safe.
 */
final class DiskSpace {
  private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);

  /** For each group: the filler of a log segment, and the manifest of a checkpoint. */
  static final long GROUP_BYTES = 8L << 20;

  /** The pause between two measurements that sessions ask for. */
  private static final long MEASURE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** An entry is written to the log and to the store. */
  private static final int WRITES_PER_BYTE = 2;

  private final long minFree;
  private final Usage usage;
  private final List<FileSystem> systems = new ArrayList<>();

  /** The bytes that the replicas may still apply before the next measurement. */
  private final AtomicLong headroom = new AtomicLong();

  private volatile boolean full;

  /** The time of the last measurement; under the lock. */
  private long measuredNanos;

  /** The bytes that the stores of the node still have to write, and the number of its groups. */
  record Unwritten(long bytes, int groups) {
    long total() {
      return bytes + groups * GROUP_BYTES;
    }
  }

  /** The source of {@link Unwritten}; may block for the time of a replacement of a replica. */
  @FunctionalInterface
  interface Usage {
    Unwritten now();
  }

  /** One file system; {@code usable} is negative when it cannot be measured. */
  private record FileSystem(Path directory, LongSupplier usable, Ballast ballast) {}

  DiskSpace(long minFree, Usage usage) {
    this.minFree = minFree;
    this.usage = usage;
  }

  /** Watches the file system of a directory, unless it is watched already. */
  void watch(Path directory) throws IOException {
    FileStore store = Files.getFileStore(directory); // once: it reads the whole table of mounts
    synchronized (this) {
      for (FileSystem other : systems) {
        if (Files.getFileStore(other.directory).equals(store)) return;
      }
    }
    watch(directory, () -> usable(directory, store));
  }

  /** For tests: with another measurement. */
  synchronized void watch(Path directory, LongSupplier usable) {
    systems.add(new FileSystem(directory, usable, new Ballast(directory, minFree)));
  }

  /**
   * Makes sure that the stores can be opened: nothing is known of what they have to write, so each
   * ballast goes unless as much is free beside it.
   */
  synchronized void prepareOpen() {
    for (FileSystem system : systems) {
      if (system.usable.getAsLong() < system.ballast.bytes()) system.ballast.release();
    }
    measure(usage.now());
  }

  /** Whether mail must be refused. Cheap, but near the limit it measures. */
  boolean isFull() {
    if (full) return true;
    return headroom.get() < 0 && measureAgain();
  }

  private synchronized boolean measureAgain() {
    boolean isOld = System.nanoTime() - measuredNanos > MEASURE_PAUSE_NANOS;
    if (headroom.get() < 0 && isOld) measure(usage.now());
    return full || headroom.get() < 0;
  }

  /** Deducts an entry that a replica has applied. */
  void applied(long bytes) {
    headroom.addAndGet(-WRITES_PER_BYTE * bytes);
  }

  /** Measures the space; called every second. */
  void check() {
    Unwritten unwritten = usage.now(); // outside the lock, as it may wait
    synchronized (this) {
      measure(unwritten);
    }
  }

  /** The least usable bytes over all file systems. */
  synchronized long usable() {
    return systems.stream().mapToLong(s -> s.usable.getAsLong()).min().orElse(0);
  }

  private void measure(Unwritten unwritten) {
    long least = Long.MAX_VALUE;
    Path tightest = Path.of("");
    boolean complete = true;
    for (FileSystem system : systems) {
      long room = roomOf(system, unwritten.total());
      complete &= !system.ballast.isMissing();
      if (room >= least) continue;
      least = room;
      tightest = system.directory;
    }
    headroom.set(least);
    measuredNanos = System.nanoTime();
    boolean wasFull = full;
    full = least < 0 || !complete;
    if (full && !wasFull)
      LOG.warn(
          "event=disk_full path={} spool.min_free={} unwritten={} short_by={}",
          tightest,
          minFree,
          unwritten.total(),
          Math.max(0, -least));
    if (!full && wasFull) LOG.info("event=disk_has_room spool.min_free={}", minFree);
  }

  /** Returns the bytes above what mail and the node need; releases or restores the ballast. */
  private long roomOf(FileSystem system, long unwritten) {
    Ballast ballast = system.ballast;
    long usable = system.usable.getAsLong();
    if (usable < 0) return -1;
    if (usable < unwritten) {
      long before = ballast.heldBytes();
      ballast.release();
      usable += before - ballast.heldBytes();
    }
    long room = usable + ballast.heldBytes() - unwritten - minFree;
    // a quarter more, so that the ballast does not come and go
    if (ballast.isMissing() && room >= (full ? ballast.bytes() / 4 : 0)) ballast.restore();
    return room;
  }

  private static long usable(Path directory, FileStore store) {
    try {
      return store.getUsableSpace();
    } catch (IOException e) {
      LOG.warn("event=disk_unknown path={} reason=\"{}\"", directory, e.getMessage());
      return -1;
    }
  }
}
