package org.quorumail.spool;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.mail.QueueId;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/** The changes of one log entry to the requests that a spool knows by their keys. */
final class RequestChanges {
  /** Each new key makes room for itself and for some that lasted too long. */
  private static final int FORGET_MAX = 4;

  private static final byte[] NO_VALUE = {};

  private final SpoolStore store;
  private final SpoolDatabase db;
  private final WriteBatch batch;
  private final Map<String, AcceptedRequest> added = new HashMap<>();
  private final Set<String> forgotten = new HashSet<>();
  private long count = -1;
  private long addedMillis = Long.MAX_VALUE; // the earliest of this entry

  RequestChanges(SpoolStore store, SpoolDatabase db, WriteBatch batch) {
    this.store = store;
    this.db = db;
    this.batch = batch;
  }

  Optional<AcceptedRequest> find(RequestKey key) {
    byte[] row = RowKeys.request(key.request(), key.index());
    String name = name(row);
    AcceptedRequest here = added.get(name);
    if (here != null) return Optional.of(here);
    return forgotten.contains(name) ? Optional.empty() : store.requests().find(row);
  }

  /** Adds a request; one of the same key that lasted too long gives way. */
  void add(RequestKey key, QueueId id, long atMillis) throws IOException {
    byte[] row = RowKeys.request(key.request(), key.index());
    Optional<AcceptedRequest> old = find(key);
    if (old.isPresent()) forget(RowKeys.requestTime(old.get().atMillis(), row));
    if (count < 0) count = store.requests().count();
    for (byte[] time : store.requests().oldest(FORGET_MAX + forgotten.size())) {
      boolean late = RowKeys.requestTime(time) <= atMillis - AcceptedRequest.KEPT_MILLIS;
      if (late || count >= AcceptedRequest.KEPT_MAX) forget(time);
    }
    AcceptedRequest request = new AcceptedRequest(key.index(), id, key.body(), atMillis);
    put(row, request.row());
    put(RowKeys.requestTime(atMillis, row), NO_VALUE);
    added.put(name(row), request);
    forgotten.remove(name(row));
    setCount(count + 1);
    addedMillis = Math.min(addedMillis, atMillis);
  }

  /** Called when the rows are written: a scan before would not see them. */
  void committed() {
    if (addedMillis != Long.MAX_VALUE) store.requests().added(addedMillis);
  }

  private void forget(byte[] timeRow) throws IOException {
    byte[] row = RowKeys.requestOfTime(timeRow);
    if (added.containsKey(name(row)) || !forgotten.add(name(row))) return;
    if (count < 0) count = store.requests().count();
    try {
      batch.delete(db.meta, timeRow);
      batch.delete(db.meta, row);
    } catch (RocksDBException e) {
      throw new IOException("a change cannot be added to the batch: " + e.getMessage(), e);
    }
    setCount(count - 1);
  }

  private void setCount(long changed) throws IOException {
    count = changed;
    put(RowKeys.REQUEST_COUNT, new ByteWriter(8).i64(changed).finish());
  }

  private void put(byte[] key, byte[] value) throws IOException {
    try {
      batch.put(db.meta, key, value);
    } catch (RocksDBException e) {
      throw new IOException("a change cannot be added to the batch: " + e.getMessage(), e);
    }
  }

  private static String name(byte[] row) {
    return HexFormat.of().formatHex(row);
  }
}
