package org.quorumail.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A failed start gives its reason in one sentence, and a later failure is fatal. */
@Execution(ExecutionMode.CONCURRENT)
class RaftStartTest {
  @TempDir Path directory;

  private RaftNode start(RaftSettings settings) throws RaftStartException {
    return RaftNode.start(settings, new SimpleMeterRegistry(), failure -> {});
  }

  private RaftSettings alone(String cluster, String peer) {
    return RaftSettings.standAlone(cluster, peer, directory.resolve("raft"));
  }

  private RaftSettings member(int port, RaftTls tls) {
    return RaftSettings.clusterMember("c", "n1", "127.0.0.1", port, directory.resolve("raft"), tls);
  }

  private ReplicatedLog open(RaftNode raft, CountingState state) throws RaftStartException {
    return raft.open(new GroupSpec("one", List.of(new RaftMember("n1", "127.0.0.1", 7))), state);
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThatThrownBy(() -> start(member(port, new TestAuthority("ours").issue("n1"))))
          .isInstanceOf(RaftStartException.class)
          .hasMessageContaining("127.0.0.1:" + port)
          .hasMessageContaining("raft_port");
    }
  }

  @Test
  void aNodeOnItsOwnListensOnNoPort() throws Exception {
    Set<String> before = listeningSockets();
    try (RaftNode raft = start(alone("c", "n1"))) {
      ReplicatedLog log = open(raft, new CountingState(directory));
      log.append("a".getBytes(UTF_8), Duration.ofSeconds(10)).get(10, TimeUnit.SECONDS);
      assertThat(raft.port()).isZero();
      assertThat(before).containsAll(listeningSockets());
    }
  }

  /** The listening sockets of this process, as Linux shows them. */
  private static Set<String> listeningSockets() throws Exception {
    Set<String> listening = new HashSet<>();
    for (String table : List.of("tcp", "tcp6")) {
      for (String line : Files.readAllLines(Path.of("/proc/self/net", table))) {
        String[] columns = line.strip().split("\\s+");
        if (columns[3].equals("0A")) listening.add("socket:[" + columns[9] + "]");
      }
    }
    Set<String> own = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      for (Path file : files.toList()) {
        try {
          own.add(Files.readSymbolicLink(file).toString());
        } catch (NoSuchFileException e) {
          // closed meanwhile
        }
      }
    }
    own.retainAll(listening);
    return own;
  }

  @Test
  void aNodeOnItsOwnIsNoMemberOfAGroupWithOthers() throws Exception {
    var members =
        List.of(new RaftMember("n1", "127.0.0.1", 7), new RaftMember("n2", "127.0.0.1", 8));
    try (RaftNode raft = start(alone("c", "n1"))) {
      for (GroupSpec group : List.of(new GroupSpec("two", members), GroupSpec.joining("two")))
        assertThatThrownBy(() -> raft.open(group, new CountingState(directory)))
            .isInstanceOf(RaftStartException.class)
            .hasMessageContaining("stands alone");
    }
  }

  @Test
  void aSecondNodeOnTheSameDirectoryIsRefused() throws Exception {
    try (RaftNode first = start(alone("c", "n1"))) {
      assertThat(first).isNotNull();
      assertThatThrownBy(() -> start(alone("c", "n1")))
          .isInstanceOf(RaftStartException.class)
          .hasMessageContaining("in use");
    }
  }

  @Test
  void anotherNodesDirectoryIsRefused() throws Exception {
    start(alone("c", "n1")).close();
    assertThatThrownBy(() -> start(alone("c", "n2")))
        .isInstanceOf(RaftStartException.class)
        .hasMessageContaining("belongs to \"1 c n1\"");
    assertThatThrownBy(() -> start(alone("other", "n1"))).isInstanceOf(RaftStartException.class);
    start(alone("c", "n1")).close();
  }

  @Test
  void aDamagedLogIsRefusedAndLeftAsItIs() throws Exception {
    try (RaftNode raft = start(alone("c", "n1"))) {
      ReplicatedLog log = open(raft, new CountingState(directory));
      log.append(new byte[2000], Duration.ofSeconds(10)).get(10, TimeUnit.SECONDS);
    }
    Path segment = segment();
    byte[] bytes = Files.readAllBytes(segment);
    bytes[1000] ^= 1;
    Files.write(segment, bytes);
    try (RaftNode raft = start(alone("c", "n1"))) {
      assertThatThrownBy(() -> open(raft, new CountingState(directory)))
          .isInstanceOf(RaftStartException.class)
          .hasMessageContaining("Group one")
          .hasMessageContaining("damaged");
    }
    assertThat(segment).hasBinaryContent(bytes);
  }

  @Test
  void aDamagedVoteOrRecordOfMembersIsRefusedAndNotForgotten() throws Exception {
    try (RaftNode raft = start(alone("c", "n1"))) {
      ReplicatedLog log = open(raft, new CountingState(directory));
      await().atMost(10, TimeUnit.SECONDS).until(() -> log.leadership().isPresent());
    }
    for (String name : List.of("raft-meta", "raft-meta.conf")) {
      Path file = file(name);
      byte[] whole = Files.readAllBytes(file);
      for (int length : new int[] {0, whole.length / 2}) {
        assertThatThrownBy(() -> openWith(file, Arrays.copyOf(whole, length)))
            .isInstanceOf(RaftStartException.class)
            .hasMessageContaining("Group one")
            .hasMessageContaining(file + " are damaged");
      }
      Files.write(file, whole);
    }
    Files.delete(file("raft-meta"));
    try (RaftNode raft = start(alone("c", "n1"))) {
      assertThatThrownBy(() -> open(raft, new CountingState(directory)))
          .hasMessageContaining("are gone");
    }
  }

  private void openWith(Path file, byte[] content) throws Exception {
    Files.write(file, content);
    try (RaftNode raft = start(alone("c", "n1"))) {
      open(raft, new CountingState(directory));
    }
  }

  private Path file(String name) throws Exception {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(f -> f.getFileName().toString().equals(name)).findFirst().orElseThrow();
    }
  }

  @Test
  void aLostReplicationDirectoryIsRefusedAndNothingIsWritten() throws Exception {
    appendAndStop();
    Path raft = directory.resolve("raft");
    Path saved = directory.resolve("saved");
    Files.move(raft, saved);
    for (boolean mountPoint : new boolean[] {false, true}) {
      if (mountPoint) Files.createDirectory(raft);
      assertThatThrownBy(() -> start(alone("c", "n1")))
          .isInstanceOf(RaftStartException.class)
          .hasMessageContaining("replication directory " + raft + " is gone or empty")
          .hasMessageContaining("A disk is lost");
    }
    assertThat(raft).isEmptyDirectory();
    Files.delete(raft);
    Files.move(saved, raft);
    assertOpensAgain();
  }

  @Test
  void aLostDirectoryOfAGroupIsRefusedAndNothingIsWritten() throws Exception {
    appendAndStop();
    for (String part : List.of("", "current")) {
      Path lost = groupDirectory().resolve(part);
      Path saved = directory.resolve("saved");
      Files.move(lost, saved);
      try (RaftNode raft = start(alone("c", "n1"))) {
        assertThatThrownBy(() -> open(raft, new CountingState(directory)))
            .isInstanceOf(RaftStartException.class)
            .hasMessageContaining("Group one")
            .hasMessageContaining("are gone");
      }
      assertThat(lost).doesNotExist();
      Files.move(saved, lost);
    }
    assertOpensAgain();
  }

  /** Older releases did not write the record. */
  @Test
  void aStateAheadOfAnEmptyLogIsRefusedWithoutTheRecordOfGroups() throws Exception {
    appendAndStop();
    Files.delete(directory.resolve("raft.groups"));
    deleteTree(directory.resolve("raft"));
    for (int i = 0; i < 2; i++) { // the second time Ratis' new vote is in the directory
      try (RaftNode raft = start(alone("c", "n1"))) {
        assertThatThrownBy(() -> open(raft, new CountingState(directory)))
            .isInstanceOf(RaftStartException.class)
            .hasMessageContaining("its state has the entry at index")
            .hasMessageContaining("is empty");
      }
      forgetLock();
    }
  }

  @Test
  void aLogThatLostItsEndOrItsBeginningIsRefused() throws Exception {
    RaftSettings settings = alone("c", "n1");
    RaftProperties properties = TestRaftCluster.smallSegments(settings);
    properties.set(RaftServerConfigKeys.Log.PURGE_PRESERVATION_LOG_NUM_KEY, "1000");
    var meters = new SimpleMeterRegistry();
    try (RaftNode raft = RaftNode.start(settings, properties, meters, failure -> {})) {
      ReplicatedLog log = open(raft, new CountingState(directory));
      for (int i = 0; i < 40; i++)
        log.append(new byte[4096], Duration.ofSeconds(10)).get(10, TimeUnit.SECONDS);
    }
    deleteTree(groupDirectory().resolve("sm")); // without a snapshot the log must have all
    List<Path> segments = segments();
    assertThat(segments).hasSizeGreaterThan(2);
    Path saved = directory.resolve("saved");
    Files.move(segments.getLast(), saved);
    try (RaftNode raft = start(alone("c", "n1"))) {
      assertThatThrownBy(() -> open(raft, new CountingState(directory)))
          .hasMessageContaining("its state has the entry at index")
          .hasMessageContaining("ends at");
    }
    forgetLock();
    Files.move(saved, segments.getLast());
    Files.delete(segments.getFirst());
    Files.delete(directory.resolve("counts"));
    try (RaftNode raft = start(alone("c", "n1"))) {
      assertThatThrownBy(() -> open(raft, new CountingState(directory)))
          .hasMessageContaining("its state ends at index -1")
          .hasMessageContaining("begins at");
    }
  }

  /** Ratis keeps the lock of a group that it could not open, until the process ends. */
  private void forgetLock() throws Exception {
    Files.delete(groupDirectory().resolve("in_use.lock"));
  }

  private void appendAndStop() throws Exception {
    try (RaftNode raft = start(alone("c", "n1"))) {
      ReplicatedLog log = open(raft, new CountingState(directory));
      log.append("a".getBytes(UTF_8), Duration.ofSeconds(10)).get(10, TimeUnit.SECONDS);
    }
  }

  private void assertOpensAgain() throws Exception {
    CountingState state = new CountingState(directory);
    try (RaftNode raft = start(alone("c", "n1"))) {
      open(raft, state);
      assertThat(state.count("a")).isOne();
    }
  }

  private Path groupDirectory() throws Exception {
    try (Stream<Path> groups = Files.list(directory.resolve("raft").resolve("groups"))) {
      return groups.findFirst().orElseThrow();
    }
  }

  private static void deleteTree(Path root) throws Exception {
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
  }

  /** The log's segments, oldest first. */
  private List<Path> segments() throws Exception {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("log_"))
          .sorted(
              Comparator.comparingLong(
                  f ->
                      Long.parseLong(
                          f.getFileName().toString().replaceAll("[^\\d]+(\\d+).*", "$1"))))
          .toList();
    }
  }

  @Test
  void anEntryThatCannotBeAppliedIsFatalAndNothingIsAppliedAfterIt() throws Exception {
    var failures = new ConcurrentLinkedQueue<Throwable>();
    CountingState state = new CountingState(directory);
    try (RaftNode raft =
        RaftNode.start(alone("c", "n1"), new SimpleMeterRegistry(), failures::add)) {
      ReplicatedLog log = open(raft, state);
      await().atMost(10, TimeUnit.SECONDS).until(() -> log.leadership().isPresent());
      var poison = log.append(CountingState.POISON.getBytes(UTF_8), Duration.ofSeconds(2));
      var after = log.append("after".getBytes(UTF_8), Duration.ofSeconds(2));
      await().atMost(10, TimeUnit.SECONDS).until(() -> failures.size() == 1);
      assertThat(failures.element()).hasMessageContaining("group one");
      assertThatThrownBy(() -> poison.get(10, TimeUnit.SECONDS))
          .hasCauseInstanceOf(NoQuorumException.class);
      assertThatThrownBy(() -> after.get(10, TimeUnit.SECONDS))
          .hasCauseInstanceOf(NoQuorumException.class);
      assertThat(state.count("after")).isZero();
    }
    assertThat(failures).hasSize(1);
  }

  @Test
  void aNodeWithACertificateOfAnotherAuthorityIsNotHeard() throws Exception {
    var ours = new TestAuthority("ours");
    var theirs = new TestAuthority("theirs");
    try (RaftNode raft = start(member(0, ours.issue("n1")))) {
      var spec = new GroupSpec("one", List.of(new RaftMember("n1", "127.0.0.1", raft.port())));
      ReplicatedLog log = raft.open(spec, new CountingState(directory));
      await().atMost(10, TimeUnit.SECONDS).until(() -> log.leadership().isPresent());
      assertThat(appended(spec, "friend", ours.issue("friend"))).isTrue();
      assertThat(appended(spec, "stranger", theirs.issue("stranger"))).isFalse();
    }
  }

  private boolean appended(GroupSpec spec, String peer, RaftTls tls) throws Exception {
    var settings =
        RaftSettings.clusterMember("c", peer, "127.0.0.1", 0, directory.resolve(peer), tls);
    try (RaftNode raft = start(settings)) {
      var append = raft.remoteLog(spec).append(new byte[1], Duration.ofSeconds(2));
      return append.handle((appended, failure) -> failure == null).get(10, TimeUnit.SECONDS);
    }
  }

  private Path segment() throws Exception {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("log_"))
          .findFirst()
          .orElseThrow();
    }
  }
}
