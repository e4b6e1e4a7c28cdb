package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.spool.TestMessages.NOW;
import static org.quorumail.spool.TestMessages.id;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.rocksdb.RocksDBException;

/** Each row that is missing or too many is found. */
class StoreInvariantsTest {
  @TempDir Path directory;
  private StoreMemory memory;
  private SpoolStore store;

  @BeforeEach
  void open() throws IOException {
    memory = new StoreMemory();
    store = new SpoolStore(directory.resolve("spool"), memory);
    store.open();
    try (EntryTransaction entry = store.beginTransaction()) {
      entry.content(id(1), 0, ByteSlice.of(new byte[1]));
      entry.create(
          new StoredMessage(TestMessages.spooled(id(1), 1, "a@one.example"), ByteSlice.EMPTY, 1));
      entry.commit(new LogPosition(1, 1));
    }
    assertThat(holds()).isTrue();
  }

  @AfterEach
  void close() {
    change(SpoolDatabase::close); // past the store, whose close checks the invariants too
    memory.close();
  }

  @Test
  void aMissingDueRow() {
    change(db -> db.db.delete(db.due, RowKeys.due("one.example", NOW, id(1))));
    assertThatThrownBy(this::holds).hasMessageContaining("due rows that are missing");
  }

  @Test
  void aDueRowTooMany() {
    change(db -> db.db.put(db.due, RowKeys.due("two.example", NOW, id(1)), new byte[0]));
    assertThatThrownBy(this::holds).hasMessageContaining("a due row");
  }

  @Test
  void aMissingSender() {
    change(
        db ->
            db.db.delete(
                db.index,
                EntryTransaction.sender(TestMessages.spooled(id(1), 1, "a@one.example"))));
    assertThatThrownBy(this::holds).hasMessageContaining("index rows that are missing");
  }

  @Test
  void aMissingContent() {
    change(db -> db.db.delete(db.content, RowKeys.chunk(id(1), 0)));
    assertThatThrownBy(this::holds).hasMessageContaining("chunks");
  }

  @Test
  void countersThatCountAnotherMessage() {
    assertThatThrownBy(() -> store.read(db -> StoreInvariants.hold(db, SpoolCounters.NONE)))
        .hasMessageContaining("counters");
  }

  @Test
  void thePositionOnlyGrows() throws IOException {
    for (LogPosition old : new LogPosition[] {new LogPosition(1, 1), new LogPosition(0, 2)}) {
      try (EntryTransaction entry = store.beginTransaction()) {
        assertThatThrownBy(() -> entry.commit(old)).isInstanceOf(IllegalStateException.class);
      }
    }
    assertThat(store.applied()).isEqualTo(new LogPosition(1, 1));
  }

  private boolean holds() {
    return store.read(db -> StoreInvariants.hold(db, store.counters()));
  }

  private interface RowChange {
    void apply(SpoolDatabase db) throws RocksDBException;
  }

  private void change(RowChange change) {
    store.read(
        db -> {
          change.apply(db);
          return db;
        });
  }
}
