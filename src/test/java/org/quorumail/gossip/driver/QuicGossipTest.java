package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.transport.QuicTransportTest;

/** Whole nodes over QUIC on loopback, in real time. */
class QuicGossipTest {
  private static final Duration LONG = Duration.ofSeconds(40);

  private final List<Gossip> open = new ArrayList<>();
  private final List<RecordingDelegate> ears = new ArrayList<>();

  @AfterEach
  void closeAll() {
    open.forEach(Gossip::shutdown);
  }

  @Test
  void twoNodesExchangeLongMetadataAndPayloadsAndLeave() throws Exception {
    start(2, PlumtreeConfig.lan());
    Gossip a = open.getFirst();
    Gossip b = open.getLast();
    await().atMost(LONG).until(() -> a.peerCount() == 1 && b.peerCount() == 1);
    String large = "x".repeat(60_000);
    a.broadcast(large.getBytes(StandardCharsets.UTF_8));
    await().atMost(LONG).until(() -> ears.getLast().delivered.contains("n0:" + large));
    byte[] metadata = new byte[20_000];
    Arrays.fill(metadata, (byte) 7);
    a.updateMetadata(metadata);
    await()
        .atMost(LONG)
        .until(() -> Arrays.equals(b.members().getFirst().node().metadata().bytes(), metadata));
    assertThat(b.leave(Duration.ofSeconds(10))).isEqualTo(1);
  }

  @Test
  void fiveNodesDeliverOnceAndAKilledNeighbourIsReplacedThenDeclaredDead() throws Exception {
    start(5, PlumtreeConfig.lan().withEagerFanout(2));
    await().atMost(LONG).until(() -> open.stream().allMatch(g -> g.peerCount() == 4));
    for (Gossip g : open) {
      assertThat(g.broadcast("m".getBytes(StandardCharsets.UTF_8)))
          .isNotInstanceOf(BroadcastResult.Rejected.class);
    }
    await().atMost(LONG).until(() -> ears.stream().allMatch(e -> e.delivered.size() >= 4));
    assertThat(ears).allSatisfy(e -> assertThat(e.delivered).hasSize(4).doesNotHaveDuplicates());
    Gossip first = open.getFirst();
    NodeId victim = first.neighbours().iterator().next();
    open.get(Integer.parseInt(victim.value().substring(1))).shutdown();
    await()
        .atMost(Duration.ofSeconds(2))
        .until(() -> !first.neighbours().contains(victim) && first.neighbours().size() >= 2);
    assertThat(ears.getFirst().down).as("nobody is held dead yet").isEmpty();
    await().atMost(LONG).until(() -> ears.getFirst().down.contains(victim.value()));
  }

  private void start(int nodes, PlumtreeConfig config) throws IOException {
    for (int i = 0; i < nodes; i++) {
      byte[] secret = new byte[32];
      Arrays.fill(secret, (byte) 1);
      GossipSettings settings =
          GossipSettings.of("n" + i, "127.0.0.1", 0, secret)
              .withPlumtree(config)
              .withTransport(QuicTransportTest.identity("n" + i, 1));
      if (i > 0) settings = settings.withSeeds("127.0.0.1:" + open.getFirst().port());
      ears.add(new RecordingDelegate());
      open.add(Gossip.start(settings, ears.getLast()));
    }
  }
}
