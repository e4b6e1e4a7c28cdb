package org.quorumail.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.server.RaftServerConfigKeys;

/** Nodes in one process on loopback, with mutual TLS, sharing one group. */
final class TestRaftCluster implements AutoCloseable {
  static final String GROUP = "spool-n1";
  static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Path root;
  private final TestAuthority authority;
  private final Map<String, Integer> ports = new LinkedHashMap<>();
  private final Map<String, TestNode> running = new ConcurrentSkipListMap<>();
  final ConcurrentLinkedQueue<Throwable> fatal = new ConcurrentLinkedQueue<>();

  record TestNode(String id, RaftNode raft, ReplicatedLog log, CountingState state) {
    boolean isLeader() {
      return log.leadership().isPresent();
    }
  }

  TestRaftCluster(Path root, String... ids) throws Exception {
    this.root = root;
    this.authority = new TestAuthority("authority");
    for (String id : ids) ports.put(id, freePort());
  }

  /** Starts all nodes and waits for a leader. */
  TestRaftCluster start() throws Exception {
    for (String id : ports.keySet()) start(id);
    leader();
    return this;
  }

  TestNode start(String id) throws Exception {
    return start(id, new GroupSpec(GROUP, ports.keySet().stream().map(this::peer).toList()));
  }

  /** Starts a node that is no member yet. */
  TestNode join(String id) throws Exception {
    ports.put(id, freePort());
    return start(id, GroupSpec.joining(GROUP));
  }

  private TestNode start(String id, GroupSpec spec) throws Exception {
    Path directory = Files.createDirectories(root.resolve(id));
    int port = Objects.requireNonNull(ports.get(id));
    RaftTls tls = authority.issue(id);
    var settings =
        RaftSettings.clusterMember("test", id, "127.0.0.1", port, directory.resolve("raft"), tls);
    RaftNode raft =
        RaftNode.start(settings, smallSegments(settings), new SimpleMeterRegistry(), fatal::add);
    CountingState state = new CountingState(directory);
    TestNode node = new TestNode(id, raft, raft.open(spec, state), state);
    running.put(id, node);
    return node;
  }

  /** So that a few entries fill segments, which are what a purge removes. */
  static RaftProperties smallSegments(RaftSettings settings) {
    RaftProperties properties = PinnedProperties.of(settings);
    properties.set(RaftServerConfigKeys.Log.SEGMENT_SIZE_MAX_KEY, "64KB");
    properties.set(RaftServerConfigKeys.Log.PREALLOCATED_SIZE_KEY, "64KB");
    properties.set(RaftServerConfigKeys.Log.PURGE_PRESERVATION_LOG_NUM_KEY, "0");
    return properties;
  }

  /** Gives a node that is stopped another address. */
  void move(String id) throws Exception {
    ports.put(id, freePort());
  }

  /** Gives two nodes that are stopped each other's address. */
  void swap(String one, String other) {
    Integer port = Objects.requireNonNull(ports.get(one));
    ports.put(one, Objects.requireNonNull(ports.get(other)));
    ports.put(other, port);
  }

  /** A view of the group from a node that is no member. */
  TestNode outside() throws Exception {
    var settings =
        RaftSettings.clusterMember(
            "test", "n9", "127.0.0.1", 0, root.resolve("n9"), authority.issue("n9"));
    RaftNode raft = RaftNode.start(settings, new SimpleMeterRegistry(), fatal::add);
    var members = ports.keySet().stream().map(this::peer).toList();
    ReplicatedLog log = raft.remoteLog(new GroupSpec(GROUP, members));
    TestNode node = new TestNode("n9", raft, log, new CountingState(root.resolve("n9")));
    running.put("n9", node);
    return node;
  }

  void stop(String id) {
    Objects.requireNonNull(running.remove(id)).raft().close();
  }

  TestNode node(String id) {
    return Objects.requireNonNull(running.get(id));
  }

  /** The members that run. */
  List<TestNode> nodes() {
    return running.values().stream().filter(node -> !node.id().equals("n9")).toList();
  }

  RaftMember peer(String id) {
    return new RaftMember(id, "127.0.0.1", Objects.requireNonNull(ports.get(id)));
  }

  TestNode leader() {
    return await()
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> running.values().stream().filter(TestNode::isLeader).findFirst().orElse(null),
            Objects::nonNull);
  }

  TestNode follower() {
    TestNode leader = leader();
    return nodes().stream()
        .filter(node -> !node.id().equals(leader.id()))
        .findFirst()
        .orElseThrow();
  }

  static String append(TestNode node, String entry) throws Exception {
    return new String(later(node, entry, TIMEOUT).get(20, TimeUnit.SECONDS).reply(), UTF_8);
  }

  static CompletableFuture<ReplicatedLog.AppendResult> later(
      TestNode node, String entry, Duration patience) {
    return node.log().append(entry.getBytes(UTF_8), patience);
  }

  /** Appends a hundred entries of 4 KiB: some segments' worth. */
  static void fill(TestNode node, String prefix) throws Exception {
    List<CompletableFuture<ReplicatedLog.AppendResult>> all = new ArrayList<>();
    for (int i = 0; i < 100; i++)
      all.add(later(node, prefix + i + "-" + "x".repeat(4096), TIMEOUT));
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
  }

  /** Takes a snapshot at the leader and purges its log, whatever a member lacks. */
  void purgeLog() throws Exception {
    TestNode leader = leader();
    leader.raft().snapshot(GROUP);
    leader.log().requestSnapshot();
    var replica = Objects.requireNonNull(((RatisLog) leader.log()).replica());
    long applied = leader.state().applied().index();
    await()
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> replica.division().getRaftLog().getStartIndex() > applied - 50);
  }

  void awaitEqualStates() {
    await()
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> nodes().stream().map(n -> n.state().counts()).distinct().count() == 1);
  }

  private static int freePort() throws Exception {
    try (var socket = new java.net.ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() { // all at once: each waits up to a second for its log's writer
    try (ExecutorService closing = Executors.newVirtualThreadPerTaskExecutor()) {
      running.values().forEach(node -> closing.execute(() -> node.raft().close()));
    }
  }
}
