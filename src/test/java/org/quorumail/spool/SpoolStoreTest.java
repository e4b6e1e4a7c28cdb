package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.spool.TestMessages.NOW;
import static org.quorumail.spool.TestMessages.id;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.NewMessage;

/** The store as a whole: crash, copy, installation, size. */
class SpoolStoreTest {
  private static final long TERM = 1;

  @TempDir Path directory;
  private final StoreMemory memory = new StoreMemory();
  private final List<SpoolState> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(SpoolState::close);
    memory.close();
  }

  @Test
  void aCopyTakenAtAnyPointAndTheTailOfTheLogGiveTheSameContent() throws IOException {
    List<byte[]> log = history(600, 5);
    Replica whole = replica("whole");
    List<Path> copies = new ArrayList<>();
    for (int i = 0; i < log.size(); i++) {
      whole.apply(log.get(i), i);
      if (i % 97 == 0) whole.store.flush();
      if (i % 60 == 0) copies.add(copyOfTheFiles(whole, "crashed-" + i));
    }
    StoreDigest expected = whole.store.digest();

    for (Path copy : copies) {
      Replica crashed = replica(copy.getFileName().toString());
      int next = (int) crashed.store.applied().index() + 1;
      for (int i = next; i < log.size(); i++) crashed.apply(log.get(i), i);
      assertThat(crashed.store.digest()).as("%s from %d", copy, next).isEqualTo(expected);
      assertThat(crashed.store.counters()).isEqualTo(whole.store.counters());
    }
    assertThat(copies).hasSizeGreaterThan(5);
  }

  @Test
  void replicasAtTheSamePositionHaveTheSameDigestAndAtOthersNot() throws IOException {
    List<byte[]> log = history(200, 6);
    Replica one = replica("one");
    Replica two = replica("two");
    for (int i = 0; i < log.size(); i++) {
      one.apply(log.get(i), i);
      two.apply(log.get(i), i);
      if (i % 50 == 0) two.store.flush();
    }
    assertThat(two.store.digest()).isEqualTo(one.store.digest());
    one.apply(SpoolEntryFormat.write(new SpoolEntry.Hold(id(1_000_000))), log.size());
    assertThat(two.store.digest()).isNotEqualTo(one.store.digest());
  }

  @Test
  void aSnapshotReplacesWhateverWasThere() throws IOException {
    List<byte[]> log = history(300, 7);
    Replica leader = replica("leader");
    for (int i = 0; i < log.size(); i++) leader.apply(log.get(i), i);
    Path snapshot = Files.createDirectory(directory.resolve("snapshot"));
    LogPosition position = leader.state.snapshot(snapshot);
    Replica laggard = replica("laggard");
    for (int i = 0; i < 50; i++) laggard.apply(log.get(i), i);

    laggard.state.install(snapshot);

    assertThat(laggard.state.applied()).isEqualTo(position);
    assertThat(laggard.store.digest()).isEqualTo(leader.store.digest());
    assertThat(laggard.store.counters()).isEqualTo(leader.store.counters());
    Replica another = replica("another");
    laggard.apply(SpoolEntryFormat.write(new SpoolEntry.Hold(id(0))), log.size());
    laggard.store.flush();
    another.state.install(snapshot);
    assertThat(another.store.digest()).isEqualTo(leader.store.digest());
    assertThat(another.store.firstDue()).isEqualTo(leader.store.firstDue());
  }

  @Test
  void theSnapshotIsOnDiskWithoutTheWriteAheadLog() throws IOException {
    Replica leader = replica("leader");
    leader.apply(SpoolEntryFormat.write(TestMessages.accept(message(1, 100))), 0);
    Path snapshot = Files.createDirectory(directory.resolve("snapshot"));
    leader.state.snapshot(snapshot);
    leader.apply(SpoolEntryFormat.write(new SpoolEntry.Remove(id(1))), 1);

    Replica reader = replica("reader");
    reader.state.install(snapshot);

    assertThat(reader.store.message(id(1))).isPresent();
    assertThat(reader.store.chunk(id(1), 0)).hasSize(100);
  }

  @Test
  void anInstallationThatWasCutOffLeavesAnEmptyStoreOrTheOldOne() throws IOException {
    Replica old = replica("old");
    old.apply(SpoolEntryFormat.write(TestMessages.accept(message(1, 100))), 0);
    old.store.flush();
    Path snapshot = Files.createDirectory(directory.resolve("snapshot"));
    old.state.snapshot(snapshot);
    old.state.close();
    Path beside = directory.resolve("old.fresh");
    Files.createDirectory(beside);
    Files.writeString(beside.resolve("000001.sst"), "half a copy");

    Replica reopened = replica("old");
    assertThat(reopened.store.message(id(1))).isPresent();
    reopened.state.install(snapshot);
    assertThat(reopened.store.message(id(1))).isPresent();

    reopened.state.close();
    StoreFiles.delete(directory.resolve("old"));
    assertThat(replica("old").store.applied()).isEqualTo(LogPosition.NONE);
  }

  @Test
  void aDamagedDatabaseIsRefusedInOneSentence() throws IOException {
    Replica replica = replica("damaged");
    replica.apply(SpoolEntryFormat.write(TestMessages.accept(message(1, 100))), 0);
    replica.store.flush();
    replica.state.close();
    for (Path file : files(directory.resolve("damaged"))) {
      String name = file.getFileName().toString();
      if (name.startsWith("MANIFEST") || name.endsWith(".sst")) {
        byte[] bytes = Files.readAllBytes(file);
        for (int i = 0; i < bytes.length; i += 7) bytes[i] ^= 0x55;
        Files.write(file, bytes);
      }
    }
    assertThatThrownBy(() -> replica("damaged"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(directory.resolve("damaged").toString())
        .hasMessageContaining("is damaged");
  }

  @Test
  void aFlippedByteInATableOrAContentIsFoundByTheScrubAndTold() throws Exception {
    for (String kind : List.of(".sst", ".blob")) {
      List<Throwable> told = new ArrayList<>();
      SpoolStore store = new SpoolStore(directory.resolve("flipped" + kind), memory, told::add);
      SpoolState state = new SpoolState(store, new Deaf());
      state.open();
      opened.add(state);
      new Replica(store, state)
          .apply(SpoolEntryFormat.write(TestMessages.accept(message(1, 5000))), 0);
      store.flush();
      assertThat(new Scrub(store).run(bytes -> {})).isGreaterThan(5000);
      Path file =
          files(store.directory()).stream()
              .filter(f -> f.toString().endsWith(kind))
              .findFirst()
              .orElseThrow();
      byte[] bytes = Files.readAllBytes(file);
      bytes[kind.equals(".sst") ? 3 : bytes.length / 2] ^= 1;
      Files.write(file, bytes);
      assertThatThrownBy(() -> new Scrub(store).run(read -> {})).hasMessageContaining("is damaged");
      assertThat(told).hasSize(1);
    }
  }

  @Test
  void theDirectoryIsClosedToOthers() throws IOException {
    replica("private");
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(directory.resolve("private"))))
        .isEqualTo("rwx------");
  }

  @Test
  void messagesThatComeAndGoLeaveLittleOnDisk() throws IOException {
    Replica replica = replica("flow");
    int batches = 600;
    int perBatch = 50;
    int kept = 40;
    byte[] content = new byte[2048];
    new Random(1).nextBytes(content);
    long index = 0;
    for (int b = 0; b < batches; b++) {
      NewMessage[] batch = new NewMessage[perBatch];
      for (int i = 0; i < perBatch; i++) {
        batch[i] = TestMessages.to(id(b * perBatch + i), content, "a@d" + i % 7 + ".example");
      }
      replica.apply(SpoolEntryFormat.write(new SpoolEntry.Accept(List.of(batch))), index++);
      if (b >= kept) {
        List<SpoolEntry.AttemptOutcomes> gone = new ArrayList<>();
        for (int i = 0; i < perBatch; i++) {
          gone.add(
              new SpoolEntry.AttemptOutcomes(
                  id((b - kept) * perBatch + i), List.of(TestMessages.delivered(0)), null));
        }
        replica.apply(SpoolEntryFormat.write(new SpoolEntry.Outcomes(TERM, gone)), index++);
      }
    }
    long through = (long) batches * perBatch * content.length;
    long left = (long) kept * perBatch * content.length;
    assertThat(replica.store.counters().bytes()).isEqualTo(left);
    assertThat(size(directory.resolve("flow"))).isLessThan(through / 2);
  }

  /** Entries of all kinds over a small set of messages, from a seed. */
  static List<byte[]> history(int length, long seed) {
    Random random = new Random(seed);
    List<byte[]> log = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < length; i++) {
      int any = next == 0 ? 0 : random.nextInt(next);
      SpoolEntry entry =
          switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> TestMessages.accept(message(next++, random.nextInt(3000)));
            case 4 -> TestMessages.outcomes(TERM, id(any), TestMessages.delivered(0));
            case 5 -> TestMessages.outcomes(TERM, id(any), TestMessages.deferred(0, NOW + i));
            case 6 -> new SpoolEntry.Hold(id(any));
            case 7 -> new SpoolEntry.Release(id(any), NOW + i);
            case 8 ->
                new SpoolEntry.Chunk(id(-1), i, NOW, ByteSlice.of(new byte[random.nextInt(2000)]));
            default -> new SpoolEntry.Remove(id(any));
          };
      log.add(SpoolEntryFormat.write(entry));
    }
    return log;
  }

  private static NewMessage message(int n, int size) {
    byte[] content = new byte[size];
    new Random(n).nextBytes(content);
    return new NewMessage(
        TestMessages.spooled(id(n), size, "a@d" + n % 5 + ".example", "b@e.example"),
        ByteSlice.EMPTY,
        new ContentLocation.Inline(ByteSlice.of(content)));
  }

  private record Replica(SpoolStore store, SpoolState state) {
    void apply(byte[] entry, long index) throws IOException {
      state.apply(new LogPosition(TERM, index), ByteBuffer.wrap(entry).asReadOnlyBuffer());
    }
  }

  private Replica replica(String name) throws IOException {
    SpoolStore store = new SpoolStore(directory.resolve(name), memory);
    SpoolState state = new SpoolState(store, new Deaf());
    state.open();
    opened.add(state);
    return new Replica(store, state);
  }

  /** The state after a crash: the files of one instant, and nothing of the memory. */
  private Path copyOfTheFiles(Replica from, String to) throws IOException {
    Path copy = Files.createDirectory(directory.resolve(to));
    return from.store.read(
        db -> {
          db.db.pauseBackgroundWork();
          try {
            for (Path file : files(from.store.directory())) {
              if (file.getFileName().toString().equals("LOCK")) continue;
              Files.copy(file, copy.resolve(file.getFileName()));
            }
          } finally {
            db.db.continueBackgroundWork();
          }
          return copy;
        });
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private static long size(Path directory) throws IOException {
    long size = 0;
    for (Path file : files(directory)) size += Files.size(file);
    return size;
  }

  private static final class Deaf implements SpoolState.StateListener {
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
