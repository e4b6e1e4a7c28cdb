package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.quorumail.replication.TestRaftCluster.GROUP;
import static org.quorumail.replication.TestRaftCluster.append;
import static org.quorumail.replication.TestRaftCluster.fill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.util.CodeInjectionForTesting;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * A member that was down while the leader's log was purged, and what happens while it receives a
 * snapshot. The test runs code at the receiver, before it takes a chunk.
 */
@Timeout(90)
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock("transfer of snapshots")
class SnapshotTransferTest {
  private static final String INSTALL = "RaftServerImpl.installSnapshot";

  @TempDir Path directory;

  private TestRaftCluster cluster;
  private String laggard;

  /** The ids of the transfers, and the number of each chunk. */
  private final ConcurrentLinkedQueue<String> transfers = new ConcurrentLinkedQueue<>();

  private interface OnChunk {
    void accept(int transfer, int chunk) throws Exception;
  }

  @BeforeEach
  void leaveOneBehind() throws Exception {
    cluster = new TestRaftCluster(directory, "n1", "n2", "n3").start();
    laggard = cluster.follower().id();
    append(cluster.leader(), "before");
    cluster.stop(laggard);
    fill(cluster.leader(), "a");
    fill(cluster.leader(), "b");
    cluster.purgeLog();
  }

  @AfterEach
  void close() {
    CodeInjectionForTesting.remove(INSTALL);
    cluster.close();
  }

  @Test
  void aSnapshotOnItsWayIsKeptAndTheLogBehindItWhileNewerOnesAreMade() throws Exception {
    var leader = cluster.leader();
    long[] sent = new long[1];
    onChunk(
        (transfer, chunk) -> {
          if (chunk != 0) return;
          sent[0] = latest(leader.id());
          for (int i = 0; i < 3; i++) {
            fill(leader, "during-" + transfer + i);
            leader.raft().snapshot(GROUP);
          }
          assertThat(log().getStartIndex()).isLessThanOrEqualTo(sent[0]);
        });
    var back = cluster.start(laggard);
    fill(leader, "after");
    awaitCaughtUp();
    assertThat(transfers).as("the first transfer is enough").hasSize(1);
    assertThat(back.state().installs()).isEqualTo(1);
    assertThat(cluster.fatal).isEmpty();

    await().atMost(10, TimeUnit.SECONDS).until(() -> snapshots(leader.id()).size() == 1);
    await().atMost(10, TimeUnit.SECONDS).until(() -> log().getStartIndex() > sent[0] + 200);
    assertThat(latest(leader.id())).isGreaterThan(sent[0]);
    assertThat(incoming()).isEmpty();
  }

  @Test
  void aFullDiskIsRelievedWhateverALaggardNeeds() throws Exception {
    var leader = cluster.leader();
    onChunk(
        (transfer, chunk) -> {
          if (chunk != 0 || transfer != 0) return;
          long sent = latest(leader.id());
          fill(leader, "during");
          leader.log().requestSnapshot();
          await().atMost(10, TimeUnit.SECONDS).until(() -> log().getStartIndex() > sent + 50);
        });
    cluster.start(laggard);
    awaitCaughtUp();
    assertThat(transfers).as("the log behind the first snapshot was given up").hasSize(2);
  }

  @Test
  void brokenTransfersLeaveNothingBehind() throws Exception {
    List<Integer> leftBehind = new ArrayList<>();
    onChunk(
        (transfer, chunk) -> {
          if (chunk != 3) return;
          if (transfer < 2) throw new IOException("broken by the test");
          await().atMost(10, TimeUnit.SECONDS).until(() -> incoming().size() == 1);
          leftBehind.add(incoming().size());
        });
    cluster.start(laggard);
    awaitCaughtUp();
    assertThat(transfers).hasSize(3);
    assertThat(leftBehind).as("while the last one ran").containsExactly(1);
    assertThat(incoming()).isEmpty();
  }

  @Test
  void whatAKillDuringATransferLeftIsDeletedAtTheStart() throws Exception {
    Path group = group(laggard);
    Path transfer = Files.createDirectories(group.resolve("tmp/snapshot-0a/snapshot-1-9"));
    Files.write(transfer.resolve("counts"), new byte[1000]);
    Path swapped = Files.createDirectories(group.resolve("sm.tmp20260101_000000/snapshot-1-1"));
    var back = cluster.start(laggard);
    assertThat(group.resolve("tmp/snapshot-0a")).doesNotExist();
    assertThat(swapped.getParent()).doesNotExist();
    awaitCaughtUp();
    assertThat(back.state().installs()).isEqualTo(1);
  }

  private void awaitCaughtUp() {
    await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> cluster.nodes().stream().map(n -> n.state().counts()).distinct().count() == 1);
  }

  private void onChunk(OnChunk action) {
    CodeInjectionForTesting.put(
        INSTALL,
        (local, remote, arguments) -> {
          var chunk = ((InstallSnapshotRequestProto) arguments[0]).getSnapshotChunk();
          if (chunk.getRequestIndex() == 0) transfers.add(chunk.getRequestId());
          try {
            action.accept(transfers.size() - 1, chunk.getRequestIndex());
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
          return true;
        });
  }

  private RaftLog log() {
    return Objects.requireNonNull(((RatisLog) cluster.leader().log()).replica())
        .division()
        .getRaftLog();
  }

  private Path group(String node) throws IOException {
    try (Stream<Path> groups = Files.list(directory.resolve(node).resolve("raft/groups"))) {
      return groups.findFirst().orElseThrow();
    }
  }

  private List<Path> snapshots(String node) throws IOException {
    return list(group(node).resolve("sm"));
  }

  private List<Path> incoming() throws IOException {
    return list(group(laggard).resolve("tmp"));
  }

  private long latest(String node) throws IOException {
    return snapshots(node).stream()
        .map(path -> path.getFileName().toString())
        .mapToLong(name -> Long.parseLong(name.substring(name.lastIndexOf('-') + 1)))
        .max()
        .orElseThrow();
  }

  private static List<Path> list(Path directory) throws IOException {
    if (!Files.exists(directory)) return List.of();
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.toList();
    }
  }
}
