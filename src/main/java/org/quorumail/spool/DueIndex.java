package org.quorumail.spool;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;

/**
 * The reader of the {@code due} rows: the domains with due messages, and those messages.
 *
 * <p>A queue deletes at the front, and a deleted row costs a reader as much as a live one until
 * compaction drops it. So the index remembers a <em>lower bound</em> for each domain with recent
 * writes: no row of the domain lies before it. Reads begin there. A row that is written during a
 * read lowers the bound that the reader may set.
 *
 * <p>Thread-safe; no I/O under the lock.
 */
final class DueIndex {
  /** The most domains with a lower bound; the others are read from their beginning. */
  private static final int LOWER_BOUNDS_MAX = 8192;

  /** The lower bounds by domain, in the order of the keys' bytes. */
  private final TreeMap<byte[], LowerBound> lowerBounds = new TreeMap<>(Arrays::compareUnsigned);

  private static final class LowerBound {
    /** No row of the domain has a smaller key. */
    volatile byte[] key;

    /** The smallest key written since the first of the present readers began. */
    byte @Nullable [] lowestWritten;

    int readers;

    LowerBound(byte[] key) {
      this.key = key;
    }
  }

  /** The earliest row of the first domain whose messages are not all held. */
  Optional<DueRow> first(SpoolDatabase db) throws RocksDBException {
    return firstFrom(db, new byte[0]);
  }

  /** The earliest row of the first domain after this one whose messages are not all held. */
  Optional<DueRow> firstAfter(SpoolDatabase db, String domain) throws RocksDBException {
    return firstFrom(db, RowKeys.afterDomain(domain));
  }

  private Optional<DueRow> firstFrom(SpoolDatabase db, byte[] start) throws RocksDBException {
    byte[] from = start;
    while (true) {
      byte[] known = firstKnownAfter(from);
      DueRow row = first(db, from, known);
      String next;
      if (row != null) {
        next = row.domain();
        if (row.dueMillis() != RowKeys.NEVER) return Optional.of(row);
      } else if (known != null) {
        next = RowKeys.domainOfPrefix(known);
        List<DueRow> rows = dueUntil(db, next, RowKeys.NEVER - 1, 1);
        if (!rows.isEmpty()) return Optional.of(rows.getFirst());
      } else {
        return Optional.empty();
      }
      from = RowKeys.afterDomain(next);
    }
  }

  /** Rows of the domain that are due by then, earliest first. */
  List<DueRow> dueUntil(SpoolDatabase db, String domain, long untilMillis, int limit)
      throws RocksDBException {
    byte[] name = RowKeys.duePrefix(domain);
    LowerBound bound = beginRead(name);
    byte[] start = bound == null ? name : bound.key;
    long last = Math.min(untilMillis, RowKeys.NEVER - 1);
    List<DueRow> rows = new ArrayList<>();
    byte @Nullable [] first = start; // all that a failed read proves
    try (Slice end = new Slice(RowKeys.afterDomain(domain));
        ReadOptions bounded = new ReadOptions().setIterateUpperBound(end);
        RocksIterator it = db.db.newIterator(db.due, bounded)) {
      it.seek(start);
      byte[] seen = it.isValid() ? it.key() : null;
      for (; it.isValid() && rows.size() < limit; it.next()) {
        DueRow row = RowKeys.dueRow(it.key());
        if (row.dueMillis() > last) break;
        rows.add(row);
      }
      it.status();
      first = seen;
      return rows;
    } finally {
      if (bound != null) endRead(name, bound, first);
    }
  }

  /** Lowers the bounds of rows that have just been written. */
  synchronized void rowsWritten(List<DueRow> rows) {
    for (DueRow row : rows) {
      byte[] key = RowKeys.due(row.domain(), row.dueMillis(), row.id());
      byte[] name = RowKeys.duePrefix(row.domain());
      LowerBound bound = lowerBounds.get(name);
      if (bound == null) {
        if (lowerBounds.size() == LOWER_BOUNDS_MAX) lowerBounds.pollFirstEntry();
        lowerBounds.put(name, new LowerBound(name));
        continue;
      }
      if (Arrays.compareUnsigned(key, bound.key) < 0) bound.key = key;
      byte[] meanwhile = bound.lowestWritten;
      if (bound.readers > 0 && (meanwhile == null || Arrays.compareUnsigned(key, meanwhile) < 0)) {
        bound.lowestWritten = key;
      }
    }
  }

  synchronized void clear() {
    lowerBounds.clear();
  }

  private synchronized @Nullable LowerBound beginRead(byte[] name) {
    LowerBound bound = lowerBounds.get(name);
    if (bound != null) bound.readers++;
    return bound;
  }

  /**
   * @param first the first row that the reader has seen; null when there was none
   */
  private synchronized void endRead(byte[] name, LowerBound bound, byte @Nullable [] first) {
    if (lowerBounds.get(name) != bound) return; // dropped meanwhile, perhaps with what was written
    byte[] meanwhile = bound.lowestWritten;
    byte[] lowest = first;
    if (lowest == null || (meanwhile != null && Arrays.compareUnsigned(meanwhile, lowest) < 0)) {
      lowest = meanwhile;
    }
    if (--bound.readers == 0) bound.lowestWritten = null;
    if (lowest != null) bound.key = lowest;
    else if (bound.readers == 0) lowerBounds.remove(name);
  }

  private synchronized byte @Nullable [] firstKnownAfter(byte[] from) {
    return lowerBounds.ceilingKey(from);
  }

  /** The first row at or after the key, before the bound. */
  private static @Nullable DueRow first(SpoolDatabase db, byte[] from, byte @Nullable [] before)
      throws RocksDBException {
    try (Slice end = before == null ? null : new Slice(before);
        ReadOptions bounded = new ReadOptions()) {
      if (end != null) bounded.setIterateUpperBound(end);
      try (RocksIterator it = db.db.newIterator(db.due, bounded)) {
        it.seek(from);
        DueRow row = it.isValid() ? RowKeys.dueRow(it.key()) : null;
        it.status();
        return row;
      }
    }
  }
}
