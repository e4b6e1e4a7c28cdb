package org.quorumail.spool;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.quorumail.replication.LogPosition;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;

/**
 * The digest of a replica: SHA-256 over all rows of all column families, in order, at one position.
 * Replicas at equal positions have equal digests.
 */
record StoreDigest(LogPosition position, String sha256) {
  static StoreDigest of(SpoolDatabase db) throws RocksDBException {
    MessageDigest sha = newSha256();
    Snapshot snapshot = db.db.getSnapshot();
    try (ReadOptions atSnapshot = SpoolStore.scanOptions().setSnapshot(snapshot)) {
      LogPosition position = SpoolStore.position(db.db.get(db.meta, atSnapshot, RowKeys.APPLIED));
      for (ColumnFamilyHandle family : db.families) {
        try (RocksIterator it = db.db.newIterator(family, atSnapshot)) {
          if (family == db.events() && isEmpty(it)) continue; // it may not be there elsewhere
          add(it, sha);
        }
      }
      return new StoreDigest(position, HexFormat.of().formatHex(sha.digest()));
    } finally {
      db.db.releaseSnapshot(snapshot);
    }
  }

  private static boolean isEmpty(RocksIterator it) throws RocksDBException {
    it.seekToFirst();
    it.status();
    return !it.isValid();
  }

  private static void add(RocksIterator it, MessageDigest sha) throws RocksDBException {
    int rows = 0;
    for (it.seekToFirst(); it.isValid(); it.next()) {
      add(it.key(), sha);
      add(it.value(), sha);
      rows++;
    }
    it.status();
    sha.update(ByteBuffer.allocate(4).putInt(rows).flip());
  }

  private static void add(byte[] bytes, MessageDigest sha) {
    sha.update(ByteBuffer.allocate(4).putInt(bytes.length).flip());
    sha.update(bytes);
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
