package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A segment that Ratis wrote, damaged in all the ways that disks and power cuts have. */
class LogRecoveryTest {
  private static final int ENTRIES = 5;
  private static final int ENTRY_BYTES = 3000;

  @TempDir private static Path directory;
  private static String name;
  private static byte[] whole;
  private static final List<Integer> offsets = new ArrayList<>(); // of records, and of their end

  @TempDir private Path segments;
  private Path open;

  @BeforeAll
  static void write() throws Exception {
    var settings = RaftSettings.standAlone("c", "n1", directory.resolve("raft"));
    try (RaftNode raft = RaftNode.start(settings, new SimpleMeterRegistry(), failure -> {})) {
      ReplicatedLog log =
          raft.open(
              new GroupSpec("one", List.of(new RaftMember("n1", "127.0.0.1", 7))),
              new CountingState(directory));
      Random random = new Random(7);
      for (int i = 0; i < ENTRIES; i++) {
        byte[] entry = new byte[ENTRY_BYTES];
        random.nextBytes(entry);
        log.append(entry, Duration.ofSeconds(20)).get(20, TimeUnit.SECONDS);
      }
      await().until(() -> hasFile("forced"));
      Path live = file("log_inprogress_");
      name = live.getFileName().toString();
      whole = Files.readAllBytes(live); // as a kill would leave it: closing ends the segment
    }
    int at = 8;
    while (whole[at] != 0) {
      offsets.add(at);
      at = LogRecord.at(ByteBuffer.wrap(whole), at).orElseThrow().end();
    }
    offsets.add(at);
  }

  @Test
  void aRunningNodeRecordsHowFarItsLogIsForced() throws Exception {
    ByteBuffer segment = ByteBuffer.wrap(whole);
    long last = LogRecord.at(segment, last()).orElseThrow().index();
    Path group = Objects.requireNonNull(file("forced").getParent());
    assertThat(new ForcedPosition(group).read()).isBetween(0L, last + 1);
  }

  @BeforeEach
  void copy() throws IOException {
    open = Files.write(segments.resolve(name), whole);
  }

  @Test
  void aWholeSegmentIsLeftAsItIs() throws Exception {
    new LogRecovery(segments).recover(-1);
    assertThat(open).hasBinaryContent(whole);
    assertThat(offsets).hasSizeGreaterThan(ENTRIES);
  }

  @Test
  void aFileThatEndsInsideItsLastRecordIsCutBehindTheOneBefore() throws Exception {
    for (int missing : new int[] {1, 4, 5, 700, ENTRY_BYTES - 20}) {
      Files.write(open, Arrays.copyOf(whole, end() - missing));
      assertHealed();
    }
  }

  @Test
  void sectorsThatDidNotArriveAreATornTail() throws Exception {
    zero(end() - 600, end()); // its end
    assertHealed();
    int sector = (last() / 512 + 2) * 512;
    zero(sector, sector + 512); // its middle
    assertHealed();
    zero(last(), (last() / 512 + 1) * 512); // its head, with the length
    assertHealed();
    zero(last(), end()); // all of it
    new LogRecovery(segments).recover(-1);
    assertThat(Files.size(open)).isEqualTo(whole.length);
  }

  @Test
  void aChangedBitIsDamageWhereverItIsAndTheFileIsLeftAsItIs() throws Exception {
    for (int at = 0; at < offsets.size() - 1; at++) {
      int length = offsets.get(at + 1) - offsets.get(at);
      for (int place : new int[] {0, 1, 2, 5, length / 2, length - 1}) {
        byte[] bytes = whole.clone();
        bytes[offsets.get(at) + place] ^= 0x11;
        assertRefused(bytes);
      }
    }
  }

  @Test
  void aHoleBeforeAWholeRecordIsDamage() throws Exception {
    byte[] bytes = whole.clone();
    int record = offsets.get(offsets.size() - 3);
    int sector = (record / 512 + 2) * 512;
    Arrays.fill(bytes, sector, sector + 512, (byte) 0);
    assertRefused(bytes);
    bytes = whole.clone();
    Arrays.fill(bytes, record, record + 600, (byte) 0);
    assertRefused(bytes);
  }

  @Test
  void aHoleAfterTheLastForcedPositionIsATornBatch() throws Exception {
    int record = offsets.get(offsets.size() - 3);
    long index = LogRecord.at(ByteBuffer.wrap(whole), record).orElseThrow().index();
    int sector = (record / 512 + 2) * 512;
    zero(sector, sector + 512);
    new LogRecovery(segments, index - 1).recover(index - 1);
    assertThat(open).hasBinaryContent(Arrays.copyOf(whole, record));
  }

  @Test
  void aHoleBeforeTheLastForcedPositionIsDamage() throws Exception {
    int record = offsets.get(offsets.size() - 3);
    long index = LogRecord.at(ByteBuffer.wrap(whole), record).orElseThrow().index();
    int sector = (record / 512 + 2) * 512;
    zero(sector, sector + 512);
    byte[] holed = Files.readAllBytes(open);
    assertThatThrownBy(() -> new LogRecovery(segments, index).recover(-1))
        .isInstanceOf(DamagedStorageException.class)
        .hasMessageContaining(open.toString());
    assertThat(open).hasBinaryContent(holed);
  }

  @Test
  void aChangedBitAfterTheLastForcedPositionIsDamage() throws Exception {
    int record = offsets.get(offsets.size() - 3);
    byte[] bytes = whole.clone();
    bytes[record + 900] ^= 0x11;
    Files.write(open, bytes);
    assertThatThrownBy(() -> new LogRecovery(segments, 0).recover(-1))
        .isInstanceOf(DamagedStorageException.class);
  }

  @Test
  void theForcedPositionIsReadBackAndADamagedOneIsUnknown() throws Exception {
    ForcedPosition position = new ForcedPosition(segments);
    assertThat(position.read()).isEqualTo(ForcedPosition.UNKNOWN);
    position.write(41);
    position.write(42);
    assertThat(position.read()).isEqualTo(42);
    Path file = segments.resolve("forced");
    byte[] bytes = Files.readAllBytes(file);
    bytes[5] ^= 1;
    Files.write(file, bytes);
    assertThat(position.read()).isEqualTo(ForcedPosition.UNKNOWN);
  }

  @Test
  void aTornRecordThatTheStateHasAppliedIsDamage() throws Exception {
    zero(end() - 600, end());
    byte[] torn = Files.readAllBytes(open);
    long applied = LogRecord.at(ByteBuffer.wrap(torn), last()).orElseThrow().index();
    assertThatThrownBy(() -> new LogRecovery(segments).recover(applied))
        .isInstanceOf(DamagedStorageException.class);
    assertThat(open).hasBinaryContent(torn);
  }

  @Test
  void rubbishBehindTheLastRecordIsDamage() throws Exception {
    byte[] bytes = whole.clone();
    byte[] rubbish = "not a record".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(rubbish, 0, bytes, end(), rubbish.length);
    assertRefused(bytes);
  }

  @Test
  void aClosedSegmentIsNeverCut() throws Exception {
    Path closed = Files.move(open, segments.resolve("log_0-6"));
    Files.write(closed, Arrays.copyOf(whole, end() - 700));
    assertThatThrownBy(() -> new LogRecovery(segments).recover(-1))
        .isInstanceOf(DamagedStorageException.class)
        .hasMessageContaining(closed.toString());
    assertThat(Files.size(closed)).isEqualTo(end() - 700);
  }

  private void assertHealed() throws IOException {
    new LogRecovery(segments).recover(-1);
    assertThat(open).hasBinaryContent(Arrays.copyOf(whole, last()));
    Files.write(open, whole);
  }

  private void assertRefused(byte[] bytes) throws IOException {
    Files.write(open, bytes);
    assertThatThrownBy(() -> new LogRecovery(segments).recover(-1))
        .isInstanceOf(DamagedStorageException.class)
        .hasMessageContaining(open.toString());
    assertThat(open).hasBinaryContent(bytes);
  }

  private void zero(int from, int to) throws IOException {
    byte[] bytes = whole.clone();
    Arrays.fill(bytes, from, to, (byte) 0);
    Files.write(open, bytes);
  }

  private static int last() {
    return offsets.get(offsets.size() - 2);
  }

  private static int end() {
    return offsets.getLast();
  }

  private static boolean hasFile(String name) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.anyMatch(f -> f.getFileName().toString().equals(name));
    }
  }

  private static Path file(String beginning) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith(beginning))
          .findFirst()
          .orElseThrow();
    }
  }
}
