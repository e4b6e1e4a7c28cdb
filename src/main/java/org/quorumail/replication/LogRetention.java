package org.quorumail.replication;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.stream.LongStream;

/**
 * Decides how far a replica purges its log after a snapshot. A leader keeps the entries that a
 * follower lacks, for one that answers and for one that receives a snapshot. Otherwise a follower
 * would need the next snapshot as soon as it has installed one, and never catch up under load.
 *
 * <p>What is kept is bounded by bytes and by entries. A follower that lacks more gets a snapshot.
 * The sizes are known by the marks that each snapshot leaves.
 */
final class LogRetention {
  /** Ratis keeps some 60 bytes in the heap for each entry on disk. */
  static final long ENTRIES_MAX = 100_000;

  /** Bounds the marks; each stands for up to 64 MB of entries. */
  private static final int MARKS_MAX = 1024;

  private final Deque<Mark> marks = new ArrayDeque<>();

  /** The bytes that were applied since the start; written by the applying thread alone. */
  private volatile long bytes;

  private long purged;
  private volatile boolean released;

  /** The bytes that were applied up to an index. */
  private record Mark(long index, long bytes) {}

  /** Starts again at an index below which nothing is known of the log. */
  synchronized void restart(long index) {
    marks.clear();
    marks.add(new Mark(index, bytes));
    purged = index;
  }

  /** Called by the applying thread alone. */
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void entryApplied(int size) {
    bytes += size;
  }

  /** Called by the applying thread alone. */
  synchronized void snapshotTaken(long index) {
    if (marks.size() == MARKS_MAX) marks.removeFirst();
    marks.add(new Mark(index, bytes));
  }

  /** Lets the next purge spare nothing, since the disk is full. */
  void release() {
    released = true;
  }

  /** The last index that was purged. */
  synchronized long purged() {
    return purged;
  }

  /**
   * Returns the last index to purge, which never decreases.
   *
   * @param snapshot the index of the latest snapshot
   * @param bytesMax the most bytes of entries to keep
   * @param matches the last entry of each follower, or of the snapshot that it receives
   */
  synchronized long purge(long snapshot, long bytesMax, LongStream matches) {
    long lowest = released ? snapshot : lowestToKeep(snapshot, bytesMax);
    released = false;
    // an append to a follower names the entry before it, which is therefore kept too
    long limit = matches.map(match -> match - 1).filter(i -> i >= lowest).min().orElse(snapshot);
    purged = Math.max(purged, Math.min(limit, snapshot));
    return purged;
  }

  private long lowestToKeep(long snapshot, long bytesMax) {
    for (Mark mark : marks)
      if (bytes - mark.bytes <= bytesMax && snapshot - mark.index <= ENTRIES_MAX) return mark.index;
    return snapshot;
  }
}
