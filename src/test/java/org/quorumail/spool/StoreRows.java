package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Set;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksIterator;

/** Looks at a store from below. */
final class StoreRows {
  private StoreRows() {}

  /** Rows in the column families of these names. */
  static int count(SpoolStore store, String... names) {
    Set<String> wanted = Set.of(names);
    return store.read(
        db -> {
          int rows = 0;
          for (ColumnFamilyHandle family : db.families) {
            if (!wanted.contains(new String(family.getName(), UTF_8))) continue;
            try (RocksIterator it = db.db.newIterator(family)) {
              for (it.seekToFirst(); it.isValid(); it.next()) rows++;
            }
          }
          return rows;
        });
  }
}
