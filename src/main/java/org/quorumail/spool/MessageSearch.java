package org.quorumail.spool;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.SpoolQueries.MessageCriteria;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * A search of one store through its narrowest index: by sender, by status unless it is pending, by
 * domain, else all messages in the order of arrival.
 */
final class MessageSearch {
  /** The most rows that one page reads, so that a query without matches ends soon. */
  static final int ROWS_MAX = 10_000;

  /** The rows between two looks at the clock. */
  private static final int CLOCK_ROWS = 100;

  private final MessageCriteria filter;
  private final long nowMillis;

  MessageSearch(MessageCriteria filter, long nowMillis) {
    this.filter = filter;
    this.nowMillis = nowMillis;
  }

  /**
   * The matches of one page.
   *
   * @param lastKey the last row that was read
   * @param hasMore whether there are rows after it
   */
  record Matches(List<SpooledMessage> messages, byte[] lastKey, int rowsRead, boolean hasMore) {}

  /**
   * The rows of an index that can match: all that begin with the prefix.
   *
   * @param senders whether the rows are those of all senders, whose keys hold the sender
   */
  private record Rows(ColumnFamilyHandle columnFamily, byte[] prefix, boolean senders) {
    Rows(ColumnFamilyHandle columnFamily, byte[] prefix) {
      this(columnFamily, prefix, false);
    }
  }

  /**
   * @param after the last row that an earlier page has read; empty to begin
   */
  Matches search(SpoolDatabase db, byte[] after, int limit) throws RocksDBException {
    Rows rows = narrowestIndex(db);
    List<SpooledMessage> found = new ArrayList<>();
    byte[] last = after;
    int read = 0;
    try (ReadOptions options = SpoolStore.scanOptions();
        RocksIterator it = db.db.newIterator(rows.columnFamily, options)) {
      it.seek(after.length == 0 ? rows.prefix : after);
      if (after.length > 0 && it.isValid() && Arrays.equals(it.key(), after)) it.next();
      for (; it.isValid() && RowKeys.startsWith(it.key(), rows.prefix); it.next()) {
        if (found.size() >= limit || read >= ROWS_MAX) return new Matches(found, last, read, true);
        last = it.key();
        read++;
        if (rows.senders && !RowKeys.senderBegins(last, filter.sender().orElse(""))) continue;
        SpooledMessage message = message(db, rows, it);
        if (message != null && filter.matches(message, nowMillis)) found.add(message);
      }
      it.status();
    }
    return new Matches(found, last, read, false);
  }

  /**
   * Passes all matches to a consumer, until a time.
   *
   * @return the last row that was read; empty when there is none after it
   */
  Optional<byte[]> walk(
      SpoolDatabase db, byte[] after, long untilNanos, Consumer<SpooledMessage> found)
      throws RocksDBException {
    Rows rows = narrowestIndex(db);
    int read = 0;
    try (ReadOptions options = SpoolStore.scanOptions();
        RocksIterator it = db.db.newIterator(rows.columnFamily, options)) {
      it.seek(after.length == 0 ? rows.prefix : after);
      if (after.length > 0 && it.isValid() && Arrays.equals(it.key(), after)) it.next();
      for (; it.isValid() && RowKeys.startsWith(it.key(), rows.prefix); it.next()) {
        byte[] key = it.key();
        boolean wanted = !rows.senders || RowKeys.senderBegins(key, filter.sender().orElse(""));
        SpooledMessage message = wanted ? message(db, rows, it) : null;
        if (message != null && filter.matches(message, nowMillis)) found.accept(message);
        boolean isTimeUp = ++read % CLOCK_ROWS == 0 && System.nanoTime() - untilNanos > 0;
        if (isTimeUp) return Optional.of(key);
      }
      it.status();
    }
    return Optional.empty();
  }

  /** Returns the oldest message: the order of ids is that of arrival. */
  static Optional<QueueId> oldest(SpoolDatabase db) throws RocksDBException {
    try (RocksIterator it = db.db.newIterator(db.messages)) {
      it.seekToFirst();
      Optional<QueueId> first =
          it.isValid() ? Optional.of(RowKeys.trailingId(it.key())) : Optional.empty();
      it.status();
      return first;
    }
  }

  private Rows narrowestIndex(SpoolDatabase db) {
    if (filter.sender().isPresent())
      return new Rows(db.index, RowKeys.senderPrefix(""), true); // the index keeps the case
    Optional<MessageStatus> status = filter.status();
    if (status.isPresent() && status.get() != MessageStatus.PENDING) {
      return new Rows(db.index, RowKeys.statusPrefix(status.get()));
    }
    if (filter.domain().isPresent() && !filter.isStable()) {
      return new Rows(db.due, RowKeys.duePrefix(filter.domain().get().toLowerCase(Locale.ROOT)));
    }
    return new Rows(db.messages, new byte[0]);
  }

  private static @Nullable SpooledMessage message(SpoolDatabase db, Rows rows, RocksIterator it)
      throws RocksDBException {
    byte[] row =
        rows.columnFamily == db.messages
            ? it.value()
            : db.db.get(db.messages, RowKeys.message(RowKeys.trailingId(it.key())));
    return row == null ? null : SpoolStore.stored(row).message();
  }
}
