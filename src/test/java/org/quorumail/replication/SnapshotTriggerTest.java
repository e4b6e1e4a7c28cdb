package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** The moments at which replicas that apply the same entries take their snapshots. */
class SnapshotTriggerTest {
  private static final long BYTES_MAX = 1_000_000;
  private static final int ENTRIES = 60_000;

  @Test
  void replicasWithTheSameEntriesDoNotAllTakeTheirSnapshotsAtTheSameIndex() {
    assertNoneInCommon(1000);
  }

  @Test
  void manySmallEntriesAreSpreadAsBytesAre() {
    assertNoneInCommon(1);
    assertGaps(snapshots(0, 1), SnapshotTrigger.ENTRIES_MAX);
  }

  /** Without the spread every index is common to all; by chance two of three share a few. */
  private static void assertNoneInCommon(int entryBytes) {
    Set<Integer> common = new HashSet<>(snapshots(0, entryBytes));
    assertThat(common).isNotEmpty();
    common.retainAll(snapshots(1, entryBytes));
    common.retainAll(snapshots(2, entryBytes));
    assertThat(common).isEmpty();
  }

  @Test
  void noSnapshotIsLaterThanTheLimitNorBeforeHalfOfIt() {
    assertGaps(snapshots(7, 1000), (int) (BYTES_MAX / 1000));
  }

  private static void assertGaps(List<Integer> indexes, int most) {
    int last = 0;
    for (int index : indexes) {
      assertThat(index - last).isBetween(most / 2, most);
      last = index;
    }
  }

  /** Returns the indexes of the snapshots of one replica. */
  private static List<Integer> snapshots(int seed, int entryBytes) {
    AtomicBoolean due = new AtomicBoolean();
    var trigger =
        new SnapshotTrigger(
            BYTES_MAX,
            Duration.ofHours(1),
            new Random(seed * 0x9E3779B97F4A7C15L),
            () -> due.set(true));
    List<Integer> indexes = new ArrayList<>();
    for (int index = 1; index <= ENTRIES; index++) {
      trigger.entryApplied(entryBytes);
      if (!due.getAndSet(false)) continue;
      indexes.add(index);
      trigger.snapshotTaken();
    }
    return indexes;
  }
}
