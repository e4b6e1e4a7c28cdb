package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.spool.TestMessages.NOW;
import static org.quorumail.spool.TestMessages.id;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.quorumail.spool.SpoolCounters.FinalStatus;
import org.quorumail.spool.SpoolEntry.ByteSlice;

/** The index of what is due says the same as a plain sorted set, whatever it remembers. */
class DueIndexTest {
  @TempDir Path directory;
  private final StoreMemory memory = new StoreMemory();
  private SpoolStore store;
  private long index;

  @BeforeEach
  void open() throws IOException {
    store = new SpoolStore(directory.resolve("spool"), memory);
    store.open();
  }

  @AfterEach
  void close() {
    store.close();
    memory.close();
  }

  @Test
  void itAgreesWithASortedSetThroughAnyHistory() throws IOException {
    Random random = new Random(42);
    List<String> domains =
        List.of("", "a.example", "a.example.org", "b.example", "b", "zürich.example");
    TreeSet<DueRow> model =
        new TreeSet<>(
            Comparator.comparing(
                    (DueRow r) -> r.domain().getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    Arrays::compareUnsigned)
                .thenComparingLong(DueRow::dueMillis)
                .thenComparing(DueRow::id));
    for (int step = 0; step < 3000; step++) {
      if (model.isEmpty() || random.nextInt(100) < 52) {
        DueRow row =
            new DueRow(
                domains.get(random.nextInt(domains.size())), NOW + random.nextInt(500), id(step));
        create(row);
        model.add(row);
      } else {
        DueRow row = random.nextInt(3) == 0 ? model.last() : model.first();
        remove(row.id());
        model.remove(row);
      }
      if (step % 400 == 399) store.flush();
      if (step % 1000 == 999) reopen();
      check(model, domains.get(random.nextInt(domains.size())), NOW + random.nextInt(500));
    }
  }

  private void check(Set<DueRow> model, String domain, long until) {
    List<DueRow> due =
        model.stream()
            .filter(r -> r.domain().equals(domain) && r.dueMillis() <= until)
            .limit(7)
            .toList();
    assertThat(store.dueRows(domain, until, 7)).isEqualTo(due);
    List<DueRow> walked = new ArrayList<>();
    Optional<DueRow> next = store.firstDue();
    while (next.isPresent()) {
      walked.add(next.get());
      next = store.firstDueAfter(next.get().domain());
    }
    List<DueRow> firsts = new ArrayList<>();
    for (DueRow r : model) {
      if (firsts.isEmpty() || !firsts.getLast().domain().equals(r.domain())) firsts.add(r);
    }
    assertThat(walked).isEqualTo(firsts);
  }

  @Test
  void aWalkPassesARowWithoutADomain() throws IOException {
    create(new DueRow("", NOW, id(1)));
    create(new DueRow("a.example", NOW, id(2)));
    List<String> walked = new ArrayList<>();
    Optional<DueRow> next = store.firstDue();
    while (next.isPresent() && walked.size() < 5) {
      walked.add(next.get().domain());
      next = store.firstDueAfter(next.get().domain());
    }
    assertThat(walked).containsExactly("", "a.example");
  }

  @Test
  void aRowThatIsWrittenWhileOthersReadIsFoundAfterwards() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      readers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      while (!done.get()) {
                        store.dueRows("d.example", Long.MAX_VALUE, 3);
                        store.firstDue();
                      }
                    } catch (Throwable e) {
                      failure.set(e);
                    }
                  }));
    }
    Random random = new Random(7);
    for (int step = 0; step < 600; step++) {
      DueRow row = new DueRow("d.example", NOW + random.nextInt(1000), id(step));
      create(row);
      assertThat(store.dueRows("d.example", row.dueMillis(), 1)).as("step %d", step).contains(row);
      assertThat(store.firstDue()).contains(row);
      remove(row.id());
    }
    done.set(true);
    for (Thread t : readers) t.join();
    assertThat(failure.get()).isNull();
    assertThat(store.firstDue()).isEmpty();
  }

  @Test
  void aLongRowOfDeletedRowsAtTheFrontCostsNothing() throws IOException {
    int n = 50_000;
    for (int from = 0; from < n; from += 1000) {
      try (EntryTransaction change = store.beginTransaction()) {
        for (int i = from; i < from + 1000; i++)
          put(change, new DueRow("d.example", NOW + i, id(i)));
        change.commit(new LogPosition(1, index++));
      }
    }
    for (int from = 0; from < n - 1; from += 1000) {
      try (EntryTransaction change = store.beginTransaction()) {
        for (int i = from; i < Math.min(n - 1, from + 1000); i++) {
          change.remove(id(i), FinalStatus.COMPLETED);
        }
        change.commit(new LogPosition(1, index++));
      }
      store.dueRows("d.example", Long.MAX_VALUE, 1);
    }
    long begun = System.nanoTime();
    for (int i = 0; i < 1000; i++) {
      assertThat(store.dueRows("d.example", Long.MAX_VALUE, 1)).hasSize(1);
      assertThat(store.firstDue()).isPresent();
    }
    // 50,000 deleted rows cost some milliseconds to pass: 1,000 times that would be many seconds
    assertThat(System.nanoTime() - begun).isLessThan(2_000_000_000L);
  }

  private void create(DueRow row) throws IOException {
    try (EntryTransaction change = store.beginTransaction()) {
      put(change, row);
      change.commit(new LogPosition(1, index++));
    }
  }

  private static void put(EntryTransaction change, DueRow row) throws IOException {
    SpooledMessage message = TestMessages.spooled(row.id(), 1, "x@" + row.domain());
    var r = message.recipients().getFirst();
    change.content(row.id(), 0, ByteSlice.of(new byte[1]));
    change.create(
        new StoredMessage(
            message.withRecipients(
                List.of(
                    new SpooledMessage.RecipientState(
                        r.address(), r.status(), 0, row.dueMillis(), ""))),
            ByteSlice.EMPTY,
            1));
  }

  private void remove(QueueId id) throws IOException {
    try (EntryTransaction change = store.beginTransaction()) {
      change.remove(id, FinalStatus.COMPLETED);
      change.commit(new LogPosition(1, index++));
    }
  }

  private void reopen() throws IOException {
    store.flush();
    store.close();
    store.open();
  }
}
