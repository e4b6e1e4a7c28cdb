package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BridgeConfig;
import org.quorumail.gossip.plumtree.BroadcastHealth;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.FrameFormat;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.ManualClock;
import org.quorumail.gossip.transport.SealTest;
import org.quorumail.gossip.transport.Sealer;
import org.slf4j.LoggerFactory;

/** Real sockets on loopback, real time. */
class GossipTest {
  private static final Duration LONG = Duration.ofSeconds(40);

  @TempDir private Path directory = Path.of("");
  private final List<Gossip> open = new ArrayList<>();

  @AfterEach
  void closeAll() {
    open.forEach(Gossip::shutdown);
  }

  @Test
  void nodesJoinThroughOneSeedAndDeliverABroadcastOnce() throws Exception {
    List<RecordingDelegate> ears =
        List.of(
            new RecordingDelegate(),
            new RecordingDelegate(),
            new RecordingDelegate(),
            new RecordingDelegate());
    Gossip first = start("n0", 1, ears.get(0));
    for (int i = 1; i < 4; i++) start("n" + i, 1, ears.get(i), first.port());
    await().atMost(LONG).until(() -> open.stream().allMatch(g -> g.peerCount() == 3));
    for (int i = 0; i < 5; i++) {
      for (Gossip g : open) {
        assertThat(g.broadcast(("m" + i).getBytes(StandardCharsets.UTF_8)))
            .isNotInstanceOf(BroadcastResult.Rejected.class);
      }
    }
    await().atMost(LONG).until(() -> ears.stream().allMatch(e -> e.delivered.size() >= 15));
    for (int i = 0; i < 4; i++) {
      assertThat(ears.get(i).delivered).hasSize(15).doesNotHaveDuplicates();
      assertThat(ears.get(i).delivered).noneMatch(own("n" + i)::equals);
    }
    assertThat(first.health().status()).isNotEqualTo(BroadcastHealth.Status.UNHEALTHY);
  }

  private static String own(String id) {
    return id + ":m0";
  }

  @Test
  void aLargePayloadAndLongMetadataArrive() throws Exception {
    RecordingDelegate ears = new RecordingDelegate();
    Gossip a = start("a", 1, new RecordingDelegate());
    start("b", 1, ears, a.port());
    await().atMost(LONG).until(() -> a.peerCount() == 1);
    String large = "x".repeat(60_000);
    a.broadcast(large.getBytes(StandardCharsets.UTF_8));
    await().atMost(LONG).until(() -> ears.delivered.contains("a:" + large));
    byte[] metadata = new byte[20_000];
    Arrays.fill(metadata, (byte) 7);
    a.updateMetadata(metadata);
    Gossip b = open.get(1);
    await()
        .atMost(LONG)
        .until(() -> Arrays.equals(b.members().getFirst().node().metadata().bytes(), metadata));
  }

  @Test
  void aKilledNeighbourIsReplacedBeforeItIsDeclaredDead() throws Exception {
    PlumtreeConfig twoLinks = PlumtreeConfig.lan().withEagerFanout(2);
    for (int i = 0; i < 5; i++) {
      List<Integer> seeds = i == 0 ? List.of() : List.of(open.getFirst().port());
      GossipSettings settings = settings("n" + i, 1, 0, seeds).withPlumtree(twoLinks);
      open.add(Gossip.start(settings, new RecordingDelegate()));
    }
    await().atMost(LONG).until(() -> open.stream().allMatch(g -> g.peerCount() == 4));
    Gossip first = open.getFirst();
    await().atMost(LONG).until(() -> first.neighbours().size() >= 2);
    NodeId victim = first.neighbours().iterator().next();
    open.get(Integer.parseInt(victim.value().substring(1))).shutdown();
    await()
        .atMost(Duration.ofSeconds(2)) // a suspicion alone lasts longer
        .until(() -> !first.neighbours().contains(victim) && first.neighbours().size() >= 2);
    assertThat(first.peerCount()).as("nobody is held dead yet").isEqualTo(4);
  }

  @Test
  void aLeaveIsAcknowledgedBeforeTheNodeStops() throws Exception {
    RecordingDelegate ears = new RecordingDelegate();
    Gossip a = start("a", 1, ears);
    Gossip b = start("b", 1, new RecordingDelegate(), a.port());
    await().atMost(LONG).until(() -> a.peerCount() == 1 && b.peerCount() == 1);
    assertThat(b.leave(Duration.ofSeconds(10))).isEqualTo(1);
    await().atMost(LONG).until(() -> ears.left.contains("b"));
    assertThat(ears.down).isEmpty();
  }

  @Test
  void aSilentNodeIsDeclaredDeadAndReturns() throws Exception {
    RecordingDelegate ears = new RecordingDelegate();
    Gossip a = start("a", 1, ears);
    Gossip b = start("b", 1, new RecordingDelegate(), a.port());
    await().atMost(LONG).until(() -> a.peerCount() == 1);
    int port = b.port();
    b.shutdown();
    await().atMost(LONG).until(() -> ears.down.contains("b"));
    assertThat(a.members()).extracting(GossipMember::state).containsExactly(MemberState.DEAD);
    open.add(Gossip.start(settings("b", 1, port, List.of(a.port())), new RecordingDelegate()));
    await().atMost(LONG).until(() -> a.peerCount() == 1);
  }

  @Test
  void aNodeFindsTheOthersAgainWithoutItsSeeds() throws Exception {
    Gossip a = start("a", 1, new RecordingDelegate());
    GossipSettings remembering =
        settings("b", 1, 0, List.of(a.port())).withPeersFile(directory.resolve("peers"));
    Gossip b = Gossip.start(remembering, new RecordingDelegate());
    open.add(b);
    await().atMost(LONG).until(() -> directory.resolve("peers").toFile().length() > 0);
    b.leave(Duration.ofSeconds(5));
    b.shutdown();
    Gossip again = Gossip.start(remembering.withSeeds(), new RecordingDelegate());
    open.add(again);
    await().atMost(LONG).until(() -> again.peerCount() == 1);
  }

  @Test
  void previousPeersStayInThePeerFile() throws Exception {
    Gossip a = start("a", 1, new RecordingDelegate());
    Path list = directory.resolve("peers");
    Files.writeString(list, "127.0.0.1:%d%n127.0.0.1:9%n".formatted(a.port()));
    Gossip b =
        Gossip.start(settings("b", 1, 0, List.of()).withPeersFile(list), new RecordingDelegate());
    open.add(b);
    await().atMost(LONG).until(() -> b.peerCount() == 1);
    await()
        .during(Duration.ofSeconds(2)) // it is written a second after the first look
        .until(() -> Files.readString(list).contains("127.0.0.1:9\n"));
  }

  @Test
  void theSecretIsReplacedNodeByNodeWithoutALostMember() throws Exception {
    List<RecordingDelegate> ears =
        List.of(new RecordingDelegate(), new RecordingDelegate(), new RecordingDelegate());
    Gossip first = start("n0", 1, ears.get(0));
    start("n1", 1, ears.get(1), first.port());
    start("n2", 1, ears.get(2), first.port());
    await().atMost(LONG).until(() -> open.stream().allMatch(g -> g.peerCount() == 2));
    KeyRing[] steps = {
      SealTest.ring("one", 1, 2), SealTest.ring("one", 2, 1), SealTest.ring("one", 2)
    };
    for (KeyRing step : steps) {
      for (Gossip node : open) {
        node.replaceKeys(step);
        String word = "step" + Arrays.asList(steps).indexOf(step) + open.indexOf(node);
        node.broadcast(word.getBytes(StandardCharsets.UTF_8));
        await()
            .atMost(LONG)
            .until(
                () ->
                    ears.stream().filter(e -> e.delivered.toString().contains(word)).count() == 2);
      }
    }
    Gossip withTheNew = start("n3", 2, new RecordingDelegate(), first.port());
    Gossip withTheOld = start("n4", 1, new RecordingDelegate(), first.port());
    await().atMost(LONG).until(() -> withTheNew.peerCount() == 3 && first.peerCount() == 3);
    assertThat(withTheOld.peerCount()).isZero();
    assertThat(ears).allSatisfy(e -> assertThat(e.down).isEmpty());
  }

  @Test
  void invalidSettingsAreRejectedWithoutAPort() throws Exception {
    byte[] secret = new byte[32];
    assertThatThrownBy(() -> GossipSettings.of("a b", "127.0.0.1", 0, secret))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("node id");
    assertThatThrownBy(() -> GossipSettings.of("a", "127.0.0.1", 0, new byte[31]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("32 bytes");
    assertThatThrownBy(() -> GossipSettings.of("a", "0.0.0.0", 0, secret))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("withBind");
    Gossip a = start("a", 1, new RecordingDelegate());
    assertThatThrownBy(() -> a.updateMetadata(new byte[65_537]))
        .isInstanceOf(IllegalArgumentException.class);
    a.shutdown();
    assertThat(a.broadcast(new byte[1]))
        .isEqualTo(new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN));
  }

  @Test
  void aDelegatesErrorDoesNotStopLaterCalls() throws Exception {
    CompletableFuture<byte[]> heard = new CompletableFuture<>();
    Gossip a =
        start(
            "a",
            1,
            new GossipDelegate() {
              @Override
              public void onMemberUp(SwimMember node) {
                throw new AssertionError("mine");
              }

              @Override
              public void onDeliver(BroadcastId id, byte[] payload) {
                heard.complete(payload);
              }
            });
    start("b", 1, new RecordingDelegate(), a.port()).broadcast(new byte[] {7});
    assertThat(heard.get(20, TimeUnit.SECONDS)).containsExactly(7);
  }

  @Test
  void bridgeSeedsAndPeerFileAreUsed() throws Exception {
    Gossip a = start("a", 1, new RecordingDelegate());
    BridgeConfig bridge =
        new BridgeConfig(
            true,
            true,
            List.of("127.0.0.1:" + a.port()),
            false,
            Duration.ofSeconds(7),
            Optional.of(directory.resolve("by-bridge").toString()));
    GossipSettings settings =
        settings("b", 1, 0, List.of()).withPlumtree(PlumtreeConfig.lan().withBridge(bridge));
    assertThat(settings.effectiveSwim()).isEqualTo(SwimConfig.lan().withLazarusInterval(0));
    Gossip b = Gossip.start(settings, new RecordingDelegate());
    open.add(b);
    await().atMost(LONG).until(() -> b.peerCount() == 1);
    await().atMost(LONG).until(() -> directory.resolve("by-bridge").toFile().length() > 0);
  }

  @Test
  void anotherClusterWithTheSameSecretIsNotJoined() throws Exception {
    Gossip a = start("a", 1, new RecordingDelegate());
    GossipSettings other = settings("b", 1, 0, List.of(a.port()));
    Gossip b = Gossip.start(other.withKeys(SealTest.ring("two", 1)), new RecordingDelegate());
    open.add(b);
    await().during(Duration.ofSeconds(2)).until(() -> a.peerCount() + b.peerCount() == 0);
  }

  @Test
  void differingClocksAndSecretsAreLoggedOnce() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(DropWarnings.class);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.addAppender(log);
    try (DatagramSocket late = new DatagramSocket()) {
      Gossip a = start("a", 1, new RecordingDelegate());
      InetSocketAddress to = new InetSocketAddress("127.0.0.1", a.port());
      for (int i = 0; i < 3; i++) {
        Sealer sealer = new Sealer(SealTest.ring("one", 1), new ManualClock());
        byte[] frame = sealer.seal(FrameFormat.DATAGRAM, OptionalInt.empty(), new byte[1]);
        late.send(new DatagramPacket(frame, frame.length, to));
        byte[] other =
            new Sealer(SealTest.ring("one", 2), Clock.systemUTC())
                .seal(FrameFormat.DATAGRAM, OptionalInt.empty(), new byte[1]);
        late.send(new DatagramPacket(other, other.length, to));
      }
      await()
          .during(Duration.ofMillis(300))
          .until(
              () ->
                  Stream.of("gossip_clocks_differ", "gossip_secrets_differ")
                      .allMatch(event -> timesSaid(log, event) == 1));
    } finally {
      logger.detachAppender(log);
    }
  }

  private static long timesSaid(ListAppender<ILoggingEvent> log, String event) {
    return List.copyOf(log.list).stream()
        .filter(e -> e.getMessage().startsWith("event=" + event))
        .count();
  }

  private Gossip start(String id, int secret, GossipDelegate delegate, int... seeds)
      throws IOException {
    List<Integer> ports = Arrays.stream(seeds).boxed().toList();
    Gossip gossip = Gossip.start(settings(id, secret, 0, ports), delegate);
    open.add(gossip);
    return gossip;
  }

  private static GossipSettings settings(String id, int secret, int port, List<Integer> seeds) {
    return GossipSettings.of(id, "127.0.0.1", port, new byte[32])
        .withKeys(SealTest.ring("one", secret))
        .withSeeds(seeds.stream().map(p -> "127.0.0.1:" + p).toArray(String[]::new));
  }
}
