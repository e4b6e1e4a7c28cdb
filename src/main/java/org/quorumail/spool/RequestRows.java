package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.rocksdb.RocksIterator;

/** The rows of a store about requests that were accepted under a key. Thread-safe. */
final class RequestRows {
  private final SpoolStore store;

  /**
   * No row by time is older, so that no scan begins in what was deleted; it only makes scans
   * shorter.
   */
  private volatile long oldestMillis;

  RequestRows(SpoolStore store) {
    this.store = store;
  }

  Optional<AcceptedRequest> find(byte[] row) {
    byte[] value = store.read(db -> db.db.get(db.meta, row));
    return value == null ? Optional.empty() : Optional.of(request(value));
  }

  /** The messages that were accepted under the key of a request. */
  List<AcceptedRequest> of(String request) {
    byte[] prefix = RowKeys.requestPrefix(request);
    return store.read(
        db -> {
          List<AcceptedRequest> all = new ArrayList<>();
          try (RocksIterator it = db.db.newIterator(db.meta)) {
            for (it.seek(prefix); it.isValid(); it.next()) {
              if (!RowKeys.startsWith(it.key(), prefix)) break;
              all.add(request(it.value()));
            }
            it.status();
          }
          return all;
        });
  }

  long count() {
    byte[] row = store.read(db -> db.db.get(db.meta, RowKeys.REQUEST_COUNT));
    return row == null ? 0 : ByteBuffer.wrap(row).getLong();
  }

  /** The rows by time of the oldest requests. */
  List<byte[]> oldest(int limit) {
    byte[] prefix = RowKeys.requestTimePrefix();
    byte[] from = RowKeys.requestTime(oldestMillis, new byte[0]);
    return store.read(
        db -> {
          List<byte[]> all = new ArrayList<>();
          try (RocksIterator it = db.db.newIterator(db.meta)) {
            for (it.seek(from); it.isValid() && all.size() < limit; it.next()) {
              if (!RowKeys.startsWith(it.key(), prefix)) break;
              all.add(it.key());
            }
            it.status();
          }
          if (!all.isEmpty()) oldestMillis = RowKeys.requestTime(all.getFirst());
          return all;
        });
  }

  /** Called when a row is added, which may be older than all others. */
  void added(long atMillis) {
    oldestMillis = Math.min(oldestMillis, Math.max(0, atMillis));
  }

  /** Called when other rows have taken the place of all. */
  void replaced() {
    oldestMillis = 0;
  }

  private static AcceptedRequest request(byte[] row) {
    try {
      return AcceptedRequest.of(row);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
