package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.A;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.B;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.C;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.ORIGIN;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.SELF;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.id;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.message;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.only;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.sent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.EagerPromotion;
import org.quorumail.gossip.plumtree.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourRemoved;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRequest;

/** The effect of each field of the configuration that no other test shows. */
class PlumtreeConfigEffectTest {
  private static final PlumtreeConfig STANDARD = PlumtreeConfig.standard();
  private static final long T1 = 500;

  @Test
  void onTheLinksOfLazyFanoutANewTreeOnlyAnnounces() {
    PlumtreeFixture one =
        new PlumtreeFixture(STANDARD.withEagerFanout(2).withLazyFanout(4), nodes(30));
    one.broadcast();
    List<PlumtreeEffect> effects = one.core.broadcast(new byte[1], one.now).effects();
    assertThat(one.core.neighbours()).hasSizeBetween(6, 7);
    assertThat(pushedTo(effects)).hasSize(2);
    one.pass(100);
    assertThat(one.counters.count(PlumtreeMetric.IHAVE_SENT)).isGreaterThanOrEqualTo(4);
  }

  @Test
  void withoutAutoPromoteANewNeighbourReceivesOnlyAnnouncements() {
    for (boolean autoPromote : new boolean[] {true, false}) {
      BridgeConfig b = BridgeConfig.standard();
      BridgeConfig bridge =
          new BridgeConfig(
              true, autoPromote, List.of(), true, b.lazarusInterval(), Optional.empty());
      PlumtreeFixture one = new PlumtreeFixture(STANDARD.withBridge(bridge), A, B, ORIGIN);
      one.gossip(A, 1);
      List<PlumtreeEffect> effects = one.core.neighbourUp(C, "", one.now);
      assertThat(only(EagerPromotion.class, effects)).hasSize(autoPromote ? 1 : 0);
      assertThat(pushedTo(one.gossip(A, 2)).contains(C)).isEqualTo(autoPromote);
    }
  }

  @Test
  void aProtectedRingNeighbourStaysAndARequestedLinkIsEvicted() {
    int decided = 0;
    for (int i = 0; i < 200; i++) {
      NodeId joiner = new NodeId("joiner" + i);
      NodeId goesUnprotected = evictedFor(joiner, false);
      NodeId goesProtected = evictedFor(joiner, true);
      if (goesUnprotected.equals(goesProtected)) continue;
      decided++;
      assertThat(goesProtected).isEqualTo(guest());
      assertThat(ringOf(joiner)).contains(goesUnprotected);
    }
    assertThat(decided).isPositive();
  }

  /** A member without a link in the overlay. */
  private static NodeId guest() {
    Set<NodeId> near =
        new HashSet<>(PlumtreeFixture.hashRing(nodes(30)).protectedNeighbours(SELF, 8));
    near.addAll(new PlumtreeFixture(STANDARD, nodes(30)).core.neighbours());
    return Stream.of(nodes(30)).filter(id -> !near.contains(id)).findFirst().orElseThrow();
  }

  private static Set<NodeId> ringOf(NodeId joiner) {
    List<NodeId> members = new ArrayList<>(List.of(nodes(30)));
    members.add(joiner);
    return PlumtreeFixture.hashRing(members.toArray(new NodeId[0])).protectedNeighbours(SELF, 4);
  }

  /** The node that loses its link when another joins at the bound; the joiner if there is none. */
  private static NodeId evictedFor(NodeId joiner, boolean isProtected) {
    int links = new PlumtreeFixture(STANDARD, nodes(30)).core.neighbours().size();
    PlumtreeConfig config =
        STANDARD
            .withMaxPeers(links + 1)
            .withProtectRingNeighbors(isProtected)
            .withMaxProtectedNeighbors(4);
    PlumtreeFixture one = new PlumtreeFixture(config, nodes(30));
    one.from(guest(), new Neighbour(false));
    return only(NeighbourRemoved.class, one.core.neighbourUp(joiner, "", one.now)).stream()
        .map(NeighbourRemoved::peer)
        .findFirst()
        .orElse(joiner);
  }

  @Test
  void aThresholdOfZeroChangesNoTreeForAShorterPath() {
    PlumtreeFixture one =
        new PlumtreeFixture(STANDARD.withOptimizationThreshold(0), A, B, C, ORIGIN);
    List<PlumtreeEffect> effects = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      effects.addAll(one.pass(10_000));
      one.ihave(B, i);
      effects.addAll(one.from(A, message(i, 9)));
    }
    assertThat(sent(Graft.class, B, effects)).isEmpty();
  }

  @Test
  void theAnnouncerWithTheBestScoreIsGraftedFirst() {
    PlumtreeFixture one = new PlumtreeFixture();
    for (int i = 1; i <= 3; i++) {
      one.gossip(C, i);
      one.pass(5);
      one.from(B, new IHaveAck(List.of(id(i))));
      one.pass(300);
      one.from(A, new IHaveAck(List.of(id(i))));
    }
    one.ihave(A, 9);
    one.ihave(B, 9);
    assertThat(only(GraftSent.class, one.pass(T1))).first().isEqualTo(new GraftSent(B, id(9)));
  }

  @Test
  void anAnnouncerThatFailedRecentlyIsGraftedAfterTheOthers() {
    PlumtreeFixture one = new PlumtreeFixture();
    one.ihave(A, 1);
    one.pass(10_000); // without an answer
    one.ihave(A, 9);
    one.ihave(B, 9);
    assertThat(only(GraftSent.class, one.pass(T1))).first().isEqualTo(new GraftSent(B, id(9)));
  }

  @Test
  void aFullBatchDoesNotWaitForTheInterval() {
    PlumtreeFixture one =
        new PlumtreeFixture(STANDARD.withIhaveBatchSize(4).withEagerFanout(1), A, B, C, ORIGIN);
    one.gossip(A, 1);
    one.gossip(B, 1); // lazy from now on
    one.pass(1_000);
    one.from(B, new IHaveAck(List.of(id(1))));
    List<PlumtreeEffect> effects = new ArrayList<>();
    for (int i = 2; i <= 5; i++) effects.addAll(one.gossip(A, i));
    effects.addAll(one.core.tick(one.now));
    assertThat(sent(IHave.class, B, effects)).hasSize(1);
    assertThat(sent(IHave.class, B, effects).getFirst().announcements())
        .extracting(Announcement::id)
        .containsExactly(id(2), id(3), id(4), id(5));
  }

  @Test
  void theCacheIsBoundedByNumberAndByBytes() {
    PlumtreeFixture few = new PlumtreeFixture(STANDARD.withMessageCacheMaxSize(2), A, B, ORIGIN);
    for (int i = 1; i <= 3; i++) few.gossip(A, i);
    assertThat(answer(few, 1)).isInstanceOf(NotFound.class);
    assertThat(answer(few, 2)).isInstanceOf(Gossip.class);
    PlumtreeFixture small =
        new PlumtreeFixture(STANDARD.withMessageCacheMaxBytes(2_000), A, B, ORIGIN);
    for (int i = 1; i <= 3; i++) {
      small.from(A, new Gossip(TreeId.of(ORIGIN), id(i), 0, new byte[900]));
    }
    assertThat(answer(small, 1)).isInstanceOf(NotFound.class);
    assertThat(answer(small, 2)).isInstanceOf(Gossip.class);
  }

  private static PlumtreeMessage answer(PlumtreeFixture one, long sequence) {
    Graft graft = new Graft(TreeId.of(ORIGIN), Optional.of(id(sequence)));
    return sent(PlumtreeMessage.class, B, one.from(B, graft)).getLast();
  }

  @Test
  void anIntervalOfZeroIsNoMaintenance() {
    PlumtreeFixture one =
        new PlumtreeFixture(
            STANDARD
                .withMaintenanceInterval(Duration.ZERO)
                .withSync(new SyncConfig(false, Duration.ofSeconds(30), Duration.ofSeconds(90), 9)),
            A);
    one.from(A, new Neighbour(false));
    assertThat(one.core.nextDeadline()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void comparisonsIncludeOneNeighbourOfAnotherZoneAndStopWhenDisabled() {
    for (boolean enabled : new boolean[] {true, false}) {
      SyncConfig sync =
          new SyncConfig(enabled, Duration.ofSeconds(10), Duration.ofSeconds(90), 100);
      PlumtreeFixture one = new PlumtreeFixture(STANDARD.withSync(sync));
      one.core.reconcile(
          HashRing.of(Map.of(SELF, "near", A, "near", B, "near", C, "far")), one.now);
      List<PlumtreeEffect> effects = one.pass(15_000);
      assertThat(sent(SyncRequest.class, C, effects)).hasSize(enabled ? 1 : 0);
      long rounds = one.counters.count(PlumtreeMetric.SYNC_ROUNDS);
      assertThat(rounds).isBetween(enabled ? 1L : 0L, enabled ? 2L : 0L);
    }
  }

  @Test
  void eachHealthThresholdIsReportedWhenItIsCrossed() {
    PlumtreeFixture missing = new PlumtreeFixture();
    for (int i = 1; i <= 51; i++) missing.ihave(A, i);
    missing.pass(T1);
    assertThat(missing.core.health(missing.now).message()).isEqualTo("51 messages are missing");
    PlumtreeFixture full =
        new PlumtreeFixture(STANDARD.withMessageCacheMaxSize(10), A, B, C, ORIGIN);
    for (int i = 1; i <= 10; i++) full.gossip(A, i);
    assertThat(full.core.health(full.now).message()).isEqualTo("the message cache is full");
    PlumtreeFixture few = new PlumtreeFixture(STANDARD.withMaxPeers(2), nodes(30));
    assertThat(few.core.health(few.now).message()).isEqualTo("only 2 peers");
    BridgeConfig b = BridgeConfig.standard();
    BridgeConfig bridge =
        new BridgeConfig(true, false, List.of(), true, b.lazarusInterval(), Optional.empty());
    PlumtreeFixture lazy = new PlumtreeFixture(STANDARD.withBridge(bridge), A, ORIGIN);
    lazy.gossip(A, 1);
    lazy.gossip(ORIGIN, 1);
    lazy.core.neighbourDown(A, lazy.now);
    assertThat(lazy.core.health(lazy.now).message()).isEqualTo("no eager peers");
    for (PlumtreeFixture one : List.of(missing, full, few, lazy)) {
      assertThat(one.core.health(one.now).status()).isEqualTo(BroadcastHealth.Status.DEGRADED);
    }
  }

  @Test
  void batchesGrowWithTheRateAndShrinkWhenGraftsFail() {
    BatcherConfig config = BatcherConfig.standard();
    IHaveBatchSizer batcher = new IHaveBatchSizer(config, 16, 0);
    long now = 0;
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 2_000; i++) batcher.countMessage();
      now += config.recalculation().toMillis();
      batcher.recalculate(1, now);
    }
    assertThat(batcher.batchSize()).as("400 a second").isBetween(55, config.maxBatch());
    for (int round = 0; round < 20; round++) {
      now += config.recalculation().toMillis();
      batcher.recalculate(0.5, now);
    }
    assertThat(batcher.batchSize()).isBetween(config.minBatch(), config.minBatch() + 1);
    batcher.recalculate(1, now + 1);
    assertThat(batcher.batchSize()).as("not before the interval").isLessThan(6);
  }

  @Test
  void batchesFollowTheLatencyOfTheLinksAtLowRates() {
    BatcherConfig config = BatcherConfig.standard();
    IHaveBatchSizer slow = new IHaveBatchSizer(config, 16, 0);
    IHaveBatchSizer quick = new IHaveBatchSizer(config, 16, 0);
    for (int round = 1; round <= 20; round++) {
      slow.sampleLatency(500);
      quick.sampleLatency(1);
      slow.recalculate(1, round * config.recalculation().toMillis());
      quick.recalculate(1, round * config.recalculation().toMillis());
    }
    assertThat(slow.batchSize()).isGreaterThan(55);
    assertThat(quick.batchSize()).isLessThan(6);
  }

  private static List<NodeId> pushedTo(List<PlumtreeEffect> effects) {
    return only(PlumtreeEffect.Send.class, effects).stream()
        .filter(send -> send.message() instanceof Gossip)
        .map(PlumtreeEffect.Send::to)
        .toList();
  }

  private static NodeId[] nodes(int count) {
    NodeId[] ids = new NodeId[count];
    for (int i = 0; i < count; i++) ids[i] = new NodeId("n" + i);
    return ids;
  }
}
