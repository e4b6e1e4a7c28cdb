package org.quorumail.spool;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.spool.EventRows.Segment;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.Range;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SizeApproximationFlag;
import org.rocksdb.Slice;

/**
 * Bounds the events of a spool by age and size. The owner of the spool begins a segment every hour
 * or sooner, and drops the oldest segments by an entry, so every replica drops the same. Called by
 * one thread.
 */
final class EventRetention {
  /** A week has 168; a segment that is an hour too old harms nobody. */
  private static final Duration SEGMENT_AGE = Duration.ofHours(1);

  /** The parts of the allowed bytes at which a segment ends. */
  private static final int SEGMENTS_OF_SIZE = 32;

  private final Duration maxAge;
  private final long maxBytes;
  private final Clock clock;

  EventRetention(Duration maxAge, long maxBytes, Clock clock) {
    this.maxAge = maxAge;
    this.maxBytes = maxBytes;
    this.clock = clock;
  }

  /**
   * Cuts and drops segments of a spool if need be; its owner calls this.
   *
   * @param isDiskFull whether half of the events must go, since they are worth less than new mail
   */
  void apply(Spool spool, boolean isDiskFull) {
    Optional<SpoolEntry.EventSegment> next = spool.store().read(db -> next(sizes(db), isDiskFull));
    next.ifPresent(
        entry ->
            spool
                .append(entry, CommitDeadline.WITHOUT_QUORUM)
                .exceptionally(e -> ApplyResult.UNKNOWN)
                .join());
  }

  /** A segment and its bytes. */
  record SizedSegment(Segment segment, long bytes) {}

  /** The next cut; empty when none is due. */
  Optional<SpoolEntry.EventSegment> next(List<SizedSegment> segments, boolean isDiskFull) {
    if (segments.isEmpty()) return Optional.empty();
    long now = clock.millis();
    SizedSegment last = segments.getLast();
    int kept = firstKept(segments, now, isDiskFull);
    boolean drops = kept > segments.getFirst().segment.number();
    boolean ends =
        now - last.segment.atMillis() >= SEGMENT_AGE.toMillis()
            || last.bytes >= maxBytes / SEGMENTS_OF_SIZE;
    if (!drops && !ends) return Optional.empty();
    return Optional.of(new SpoolEntry.EventSegment(last.segment.number() + 1, kept, now));
  }

  /** The number of the oldest segment that stays. A segment ends with the beginning of the next. */
  private int firstKept(List<SizedSegment> segments, long now, boolean isDiskFull) {
    long total = segments.stream().mapToLong(SizedSegment::bytes).sum();
    long allowed = isDiskFull ? Math.min(maxBytes, total / 2) : maxBytes;
    long oldest = now - maxAge.toMillis();
    for (int i = 0; i < segments.size(); i++) {
      long end = i + 1 < segments.size() ? segments.get(i + 1).segment.atMillis() : now;
      if (total <= allowed && end >= oldest) return segments.get(i).segment.number();
      total -= segments.get(i).bytes;
    }
    return segments.getLast().segment.number() + 1;
  }

  private static List<SizedSegment> sizes(SpoolDatabase db)
      throws RocksDBException, java.io.IOException {
    ColumnFamilyHandle family = db.events();
    List<Segment> segments = new ArrayList<>();
    if (family == null) return List.of();
    try (RocksIterator it = db.db.newIterator(family)) {
      it.seekToFirst();
      while (it.isValid()) {
        int number = EventKeys.segmentOf(it.key());
        segments.add(EventRows.segment(number, it.value()));
        it.seek(EventKeys.segment(number + 1));
      }
      it.status();
    }
    List<SizedSegment> sized = new ArrayList<>();
    for (Segment s : segments) sized.add(new SizedSegment(s, bytes(db, family, s)));
    return sized;
  }

  private static long bytes(SpoolDatabase db, ColumnFamilyHandle family, Segment s) {
    try (Slice first = new Slice(EventKeys.segment(s.number()));
        Slice end = new Slice(EventKeys.segment(s.number() + 1))) {
      return db.db
          .getApproximateSizes(
              family,
              List.of(new Range(first, end)),
              SizeApproximationFlag.INCLUDE_FILES,
              SizeApproximationFlag.INCLUDE_MEMTABLES)[0];
    }
  }
}
