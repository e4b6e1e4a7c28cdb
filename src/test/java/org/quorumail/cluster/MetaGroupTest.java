package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.helidon.common.SerializationConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.OperatorOrder.RemoveMxOverride;
import org.quorumail.cluster.OperatorOrder.Resume;
import org.quorumail.cluster.OperatorOrder.SetMxOverride;
import org.quorumail.cluster.OperatorOrder.Suspend;
import org.quorumail.config.Secret;
import org.quorumail.replication.GroupSpec;
import org.quorumail.replication.RaftMember;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftSettings;
import org.quorumail.replication.RaftTls;
import org.quorumail.replication.ReplicatedLog;

/** The meta group of three nodes in one process, over loopback. */
@Timeout(60)
class MetaGroupTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final long HOUR = 3_600_000;

  @TempDir Path directory;
  private final Secret secret = new Secret(new byte[32]);
  private final Map<String, Integer> ports = new LinkedHashMap<>();
  private final Map<String, TestNode> running = new TreeMap<>();
  private final ConcurrentLinkedQueue<Throwable> fatal = new ConcurrentLinkedQueue<>();

  /**
   * A node.
   *
   * @param followed the orders that its delivery has been given, the last of them in force
   */
  private record TestNode(
      RaftNode raft, ReplicatedLog log, MetaState meta, List<OperatorOrders> followed) {}

  @BeforeAll
  static void noJavaObjectIsRead() {
    SerializationConfig.configureRuntime();
  }

  @BeforeEach
  void startAll() throws Exception {
    for (String id : List.of("n1", "n2", "n3")) ports.put(id, freePort());
    for (String id : ports.keySet()) start(id);
    leader();
  }

  @AfterEach
  void stopAll() {
    stop(List.copyOf(running.keySet()));
    assertThat(fatal).isEmpty();
  }

  private void start(String id) throws Exception {
    NodeCredentials credentials =
        new NodeCredentials(NodeCertificate.derive(secret, id, Set.of("127.0.0.1")), List.of());
    RaftTls tls =
        new RaftTls.Managers(
            credentials.keyManager(), credentials.trustManager(), (certificate, peer) -> true);
    Path own = Files.createDirectories(directory.resolve(id));
    int port = Objects.requireNonNull(ports.get(id));
    RaftNode raft =
        RaftNode.start(
            RaftSettings.clusterMember("test", id, "127.0.0.1", port, own.resolve("raft"), tls),
            new SimpleMeterRegistry(),
            fatal::add);
    List<OperatorOrders> followed = new ArrayList<>();
    MetaState meta =
        new MetaState(own.resolve("meta"), MetaStateTest.follower(followed, new ArrayList<>()));
    List<RaftMember> members =
        ports.entrySet().stream()
            .map(p -> new RaftMember(p.getKey(), "127.0.0.1", p.getValue()))
            .toList();
    ReplicatedLog log = raft.open(new GroupSpec(Placement.META_GROUP, members), meta);
    running.put(id, new TestNode(raft, log, meta, followed));
  }

  private void stop(List<String> ids) {
    try (ExecutorService closing = Executors.newVirtualThreadPerTaskExecutor()) {
      for (String id : ids) {
        TestNode node = Objects.requireNonNull(running.remove(id));
        closing.execute(() -> node.raft().close());
      }
    }
  }

  private TestNode node(String id) {
    return Objects.requireNonNull(running.get(id));
  }

  private String leader() {
    return await()
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () ->
                running.keySet().stream()
                    .filter(id -> node(id).log().leadership().isPresent())
                    .findFirst()
                    .orElse(""),
            id -> !id.isEmpty());
  }

  private OperatorOrders.Result give(String id, OperatorOrder order) throws Exception {
    byte[] entry = MetaState.orderEntry(order);
    var committed = node(id).log().append(entry, TIMEOUT).get(20, TimeUnit.SECONDS);
    node(id).meta().awaitApplied(committed.position(), TIMEOUT);
    return OperatorOrders.Result.ofReply(committed.reply());
  }

  private static Suspend suspension(String domain) {
    return new Suspend(domain, 1_000, 1_000 + HOUR, "full disk", "user:root");
  }

  private static SetMxOverride override(String domain, String host) {
    return new SetMxOverride(domain, host, 1_000, "user:root");
  }

  private void awaitEverywhere(OperatorOrders orders) {
    await()
        .atMost(TIMEOUT)
        .until(
            () ->
                running.values().stream()
                    .allMatch(n -> n.meta().orders().filter(orders::equals).isPresent()));
    for (TestNode node : running.values()) {
      assertThat(node.followed().getLast()).isEqualTo(orders);
    }
  }

  private static OperatorOrders orders(List<Suspend> suspensions, List<SetMxOverride> overrides) {
    OperatorOrders all = OperatorOrders.NONE;
    for (Suspend s : suspensions) all = all.with(s).next();
    for (SetMxOverride o : overrides) all = all.with(o).next();
    return all;
  }

  @Test
  void anOrderIsInForceOnAllNodesAndAfterARestartOfAllAndATakeover() throws Exception {
    String follower = ports.keySet().stream().filter(id -> !id.equals(leader())).findFirst().get();
    assertThat(give(follower, suspension("a.test"))).isEqualTo(OperatorOrders.Result.DONE);
    assertThat(node(follower).meta().orders().orElseThrow().suspensions())
        .as("the node that took it shows it at once")
        .containsOnlyKeys("a.test");
    give(leader(), override("b.test", "relay.test:25"));
    give(leader(), override("c.test", "relay.test:25"));
    give(follower, new RemoveMxOverride("C.test"));
    OperatorOrders given =
        orders(List.of(suspension("a.test")), List.of(override("b.test", "relay.test:25")));
    awaitEverywhere(given);

    stop(List.copyOf(ports.keySet()));
    start("n1");
    assertThat(node("n1").followed()).as("before it has found the others").last().isEqualTo(given);
    start("n2");
    start("n3");
    awaitEverywhere(given);

    stop(List.of(leader()));
    assertThat(give(leader(), new Resume("a.test"))).isEqualTo(OperatorOrders.Result.DONE);
    awaitEverywhere(orders(List.of(), List.of(override("b.test", "relay.test:25"))));
    assertThat(give(leader(), new Resume("a.test"))).isEqualTo(OperatorOrders.Result.ABSENT);
  }

  @Test
  void aNodeThatWasDownGetsTheOrdersAndASingleOneCanGiveNone() throws Exception {
    give(leader(), suspension("first.test"));
    stop(List.of("n3"));
    give("n1", suspension("second.test"));
    give("n2", new Resume("first.test"));
    start("n3");
    awaitEverywhere(orders(List.of(suspension("second.test")), List.of()));

    stop(List.of("n1", "n2"));
    await().atMost(TIMEOUT).until(() -> node("n3").log().leader().isEmpty());
    byte[] entry = MetaState.orderEntry(suspension("third.test"));
    var alone = node("n3").log().append(entry, Duration.ofSeconds(1));
    assertThatThrownBy(() -> alone.get(20, TimeUnit.SECONDS));
    assertThat(node("n3").meta().orders().orElseThrow().suspensions())
        .containsOnlyKeys("second.test");
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
