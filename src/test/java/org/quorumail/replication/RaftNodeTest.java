package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.quorumail.replication.TestRaftCluster.TIMEOUT;
import static org.quorumail.replication.TestRaftCluster.append;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A group of one, as a stand-alone node has it. */
@Execution(ExecutionMode.CONCURRENT)
class RaftNodeTest {
  @TempDir Path directory;

  private final CountingState state() {
    return new CountingState(directory);
  }

  private RaftNode start() throws Exception {
    return RaftNode.start(
        RaftSettings.standAlone("test", "n1", directory.resolve("raft")),
        new SimpleMeterRegistry(),
        failure -> {});
  }

  private static TestRaftCluster.TestNode open(RaftNode raft, CountingState state)
      throws Exception {
    var log = raft.open(new GroupSpec("one", List.of(new RaftMember("n1", "127.0.0.1", 7))), state);
    await().atMost(10, TimeUnit.SECONDS).until(() -> log.leadership().isPresent());
    return new TestRaftCluster.TestNode("n1", raft, log, state);
  }

  @Test
  void aNodeOnItsOwnLeadsAtOnceAndAnswers() throws Exception {
    try (RaftNode raft = start()) {
      var node = open(raft, state());
      assertThat(node.log().leadership().orElseThrow().hasLease()).isTrue();
      assertThat(append(node, "a")).isEqualTo("1");
      assertThat(append(node, "a")).isEqualTo("2");
      assertThat(node.log().leader()).contains("n1");
    }
  }

  @Test
  void aRemovedGroupIsGoneFromDiskAndItsNameCanBeUsedAgain() throws Exception {
    RaftMember self = new RaftMember("n1", "127.0.0.1", 7);
    GroupSpec first = new GroupSpec("one", List.of(self));
    GroupSpec second = new GroupSpec("one", "one@7", List.of(self));
    Path groups = directory.resolve("raft").resolve("groups");
    List<Throwable> fatal = new java.util.concurrent.CopyOnWriteArrayList<>();
    try (RaftNode raft =
        RaftNode.start(
            RaftSettings.standAlone("test", "n1", directory.resolve("raft")),
            new SimpleMeterRegistry(),
            fatal::add)) {
      var node = open(raft, state());
      append(node, "a");
      assertThat(groups).isNotEmptyDirectory();

      raft.remove(first);
      raft.remove(first); // as after a crash
      assertThat(groups).isEmptyDirectory();
      assertThat(java.nio.file.Files.readString(directory.resolve("raft.groups"))).isEqualTo("1\n");
      assertThatThrownBy(() -> append(node, "b")).isInstanceOf(Exception.class);

      Path fresh = java.nio.file.Files.createDirectory(directory.resolve("second"));
      var log = raft.open(second, new CountingState(fresh));
      await().atMost(10, TimeUnit.SECONDS).until(() -> log.leadership().isPresent());
      assertThat(
              new String(
                  log.append("a".getBytes(java.nio.charset.StandardCharsets.UTF_8), TIMEOUT)
                      .get(10, TimeUnit.SECONDS)
                      .reply(),
                  java.nio.charset.StandardCharsets.UTF_8))
          .isEqualTo("1");
      assertThat(first.groupId("test")).isNotEqualTo(second.groupId("test"));
    }
    assertThat(fatal).isEmpty();
  }

  @Test
  void aRestartFindsWhatWasAppended() throws Exception {
    try (RaftNode raft = start()) {
      var node = open(raft, state());
      append(node, "a");
      append(node, "b");
    }
    CountingState again = state();
    try (RaftNode raft = start()) {
      var node = open(raft, again);
      assertThat(append(node, "a")).isEqualTo("2");
      assertThat(again.count("b")).isEqualTo(1);
    }
  }

  @Test
  void anEntryThatIsTooLargeOrEmptyIsRefusedBeforeItCostsTheLeadership() throws Exception {
    try (RaftNode raft = start()) {
      var node = open(raft, state());
      assertThatThrownBy(() -> node.log().append(new byte[(1 << 20) + 1], TIMEOUT))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> node.log().append(new byte[0], TIMEOUT))
          .isInstanceOf(IllegalArgumentException.class);
      node.log().append(new byte[1 << 20], TIMEOUT).get(10, TimeUnit.SECONDS);
    }
  }
}
