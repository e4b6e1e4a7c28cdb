package org.quorumail.spool;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.SpoolQueries.Filter;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Finds messages in one store by the index that leaves least to look at: by sender, by status where
 * it is not pending, by domain, else all in the order of arrival.
 */
final class Listing {
  /** Rows that one page may look at, so that a filter that fits nothing ends soon. */
  static final int ROWS_MAX = 10_000;

  private final Filter filter;
  private final long nowMillis;

  Listing(Filter filter, long nowMillis) {
    this.filter = filter;
    this.nowMillis = nowMillis;
  }

  /**
   * What was found.
   *
   * @param lastKey the last row that was looked at
   * @param more whether there are rows after it
   */
  record Part(List<SpooledMessage> messages, byte[] lastKey, int rowsRead, boolean more) {}

  /** The rows of an index that can fit the filter: all that begin with the prefix. */
  private record Rows(ColumnFamilyHandle family, byte[] prefix) {}

  /**
   * @param after the last row that an earlier part has looked at; nothing to begin
   */
  Part read(SpoolDatabase db, byte[] after, int limit) throws RocksDBException {
    Rows rows = rows(db);
    List<SpooledMessage> found = new ArrayList<>();
    byte[] last = after;
    int read = 0;
    try (ReadOptions options = SpoolStore.scan();
        RocksIterator it = db.db.newIterator(rows.family, options)) {
      it.seek(after.length == 0 ? rows.prefix : after);
      if (after.length > 0 && it.isValid() && Arrays.equals(it.key(), after)) it.next();
      for (; it.isValid() && Keys.startsWith(it.key(), rows.prefix); it.next()) {
        if (found.size() >= limit || read >= ROWS_MAX) return new Part(found, last, read, true);
        last = it.key();
        read++;
        SpooledMessage message = message(db, rows, it);
        if (message != null && filter.fits(message, nowMillis)) found.add(message);
      }
      it.status();
    }
    return new Part(found, last, read, false);
  }

  /** The first in the order of ids, which is that of arrival. */
  static Optional<QueueId> oldest(SpoolDatabase db) throws RocksDBException {
    try (RocksIterator it = db.db.newIterator(db.messages)) {
      it.seekToFirst();
      Optional<QueueId> first =
          it.isValid() ? Optional.of(Keys.lastId(it.key())) : Optional.empty();
      it.status();
      return first;
    }
  }

  private Rows rows(SpoolDatabase db) {
    if (filter.sender().isPresent()) return new Rows(db.index, Keys.senders(filter.sender().get()));
    Optional<MessageStatus> status = filter.status();
    if (status.isPresent() && status.get() != MessageStatus.PENDING) {
      return new Rows(db.index, Keys.statuses(status.get()));
    }
    if (filter.domain().isPresent()) {
      return new Rows(db.due, Keys.dueOf(filter.domain().get().toLowerCase(Locale.ROOT)));
    }
    return new Rows(db.messages, new byte[0]);
  }

  private static @Nullable SpooledMessage message(SpoolDatabase db, Rows rows, RocksIterator it)
      throws RocksDBException {
    byte[] row =
        rows.family == db.messages
            ? it.value()
            : db.db.get(db.messages, Keys.message(Keys.lastId(it.key())));
    return row == null ? null : SpoolStore.stored(row).message();
  }
}
