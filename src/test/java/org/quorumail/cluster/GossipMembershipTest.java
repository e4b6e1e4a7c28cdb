package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.cluster.Membership.Presence;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.node.Config;

@Execution(ExecutionMode.CONCURRENT)
class GossipMembershipTest {
  private static final Duration LONG = Duration.ofSeconds(40);
  private static final String SECRET = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  private static final String OTHER = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

  @TempDir private Path directory = Path.of("");
  private final List<Running> running = new ArrayList<>();
  private final List<Integer> ports = new ArrayList<>();

  /** A wrapper of the metadata of the node that is started next. */
  private UnaryOperator<Supplier<MemberMetadata>> wrap = card -> card;

  private record Running(
      GossipMembership membership,
      ClusterEventLog events,
      AtomicReference<MemberMetadata> card,
      Config config) {
    List<String> types() throws InterruptedException {
      return events.after(0, Duration.ZERO).stream()
          .map(e -> e.event().type() + ":" + e.event().details().getOrDefault("subject", ""))
          .toList();
    }
  }

  @AfterEach
  void closeAll() {
    running.forEach(r -> r.membership.close());
  }

  @Test
  void cardsFiguresAndEventsReachEveryNode() throws Exception {
    for (int i = 0; i < 3; i++) start(i, SECRET);
    await().atMost(LONG).until(() -> running.stream().allMatch(r -> alive(r).size() == 2));
    MemberMetadata zero = Objects.requireNonNull(running.getFirst().card.get());
    MemberMetadata.NodeLoad busy =
        new MemberMetadata.NodeLoad("9.9", true, false, 5, 77, 1_234, 0.5, 64, null);
    List<Formation.Member> formed = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      formed.add(
          new Formation.Member("n" + i, "n" + i + "-abcdef", "127.0.0.1", 7947, "zone-" + i));
    }
    running.getFirst().card.set(card(zero.nodeId(), zero.port(), formed, busy));
    await()
        .atMost(LONG)
        .untilAsserted(
            () -> {
              for (Running other : running.subList(1, 3)) {
                MemberMetadata seen = alive(other).getOrDefault("n0", zero);
                assertThat(seen.formed()).isEqualTo(formed); // too long for gossip: was fetched
                assertThat(seen.load()).isEqualTo(busy);
                assertThat(seen.zone()).isEqualTo("east-1");
                assertThat(seen.region()).isEqualTo("east");
              }
            });
    running
        .get(2)
        .membership
        .broadcast(new ClusterEvent("2026-01-01T00:00:00Z", "n2", "LeaderChanged", Map.of()));
    await()
        .atMost(LONG)
        .untilAsserted(
            () -> {
              for (Running r : running.subList(0, 2)) {
                assertThat(r.types()).contains("LeaderChanged:");
              }
            });
    assertThat(running.getFirst().types()).contains("NodeJoined:n1", "NodeJoined:n2");
  }

  @Test
  void aFaultInTheMetadataIsPublishedOver() throws Exception {
    AtomicInteger faults = new AtomicInteger();
    start(0, SECRET);
    wrap =
        card ->
            () -> {
              boolean isPublisher = Thread.currentThread().getName().equals("cluster-metadata");
              if (isPublisher && faults.incrementAndGet() <= 2)
                throw new IllegalStateException("a fault");
              return card.get();
            };
    Running faulty = start(1, SECRET);
    await().atMost(LONG).until(() -> faults.get() >= 2);
    MemberMetadata one = Objects.requireNonNull(faulty.card.get());
    MemberMetadata.NodeLoad ready =
        new MemberMetadata.NodeLoad("9.9", true, true, 5, 77, 1_234, 0.5, 64, null);
    faulty.card.set(card(one.nodeId(), one.port(), List.of(), ready));
    await()
        .atMost(LONG)
        .until(
            () -> {
              MemberMetadata seen = alive(running.getFirst()).get("n1");
              return seen != null && seen.load().draining();
            });
  }

  @Test
  void oneThatLeavesIsNotOneThatFailed() throws Exception {
    for (int i = 0; i < 3; i++) start(i, SECRET);
    await().atMost(LONG).until(() -> running.stream().allMatch(r -> alive(r).size() == 2));
    running.get(1).membership.leave();
    running.get(1).membership.close();
    running.get(2).membership.close();
    Running watching = running.getFirst();
    await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(watching.types()).contains("NodeLeft:n1", "NodeFailed:n2"));
    Map<String, Presence> presence =
        watching.membership.members().stream()
            .collect(Collectors.toMap(m -> m.metadata().nodeId(), Membership.Member::presence));
    assertThat(presence).containsEntry("n1", Presence.LEFT).containsEntry("n2", Presence.DEAD);
  }

  @Test
  void aNodeWithAnotherSecretIsNeitherHeardNorTold() throws Exception {
    start(0, SECRET);
    start(1, SECRET);
    Running stranger = start(2, OTHER);
    await().atMost(LONG).until(() -> alive(running.getFirst()).size() == 1);
    await()
        .during(Duration.ofSeconds(2))
        .atMost(LONG)
        .until(() -> stranger.membership.members().isEmpty());
    assertThat(alive(running.getFirst())).containsOnlyKeys("n1");
    await().atMost(LONG).until(() -> stranger.membership.joinFailure().isPresent());
    assertThat(stranger.membership.joinFailure().get()).contains("cluster.secret");
    assertThat(running.getFirst().membership.joinFailure()).isEmpty();
  }

  @Test
  void twoNodesOfOneNameAreToldSo() throws Exception {
    start(0, SECRET);
    start(1, SECRET);
    await().atMost(LONG).until(() -> alive(running.getFirst()).size() == 1);
    Running twin = start(2, "n1", SECRET);
    await()
        .atMost(LONG)
        .until(
            () ->
                twin.membership.idConflict().isPresent()
                    || running.get(1).membership.idConflict().isPresent());
  }

  @Test
  void aTakenPortIsSaid() throws Exception {
    Running first = start(0, SECRET);
    int taken = Objects.requireNonNull(first.card.get()).port();
    ports.set(0, taken);
    assertThatThrownBy(() -> start(0, SECRET))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("cluster.port")
        .hasMessageNotContaining("\n");
  }

  @Test
  void theRingFollowsFromTheConfiguration() {
    Config before = config(7946, SECRET, Map.of());
    Config during = config(7946, OTHER, Map.of("cluster.accepted_secrets", SECRET));
    Config after =
        before.with(
            before.relay(),
            before.policy(),
            before.routes(),
            before.delivery(),
            before.log(),
            before.tls(),
            before.auth(),
            before.cluster().withSecretsOf(during.cluster()));
    assertThat(after.cluster().secret()).isEqualTo(during.cluster().secret());
    assertThat(after.cluster().gossip().acceptedSecrets()).hasSize(1);
    KeyRing ring = GossipConfigMapper.keyRing(after.cluster());
    assertThat(ring).isNotNull();
    assertThat(config(7946, SECRET, Map.of()).cluster()).isEqualTo(before.cluster());
  }

  private static Map<String, MemberMetadata> alive(Running r) {
    return r.membership.members().stream()
        .filter(Membership.Member::reachable)
        .collect(Collectors.toMap(m -> m.metadata().nodeId(), Membership.Member::metadata));
  }

  private Running start(int index, String secret) throws Exception {
    return start(index, "n" + index, secret);
  }

  private Running start(int index, String id, String secret) throws Exception {
    while (ports.size() <= index) ports.add(freePort());
    Config config = config(ports.get(index), secret, Map.of());
    MemberMetadata own = card(id, ports.get(index), List.of(), TestMetadata.READY);
    AtomicReference<MemberMetadata> card = new AtomicReference<>(own);
    ClusterEventLog events = new ClusterEventLog();
    NodeCertificate mine =
        NodeCertificate.derive(config.cluster().secret().orElseThrow(), id, Set.of("127.0.0.1"));
    NodeCredentials identity = new NodeCredentials(mine, List.of());
    GossipMembership membership =
        GossipMembership.start(
            wrap.apply(card::get),
            events,
            GossipConfigMapper.settings(config.cluster(), own, identity, directory),
            new SimpleMeterRegistry());
    Running r = new Running(membership, events, card, config);
    running.add(r);
    return r;
  }

  private Config config(int port, String secret, Map<String, String> more) {
    Map<String, String> keys = new HashMap<>(more);
    keys.put("cluster.enabled", "true");
    keys.put("cluster.port", String.valueOf(port));
    keys.put("cluster.bind_address", "127.0.0.1");
    keys.put("cluster.secret", secret);
    keys.put("cluster.seeds", "127.0.0.1:" + (ports.isEmpty() ? 1 : ports.getFirst()));
    return Config.standalone(directory, keys);
  }

  private static MemberMetadata card(
      String id, int port, List<Formation.Member> formed, MemberMetadata.NodeLoad load) {
    return TestMetadata.node(id, id + "-1")
        .at("127.0.0.1", port, 2)
        .zone("east", "east-1")
        .formed(formed)
        .load(load)
        .build();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
