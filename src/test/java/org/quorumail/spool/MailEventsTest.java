package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.spool.TestMessages.NOW;
import static org.quorumail.spool.TestMessages.accept;
import static org.quorumail.spool.TestMessages.deferred;
import static org.quorumail.spool.TestMessages.delivered;
import static org.quorumail.spool.TestMessages.failed;
import static org.quorumail.spool.TestMessages.id;
import static org.quorumail.spool.TestMessages.to;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.EventQueries.SearchKey;
import org.quorumail.spool.MailEvent.Accepted;
import org.quorumail.spool.MailEvent.Attempted;
import org.quorumail.spool.MailEvent.Position;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.Dsn;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.rocksdb.SstFileMetaData;

/** The events of a spool's log: written with the changes, found again, dropped in segments. */
class MailEventsTest {
  private static final long TERM = 3;
  private static final byte[] CONTENT = new byte[10];
  private static final Arrival ARRIVAL =
      new Arrival(
          "192.0.2.7",
          "mail.example.com",
          "helo.example.com",
          "ESMTPSA",
          "TLSv1.3 TLS_AES_256_GCM_SHA384",
          "ada",
          "<4711@example.com>");

  @TempDir Path directory;
  private final StoreMemory memory = new StoreMemory();
  private final List<Replica> replicas = new ArrayList<>();

  @AfterEach
  void close() {
    replicas.forEach(r -> r.state.close());
    memory.close();
  }

  @Test
  void theStoryOfAMessageStaysWhenItHasGone() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(arrived(1, "bob@one.example", "eve@two.example")));
    replica.apply(outcomes(1, NOW + 10, deferred(0, NOW + 60), failed(1)));
    replica.apply(outcomes(1, NOW + 70, overTls(delivered(0))));

    assertThat(replica.store.message(id(1))).isEmpty();
    List<MailEvent> events = replica.events(id(1));
    assertThat(events.stream().map(e -> e.detail().type()))
        .containsExactly("accepted", "deferred", "bounced", "delivered");
    assertThat(events.stream().map(MailEvent::atMillis))
        .containsExactly(NOW, NOW + 10, NOW + 10, NOW + 70);
    assertThat(events.getFirst().detail())
        .isEqualTo(
            new Accepted(
                ARRIVAL,
                "sender@example.com",
                List.of("bob@one.example", "eve@two.example"),
                CONTENT.length,
                "",
                null));
    Attempted last = (Attempted) events.getLast().detail();
    assertThat(last.recipient()).isEqualTo("bob@one.example");
    assertThat(last.attempt()).isEqualTo(2);
    assertThat(last.remote()).isEqualTo("mx[192.0.2.1]");
    assertThat(last.reply()).isEqualTo("250 ok");
    assertThat(last.tls()).isEqualTo("TLSv1.3 X");
    assertThat(((Attempted) events.get(1).detail()).untilMillis()).isEqualTo(NOW + 60);
  }

  @Test
  void aMessageIsFoundByEachAddressAndItsMessageIdWhateverTheCase() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(arrived(1, "bob@one.example"), arrived(2, "eve@two.example")));
    replica.apply(accept(arrived(3, "bob@one.example")));

    assertThat(replica.find(SearchKey.RECIPIENT, "BOB@One.example", 9))
        .containsExactly(id(3), id(1));
    assertThat(replica.find(SearchKey.RECIPIENT, "bob@one.example", 1)).containsExactly(id(3));
    assertThat(replica.find(SearchKey.SENDER, "Sender@example.com", 9))
        .containsExactly(id(3), id(2), id(1));
    assertThat(replica.find(SearchKey.MESSAGE_ID, "<4711@example.com>", 9)).hasSize(3);
    assertThat(replica.find(SearchKey.MESSAGE_ID, "<4712@example.com>", 9)).isEmpty();
    assertThat(replica.find(SearchKey.RECIPIENT, "sender@example.com", 9)).isEmpty();
  }

  @Test
  void whatAnOperatorDoesIsAnEventAndARepetitionIsNone() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(arrived(1, "bob@one.example")));
    replica.apply(new SpoolEntry.Hold(id(1), NOW + 1));
    replica.apply(new SpoolEntry.Hold(id(1), NOW + 2));
    replica.apply(new SpoolEntry.Retry(id(1), NOW + 3)); // refused: it is held
    replica.apply(new SpoolEntry.Release(id(1), NOW + 4));
    replica.apply(new SpoolEntry.Retry(id(1), NOW + 5));
    replica.apply(new SpoolEntry.Remove(id(1), NOW + 6));
    replica.apply(new SpoolEntry.Remove(id(1), NOW + 7));

    assertThat(replica.events(id(1)).stream().map(e -> e.detail().type()))
        .containsExactly("accepted", "held", "released", "retried", "deleted");
  }

  @Test
  void outcomesThatAreAppliedTwiceAreOneEvent() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(arrived(1, "bob@one.example")));
    for (int i = 0; i < 3; i++) replica.apply(outcomes(1, NOW + i, deferred(0, NOW + 60)));
    assertThat(replica.events(id(1))).hasSize(2);
    replica.apply(outcomes(1, NOW + 9, TERM - 1, delivered(0)));
    assertThat(replica.events(id(1))).as("of another term").hasSize(2);
  }

  @Test
  void theReportAboutAMessageBelongsToItsStory() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(arrived(1, "bob@one.example")));
    Dsn report = new Dsn(to(id(2), CONTENT, "sender@example.com"), false);
    replica.apply(
        new SpoolEntry.Outcomes(
            TERM, List.of(new AttemptOutcomes(id(1), List.of(failed(0)), report, NOW + 5))));

    assertThat(replica.events(id(1)).stream().map(MailEvent::id))
        .containsExactly(id(1), id(1), id(2));
    assertThat(replica.events(id(2))).hasSize(1);
  }

  @Test
  void entriesOfAnOlderReleaseLeaveAStoreThatItCanOpen() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(to(id(1), CONTENT, "bob@one.example")));
    replica.apply(new SpoolEntry.Retry(id(1), NOW));
    replica.apply(TestMessages.outcomes(TERM, id(1), delivered(0)));

    assertThat(replica.events(id(1))).isEmpty();
    assertThat(replica.store.<Integer>read(db -> db.families.size())).isEqualTo(5);
  }

  @Test
  void aStoreOfAnOlderReleaseGetsEventsWithTheFirstNewEntry() throws IOException {
    Replica replica = replica("one");
    replica.apply(accept(to(id(1), CONTENT, "bob@one.example")));
    replica.store.flush();
    replica.reopen();
    replica.apply(accept(arrived(2, "bob@one.example")));
    replica.store.flush();
    replica.reopen();

    assertThat(replica.events(id(2))).hasSize(1);
    replica.apply(outcomes(1, NOW + 5, delivered(0)));
    assertThat(replica.events(id(1))).as("the rest of an older story").hasSize(1);
  }

  @Test
  void replicasHaveEqualDigestsWhenTheyFlushReplayAndInstallAtOtherMoments() throws IOException {
    List<SpoolEntry> log = log();
    Replica one = replica("one");
    for (SpoolEntry entry : log) one.apply(entry);
    Replica two = replica("two");
    for (int i = 0; i < log.size(); i++) {
      two.apply(log.get(i));
      if (i % 7 == 3) two.store.flush();
      if (i == log.size() / 2) { // a restart
        two.reopen();
        two.next = (int) two.store.applied().index() + 1;
        i = two.next - 2; // the entry behind is applied next
      }
    }
    assertThat(two.store.digest()).isEqualTo(one.store.digest());

    Path snapshot = Files.createDirectory(directory.resolve("snapshot"));
    one.state.snapshot(snapshot);
    Replica three = replica("three");
    three.state.install(snapshot);
    assertThat(three.store.digest()).isEqualTo(one.store.digest());
    assertThat(three.find(SearchKey.SENDER, "sender@example.com", 99))
        .isEqualTo(one.find(SearchKey.SENDER, "sender@example.com", 99));
  }

  @Test
  void droppedSegmentsAreGoneAndTheirFilesToo() throws IOException {
    Replica replica = replica("one");
    for (int i = 0; i < 50; i++) replica.apply(accept(arrived(i, "bob@one.example")));
    replica.store.flush();
    replica.store.read(
        db -> {
          db.db.compactRange(Objects.requireNonNull(db.events())); // as a larger log is by itself
          return "";
        });
    assertThat(replica.files()).hasSize(1);
    String file = replica.files().getFirst();
    replica.apply(new SpoolEntry.EventSegment(1, 0, NOW + 1));
    replica.apply(accept(arrived(100, "bob@one.example")));

    replica.apply(new SpoolEntry.EventSegment(2, 1, NOW + 2));

    assertThat(replica.events(id(7))).isEmpty();
    assertThat(replica.find(SearchKey.RECIPIENT, "bob@one.example", 99)).containsExactly(id(100));
    assertThat(replica.files()).contains(file);
    replica.state.snapshot(Files.createDirectory(directory.resolve("snapshot")));
    assertThat(replica.files()).isNotEmpty().doesNotContain(file);
    replica.reopen();
    assertThat(replica.find(SearchKey.RECIPIENT, "bob@one.example", 99)).containsExactly(id(100));
    assertThat(replica.apply(new SpoolEntry.EventSegment(2, 2, NOW)))
        .isEqualTo(ApplyResult.REFUSED);
    assertThat(replica.apply(new SpoolEntry.EventSegment(3, 3, NOW))).isEqualTo(ApplyResult.DONE);
    assertThat(replica.find(SearchKey.RECIPIENT, "bob@one.example", 99)).isEmpty();
  }

  @Test
  void eventsAreReadInTheirOrderFromAnyPosition() throws IOException {
    Replica replica = replica("one");
    for (SpoolEntry entry : log()) replica.apply(entry);
    List<MailEvent> all = replica.store.read(db -> EventReader.after(db, Position.START, 10_000));
    assertThat(all)
        .hasSizeGreaterThan(80)
        .isSortedAccordingTo((a, b) -> a.position().compareTo(b.position()));
    List<MailEvent> read = new ArrayList<>();
    Position at = Position.START;
    while (true) {
      Position from = at;
      List<MailEvent> page = replica.store.read(db -> EventReader.after(db, from, 3));
      if (page.isEmpty()) break;
      read.addAll(page);
      at = page.getLast().position();
    }
    assertThat(read).isEqualTo(all);
  }

  @Test
  void readingBeginsWithTheFirstEventOfATime() throws IOException {
    Replica replica = replica("one");
    assertThat(replica.since(0)).isEqualTo(0);
    for (SpoolEntry entry : log()) replica.apply(entry);
    List<MailEvent> all = replica.store.read(db -> EventReader.after(db, Position.START, 10_000));
    for (long millis = NOW - 1; millis < NOW + 70; millis += 3) {
      long at = millis;
      int first = 0;
      while (first < all.size() && all.get(first).atMillis() < at) first++;
      assertThat(replica.since(at)).as("since %d", at - NOW).isEqualTo(all.size() - first);
    }
    assertThat(replica.since(Long.MAX_VALUE)).as("new events only").isZero();
  }

  /** Messages that come, wait, and go, and segments that are cut and dropped meanwhile. */
  private static List<SpoolEntry> log() {
    List<SpoolEntry> log = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      log.add(
          new SpoolEntry.Batch(
              List.of(
                  accept(arrived(2 * i, "bob@one.example"), arrived(2 * i + 1, "eve@two.example")),
                  outcomes(2 * i, NOW + i, i % 3 == 0 ? deferred(0, NOW + 99) : delivered(0)))));
      if (i % 5 == 4) log.add(new SpoolEntry.Remove(id(2 * i + 1), NOW + i));
      if (i % 10 == 9)
        log.add(new SpoolEntry.EventSegment(i / 10 + 1, Math.max(0, i / 10 - 2), NOW + i));
    }
    return log;
  }

  private static NewMessage arrived(int n, String... recipients) {
    NewMessage plain = to(id(n), CONTENT, recipients);
    return new NewMessage(plain.message(), plain.prefix(), plain.content(), ARRIVAL);
  }

  private static RecipientOutcome overTls(RecipientOutcome outcome) {
    return outcome.withTls("TLSv1.3 X");
  }

  private static SpoolEntry outcomes(int n, long at, RecipientOutcome... outcomes) {
    return outcomes(n, at, TERM, outcomes);
  }

  private static SpoolEntry outcomes(int n, long at, long term, RecipientOutcome... outcomes) {
    return new SpoolEntry.Outcomes(
        term, List.of(new AttemptOutcomes(id(n), List.of(outcomes), null, at)));
  }

  private Replica replica(String name) throws IOException {
    Replica replica = new Replica(directory.resolve(name));
    replicas.add(replica);
    return replica;
  }

  private final class Replica {
    private final Path folder;
    private SpoolStore store;
    private SpoolState state;
    private int next = 1; // as in Raft, where the first entry has no events

    Replica(Path folder) throws IOException {
      this.folder = folder;
      this.store = new SpoolStore(folder, memory);
      this.state = new SpoolState(store, new NoListener());
      state.open();
    }

    void reopen() throws IOException {
      state.close();
      store = new SpoolStore(folder, memory);
      state = new SpoolState(store, new NoListener());
      state.open();
    }

    ApplyResult apply(SpoolEntry entry) throws IOException {
      LogPosition position = new LogPosition(TERM, next++);
      ByteBuffer bytes = ByteBuffer.wrap(SpoolEntryFormat.write(entry)).asReadOnlyBuffer();
      return ApplyResult.decode(state.apply(position, bytes), 0);
    }

    /** The number of events from the first one of a time on. */
    int since(long millis) {
      return store.read(db -> EventReader.after(db, EventReader.since(db, millis), 10_000)).size();
    }

    /** The files of events. */
    List<String> files() {
      return store.read(
          db ->
              db.db.getLiveFilesMetaData().stream()
                  .filter(f -> new String(f.columnFamilyName(), UTF_8).equals("events"))
                  .map(SstFileMetaData::fileName)
                  .toList());
    }

    List<MailEvent> events(QueueId id) {
      return store.read(db -> EventReader.ofMessage(db, id, 1000));
    }

    List<QueueId> find(SearchKey key, String value, int limit) {
      return List.copyOf(store.read(db -> EventReader.messages(db, key, value, limit)));
    }
  }

  private static final class NoListener implements SpoolState.StateListener {
    @Override
    public void messageDue(SpooledMessage message) {}

    @Override
    public void becomeLeader(Leadership leadership) {}

    @Override
    public void becomeFollower() {}

    @Override
    public void termApplied(long term) {}

    @Override
    public void termsSkipped() {}
  }
}
