package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A snapshot per hundred entries of a thousand bytes each. */
class LogRetentionTest {
  private static final long BYTES_MAX = 400_000;

  private final LogRetention retention = new LogRetention();
  private long index = 1000;

  @BeforeEach
  void start() {
    retention.restart(index);
  }

  @Test
  void withoutALaggardTheLogIsPurgedUpToTheSnapshot() {
    assertThat(purgeAfterSnapshot()).isEqualTo(1100);
    assertThat(purgeAfterSnapshot(1250)).isEqualTo(1200);
  }

  @Test
  void theEntriesThatAFollowerLacksAreKeptWithTheOneBeforeThem() {
    assertThat(purgeAfterSnapshot(1070, 1099)).isEqualTo(1069);
    assertThat(purgeAfterSnapshot(1070, 1200)).isEqualTo(1069);
    assertThat(purge(1180, 1200)).as("it has caught up meanwhile").isEqualTo(1179);
    assertThat(purge()).isEqualTo(1200);
  }

  @Test
  void noMoreBytesAreKeptThanTheBound() {
    for (int i = 0; i < 4; i++) assertThat(purgeAfterSnapshot(1002)).isEqualTo(1001);
    assertThat(purgeAfterSnapshot(1002)).as("it gets a snapshot").isEqualTo(1500);
  }

  @Test
  void noMoreEntriesAreKeptThanTheBound() {
    skip(LogRetention.ENTRIES_MAX);
    retention.snapshotTaken(index);
    assertThat(purge(1002)).isEqualTo(1001);
    skip(1);
    assertThat(purge(1002)).isEqualTo(index);
  }

  @Test
  void aFollowerFromBeforeTheStartIsNotWaitedFor() {
    assertThat(purgeAfterSnapshot(900)).isEqualTo(1100);
  }

  @Test
  void whatIsPurgedStaysPurged() {
    assertThat(purgeAfterSnapshot()).isEqualTo(1100);
    assertThat(purgeAfterSnapshot(1050)).isEqualTo(1100);
  }

  @Test
  void aFullDiskSparesNobodyOnce() {
    retention.release();
    assertThat(purgeAfterSnapshot(1050)).isEqualTo(1100);
    assertThat(purgeAfterSnapshot(1150)).isEqualTo(1149);
  }

  @Test
  void theIndexOfAnInstalledSnapshotIsANewBeginning() {
    assertThat(purgeAfterSnapshot(1050)).isEqualTo(1049);
    index = 5000;
    retention.restart(index);
    assertThat(purgeAfterSnapshot(5050)).isEqualTo(5049);
    assertThat(purge(1060)).isEqualTo(5100);
  }

  private long purgeAfterSnapshot(long... matches) {
    for (int i = 0; i < 100; i++) retention.entryApplied(1000);
    index += 100;
    retention.snapshotTaken(index);
    return purge(matches);
  }

  private void skip(long entries) {
    index += entries;
  }

  private long purge(long... matches) {
    return retention.purge(index, BYTES_MAX, LongStream.of(matches));
  }
}
