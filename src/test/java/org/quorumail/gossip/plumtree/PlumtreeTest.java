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
import static org.quorumail.gossip.plumtree.PlumtreeFixture.receiver;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.sent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Deliver;
import org.quorumail.gossip.plumtree.PlumtreeEffect.EagerPromotion;
import org.quorumail.gossip.plumtree.PlumtreeEffect.GraftFailed;
import org.quorumail.gossip.plumtree.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.plumtree.PlumtreeEffect.LazyDemotion;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourAdded;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourRemoved;
import org.quorumail.gossip.plumtree.PlumtreeEffect.PruneSent;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Reason;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Disconnect;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;

/** The claims of the paper, and each weakness of memberlist-plumtree avoided. */
class PlumtreeTest {
  private static final TreeId TREE = TreeId.of(ORIGIN);
  private static final long T1 = 500;
  private static final long T2 = 250;

  private final PlumtreeFixture one = new PlumtreeFixture();

  @Test
  void aNewMessageIsDeliveredOnceAndPushedToAllButItsSender() {
    List<PlumtreeEffect> effects = one.gossip(A, 1);
    assertThat(only(Deliver.class, effects)).hasSize(1);
    assertThat(sent(Gossip.class, A, effects)).isEmpty();
    assertThat(sent(Gossip.class, B, effects)).hasSize(1);
    assertThat(sent(Gossip.class, C, effects)).hasSize(1);
    assertThat(only(Deliver.class, one.gossip(B, 1))).isEmpty();
  }

  @Test
  void anAnnouncedMessageIsGraftedAfterT1AndThenFromOneAnnouncerPerT2() {
    one.ihave(A, 1);
    one.ihave(B, 1);
    assertThat(only(GraftSent.class, one.pass(T1 - 1))).isEmpty();
    assertThat(only(GraftSent.class, one.pass(1))).containsExactly(new GraftSent(A, id(1)));
    assertThat(only(GraftSent.class, one.pass(T2 - 1))).isEmpty();
    assertThat(only(GraftSent.class, one.pass(1))).containsExactly(new GraftSent(B, id(1)));
  }

  @Test
  void graftsGoOnlyToAnnouncersAndEndAfterTheRetries() {
    one.ihave(A, 1);
    one.ihave(B, 1);
    List<PlumtreeEffect> effects = one.pass(10_000);
    assertThat(only(GraftSent.class, effects)).hasSize(5).noneMatch(g -> g.peer().equals(C));
    assertThat(only(GraftFailed.class, effects)).hasSize(1);
    assertThat(one.counters.count(PlumtreeMetric.GRAFT_FAILED)).isEqualTo(1);
    one.ihave(B, 1);
    assertThat(only(GraftSent.class, one.pass(T1))).containsExactly(new GraftSent(B, id(1)));
  }

  @Test
  void aPayloadInTimeNeedsNoGraft() {
    one.ihave(A, 1);
    one.pass(T1 - 1);
    one.gossip(B, 1);
    assertThat(only(GraftSent.class, one.pass(5_000))).isEmpty();
  }

  @Test
  void theFirstDuplicatePrunesItsSenderInThatTreeOnly() {
    one.gossip(A, 1);
    List<PlumtreeEffect> effects = one.gossip(B, 1);
    assertThat(sent(Prune.class, B, effects)).containsExactly(new Prune(TREE));
    assertThat(only(PruneSent.class, effects)).containsExactly(new PruneSent(B));
    assertThat(only(LazyDemotion.class, effects)).containsExactly(new LazyDemotion(TREE, B));
    List<PlumtreeEffect> next = one.gossip(A, 2);
    assertThat(sent(Gossip.class, B, next)).as("lazy in this tree").isEmpty();
    NodeId other = new NodeId("other");
    Gossip elsewhere = new Gossip(TreeId.of(other), new BroadcastId(other, 1, 1), 0, new byte[1]);
    assertThat(sent(Gossip.class, B, one.from(A, elsewhere))).as("eager in others").hasSize(1);
  }

  @Test
  void aPrunedLinkIsPrunedAtMostOncePerSecond() {
    one.gossip(A, 1);
    one.gossip(B, 1);
    assertThat(sent(Prune.class, B, one.gossip(B, 1))).isEmpty();
    one.pass(PlumtreeContext.PRUNE_WINDOW_MILLIS);
    assertThat(sent(Prune.class, B, one.gossip(B, 1))).hasSize(1);
  }

  @Test
  void severalMessagesInFlightLeaveOneParent() {
    one.gossip(A, 1);
    one.gossip(B, 2);
    List<PlumtreeEffect> effects = new ArrayList<>(one.gossip(B, 1));
    effects.addAll(one.gossip(A, 2));
    assertThat(only(PruneSent.class, effects)).containsExactly(new PruneSent(A));
    // A message in flight on the pruned link is new here, yet the link stays pruned.
    assertThat(only(EagerPromotion.class, one.gossip(A, 3))).isEmpty();
    assertThat(only(PruneSent.class, one.gossip(B, 3))).isEmpty();
  }

  @Test
  void hopsCountTheLinksFromTheOrigin() {
    List<PlumtreeEffect> effects = one.from(A, message(1, 4));
    assertThat(only(Deliver.class, effects).getFirst().hops()).isEqualTo(5);
    assertThat(sent(Gossip.class, B, effects).getFirst().hop()).isEqualTo(5);
    BroadcastId own = one.broadcast();
    assertThat(own).isEqualTo(new BroadcastId(SELF, 1, 1));
    List<PlumtreeEffect> second = one.core.broadcast(new byte[1], one.now).effects();
    assertThat(sent(Gossip.class, A, second).getFirst().hop()).isZero();
  }

  @Test
  void announcementsAreRepeatedUntilAcknowledged() {
    one.gossip(A, 1);
    one.gossip(B, 1);
    one.gossip(C, 1);
    one.pass(5_000);
    one.gossip(A, 2);
    List<PlumtreeEffect> flushed = one.pass(100);
    assertThat(announced(B, flushed)).containsExactly(id(2));
    assertThat(announced(C, flushed)).containsExactly(id(2));
    one.from(B, new IHaveAck(List.of(id(2))));
    List<PlumtreeEffect> later = one.pass(T1);
    assertThat(announced(B, later)).isEmpty();
    assertThat(announced(C, later)).containsExactly(id(2));
  }

  @Test
  void anUnacknowledgedPushIsAnnounced() {
    one.gossip(A, 1);
    assertThat(announced(B, one.pass(T1))).containsExactly(id(1));
    one.from(B, new IHaveAck(List.of(id(1))));
    assertThat(announced(B, one.pass(5_000))).isEmpty();
  }

  @Test
  void anAnnouncementFromTheOtherEndIsAnAcknowledgement() {
    one.gossip(A, 1);
    one.ihave(B, 1);
    List<PlumtreeEffect> effects = one.pass(5_000);
    assertThat(announced(B, effects)).isEmpty();
    assertThat(sent(IHaveAck.class, B, effects)).as("the push acknowledges it").isEmpty();
  }

  @Test
  void aMessageThatLeftTheCacheIsStillSeen() {
    one.gossip(A, 1);
    one.pass(3 * 60_000 + 10_000);
    assertThat(one.core.gauge(PlumtreeMetric.CACHE_SIZE, one.now)).hasValue(0);
    assertThat(only(Deliver.class, one.gossip(B, 1))).isEmpty();
    one.ihave(C, 1);
    assertThat(only(GraftSent.class, one.pass(5_000))).isEmpty();
  }

  @Test
  void aGraftForAGoneMessageIsAnsweredAndTheNextAnnouncerIsGraftedAtOnce() {
    List<PlumtreeEffect> answer = one.from(A, new Graft(TREE, Optional.of(id(9))));
    assertThat(sent(NotFound.class, A, answer)).containsExactly(new NotFound(id(9)));
    one.ihave(A, 1);
    one.ihave(B, 1);
    one.pass(T1);
    assertThat(receiver(Graft.class, one.from(A, new NotFound(id(1))))).contains(B);
    assertThat(only(GraftFailed.class, one.from(B, new NotFound(id(1))))).hasSize(1);
  }

  @Test
  void aGraftReceivesThePayloadAndMakesTheLinkEager() {
    one.gossip(A, 1);
    one.gossip(B, 1);
    List<PlumtreeEffect> effects = one.from(B, new Graft(TREE, Optional.of(id(1))));
    assertThat(sent(Gossip.class, B, effects)).hasSize(1);
    assertThat(only(EagerPromotion.class, effects)).containsExactly(new EagerPromotion(TREE, B));
    assertThat(sent(Gossip.class, B, one.gossip(A, 2))).hasSize(1);
  }

  @Test
  void graftsAreLimitedPerPeerAndByBytes() {
    for (int i = 1; i <= 40; i++) one.gossip(A, i);
    int served = 0;
    for (int i = 1; i <= 40; i++) {
      served += sent(Gossip.class, B, one.from(B, new Graft(TREE, Optional.of(id(i))))).size();
    }
    assertThat(served).isEqualTo(20);
    PlumtreeFixture thrifty =
        new PlumtreeFixture(
            PlumtreeConfig.standard().withGraftRateLimitBytes(1_500).withMaxMessageSize(1_000),
            A,
            B,
            C);
    for (int i = 1; i <= 5; i++) {
      thrifty.from(A, new Gossip(TREE, id(i), 0, new byte[1_000]));
    }
    List<PlumtreeEffect> first = thrifty.from(B, new Graft(TREE, Optional.of(id(1))));
    List<PlumtreeEffect> second = thrifty.from(C, new Graft(TREE, Optional.of(id(2))));
    assertThat(sent(Gossip.class, B, first)).hasSize(1);
    assertThat(sent(Gossip.class, C, second)).isEmpty();
    assertThat(thrifty.counters.count(PlumtreeMetric.GRAFTS_REFUSED)).isEqualTo(1);
  }

  @Test
  void aReplayIsNeverDeliveredAndAnotherIncarnationIsAnotherSource() {
    one.core.neighbourUp(ORIGIN, "", one.now);
    for (int i = 1; i <= 50; i++) one.gossip(A, i);
    one.pass(3_600_000);
    for (int i = 1; i <= 50; i++) assertThat(only(Deliver.class, one.gossip(B, i))).isEmpty();
    Gossip reborn = new Gossip(TREE, new BroadcastId(ORIGIN, 6, 1), 0, new byte[1]);
    assertThat(only(Deliver.class, one.from(A, reborn))).as("a lower incarnation").hasSize(1);
  }

  @Test
  void aNodeRestartedWithItsOldIncarnationChoosesAnother() {
    Announcement known = new Announcement(TreeId.OVERLAY_PATHS, new BroadcastId(SELF, 1, 41), 3);
    one.from(A, new IHave(List.of(known)));
    assertThat(one.broadcast()).isEqualTo(new BroadcastId(SELF, 2, 1));
  }

  @Test
  void aRareOriginUsesOverlayPathsAndAFrequentOneHasATreeWhileThereIsRoom() {
    assertThat(treeOfBroadcast(one)).isEqualTo(TreeId.OVERLAY_PATHS);
    assertThat(treeOfBroadcast(one)).isEqualTo(TreeId.of(SELF));
    one.pass(61_000);
    assertThat(treeOfBroadcast(one)).isEqualTo(TreeId.OVERLAY_PATHS);
    PlumtreeFixture full =
        new PlumtreeFixture(PlumtreeConfig.standard().withMaxTrees(1), A, B, C, ORIGIN);
    full.gossip(A, 1);
    treeOfBroadcast(full);
    assertThat(treeOfBroadcast(full)).as("the only tree is taken").isEqualTo(TreeId.OVERLAY_PATHS);
  }

  @Test
  void aFailedSendReplacesTheNeighbourBeforeTheMembershipKnows() {
    PlumtreeFixture many = new PlumtreeFixture(PlumtreeConfig.standard(), nodes(30));
    NodeId failed = many.core.neighbours().iterator().next();
    List<PlumtreeEffect> effects = many.core.sendFailed(failed, many.now);
    assertThat(only(NeighbourRemoved.class, effects))
        .containsExactly(new NeighbourRemoved(failed, Reason.UNREACHABLE));
    assertThat(only(NeighbourAdded.class, effects)).hasSize(1);
    NodeId next = only(NeighbourAdded.class, effects).getFirst().peer();
    assertThat(sent(Neighbour.class, next, effects)).containsExactly(new Neighbour(false));
    assertThat(many.core.neighbours()).doesNotContain(failed);
    many.from(failed, new Neighbour(false));
    assertThat(many.core.neighbours()).as("its own message readmits it").contains(failed);
  }

  @Test
  void aNeighbourThatAcknowledgesNothingIsReplaced() {
    PlumtreeFixture many = new PlumtreeFixture(PlumtreeConfig.standard(), nodes(30));
    many.broadcast();
    List<NodeId> before = List.copyOf(many.core.neighbours());
    List<PlumtreeEffect> effects = many.pass(10 * T1);
    assertThat(only(NeighbourRemoved.class, effects))
        .filteredOn(removed -> before.contains(removed.peer()))
        .hasSize(before.size())
        .allMatch(removed -> removed.reason() == Reason.SILENT);
  }

  @Test
  void aLaggingNeighbourReceivesAnnouncementsAndTheBroadcastIsDegraded() {
    PlumtreeFixture small =
        new PlumtreeFixture(
            PlumtreeConfig.standard().withPeerByteBudget(2_500).withMaxMessageSize(1_000), A);
    assertThat(small.core.broadcast(new byte[1_000], small.now))
        .isInstanceOf(BroadcastResult.Accepted.class);
    BroadcastResult second = small.core.broadcast(new byte[1_000], small.now);
    assertThat(second)
        .isInstanceOfSatisfying(
            BroadcastResult.Degraded.class,
            d -> assertThat(d.pressure()).isEqualTo(BroadcastResult.Pressure.NEIGHBOUR_LAGS));
    BroadcastResult third = small.core.broadcast(new byte[1_000], small.now);
    assertThat(sent(Gossip.class, A, third.effects())).isEmpty();
    assertThat(announced(A, small.pass(100))).hasSize(1);
  }

  @Test
  void aBroadcastIsAcceptedOrRejectedWithItsReason() {
    PlumtreeConfig config = PlumtreeConfig.standard().withMaxMessageSize(10);
    PlumtreeFixture alone = new PlumtreeFixture(config);
    assertThat(alone.core.broadcast(new byte[11], alone.now))
        .isEqualTo(new BroadcastResult.Rejected(BroadcastResult.Refusal.MESSAGE_TOO_LARGE));
    assertThat(alone.core.broadcast(new byte[10], alone.now))
        .isInstanceOf(BroadcastResult.Degraded.class);
    assertThat(announced(A, alone.core.neighbourUp(A, "", alone.now))).isEmpty();
    assertThat(announced(A, alone.pass(100))).as("kept for the next neighbour").hasSize(1);
    alone.core.shutdown();
    assertThat(alone.core.broadcast(new byte[1], alone.now))
        .isEqualTo(new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN));
  }

  @Test
  void afterTenThousandUnacknowledgedBroadcastsTheNextIsRejected() {
    PlumtreeFixture small = new PlumtreeFixture(PlumtreeConfig.standard(), A);
    for (int i = 0; i < Link.MAX_OUTSTANDING; i++) small.core.broadcast(new byte[1], small.now);
    assertThat(small.core.broadcast(new byte[1], small.now))
        .isEqualTo(new BroadcastResult.Rejected(BroadcastResult.Refusal.QUEUE_FULL));
  }

  @Test
  void aSnapshotRepairsLostEventsOfBothKinds() {
    NodeId d = new NodeId("d");
    one.core.reconcile(PlumtreeFixture.hashRing(A, d), one.now);
    assertThat(one.core.neighbours()).containsExactlyInAnyOrder(A, d);
    one.core.neighbourUp(B, "", one.now);
    one.core.neighbourDown(d, one.now);
    assertThat(one.core.neighbours()).containsExactlyInAnyOrder(A, B);
  }

  @Test
  void aGoneNeighbourIsNotAwaited() {
    one.ihave(A, 1);
    one.ihave(B, 1);
    one.pass(T1);
    one.core.neighbourDown(A, one.now);
    assertThat(only(GraftSent.class, one.pass(1))).containsExactly(new GraftSent(B, id(1)));
  }

  @Test
  void ofSeveralValuesForOneKeyOnlyTheLastIsSentAndOnlyWithTheTick() {
    for (byte i = 1; i <= 50; i++) one.core.coalesce("load", new byte[] {i}, one.now);
    List<PlumtreeEffect> effects = one.pass(100);
    assertThat(sent(Gossip.class, A, effects)).hasSize(1);
    assertThat(sent(Gossip.class, A, effects).getFirst().payload()).containsExactly(50);
  }

  @Test
  void aTreeChangesToAPathThatIsShorterByTheThreshold() {
    List<PlumtreeEffect> effects = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      one.ihave(B, i);
      effects.addAll(one.from(A, message(i, 5)));
    }
    assertThat(sent(Graft.class, B, effects)).as("not at once, or all would").isEmpty();
    one.pass(10_000);
    one.ihave(B, 4);
    effects = one.from(A, message(4, 5));
    assertThat(sent(Graft.class, B, effects)).containsExactly(new Graft(TREE, Optional.empty()));
    assertThat(sent(Prune.class, A, effects)).containsExactly(new Prune(TREE));
  }

  @Test
  void furtherEagerLinksReceiveThePayloadAndAPrune() {
    PlumtreeFixture capped =
        new PlumtreeFixture(PlumtreeConfig.standard().withMaxEagerPeers(3), A, B, ORIGIN);
    capped.gossip(A, 1);
    NodeId guest = new NodeId("guest");
    List<PlumtreeEffect> effects = capped.from(guest, new Graft(TREE, Optional.of(id(1))));
    assertThat(sent(Gossip.class, guest, effects)).hasSize(1);
    assertThat(sent(Prune.class, guest, effects)).hasSize(1);
  }

  @Test
  void linksAreBoundedAndARefusedNodeReceivesADisconnect() {
    PlumtreeFixture capped =
        new PlumtreeFixture(PlumtreeConfig.standard().withMaxPeers(4), A, B, C);
    capped.from(new NodeId("x1"), new Neighbour(false));
    List<PlumtreeEffect> effects = capped.from(new NodeId("x2"), new Neighbour(false));
    assertThat(receiver(Disconnect.class, effects)).contains(new NodeId("x2"));
    assertThat(capped.core.neighbours()).hasSize(4);
  }

  @Test
  void aFullMissingTableIgnoresAnnouncements() {
    for (int i = 1; i <= 2 * MissingTable.MAX_MISSING; i += 50) {
      List<Announcement> lines = new ArrayList<>();
      for (int k = i; k < i + 50; k++) lines.add(new Announcement(TREE, id(k), 1));
      one.from(A, new IHave(lines));
    }
    assertThat(one.counters.count(PlumtreeMetric.IHAVE_IGNORED)).isPositive();
    assertThat(one.core.health(one.now).delivery().pendingGrafts())
        .isLessThanOrEqualTo(MissingTable.MAX_MISSING);
  }

  @Test
  void leavingWaitsForAcknowledgementsAndNotForAWhile() {
    PlumtreeFixture two = new PlumtreeFixture(PlumtreeConfig.standard(), A);
    BroadcastId id = two.broadcast();
    assertThat(two.core.isDrained()).isFalse();
    two.core.close();
    assertThat(two.core.broadcast(new byte[1], two.now))
        .isEqualTo(new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN));
    assertThat(announced(A, two.pass(T1))).as("repeats it").containsExactly(id);
    two.from(new NodeId("guest"), new Neighbour(false));
    two.gossip(new NodeId("guest"), 1); // forwarded to a, which does not acknowledge it
    two.from(A, new IHaveAck(List.of(id)));
    two.from(new NodeId("guest"), new IHaveAck(List.of(id)));
    assertThat(two.core.isDrained()).isTrue();
    assertThat(receiver(Disconnect.class, two.core.shutdown())).contains(A);
  }

  @Test
  void theHealthReportNamesTheFirstProblem() {
    PlumtreeFixture alone = new PlumtreeFixture(PlumtreeConfig.standard());
    assertThat(alone.core.health(alone.now).status()).isEqualTo(BroadcastHealth.Status.UNHEALTHY);
    assertThat(alone.core.health(alone.now).message()).isEqualTo("no peers");
    assertThat(one.core.health(one.now).status()).isEqualTo(BroadcastHealth.Status.HEALTHY);
    for (int i = 1; i <= 3; i++) one.ihave(A, i);
    one.pass(10_000);
    BroadcastHealth failing = one.core.health(one.now);
    assertThat(failing.message()).isEqualTo("100 % of the grafts fail");
    assertThat(failing.status()).isEqualTo(BroadcastHealth.Status.UNHEALTHY);
    assertThat(failing.delivery().failed()).isEqualTo(3);
    one.core.shutdown();
    assertThat(one.core.health(one.now).message()).isEqualTo("shut down");
  }

  @Test
  void anIdleClusterSendsLessThanOneMessagePerTwoSeconds() {
    PlumtreeFixture many =
        new PlumtreeFixture(
            PlumtreeConfig.standard().withMaintenanceInterval(Duration.ofSeconds(2)), nodes(30));
    int sends = 0;
    for (int minute = 0; minute < 10; minute++) {
      List<PlumtreeEffect> effects = many.pass(60_000);
      for (Send send : only(Send.class, effects)) {
        sends++;
        if (send.message() instanceof Neighbour) many.from(send.to(), new Neighbour(true));
      }
    }
    assertThat(sends / 600.0).as("messages per second").isLessThan(0.5);
  }

  @Test
  void everyMetricOfTheCoreIsCounted() {
    PlumtreeFixture fed = new PlumtreeFixture();
    fed.broadcast();
    fed.gossip(A, 1);
    fed.gossip(B, 1);
    fed.ihave(B, 2);
    fed.pass(T1 + T2);
    fed.gossip(B, 2);
    fed.ihave(C, 3);
    fed.pass(10_000);
    fed.core.neighbourDown(C, fed.now);
    for (PlumtreeMetric metric :
        List.of(
            PlumtreeMetric.MESSAGES_BROADCAST,
            PlumtreeMetric.MESSAGES_DELIVERED,
            PlumtreeMetric.MESSAGES_DUPLICATE,
            PlumtreeMetric.GOSSIP_SENT,
            PlumtreeMetric.IHAVE_SENT,
            PlumtreeMetric.GRAFT_SENT,
            PlumtreeMetric.PRUNE_SENT,
            PlumtreeMetric.GRAFT_SUCCESS,
            PlumtreeMetric.GRAFT_FAILED,
            PlumtreeMetric.GRAFT_RETRIES,
            PlumtreeMetric.PEER_PROMOTIONS,
            PlumtreeMetric.PEER_DEMOTIONS,
            PlumtreeMetric.PEER_ADDED,
            PlumtreeMetric.PEER_REMOVED,
            PlumtreeMetric.GRAFT_LATENCY_SECONDS,
            PlumtreeMetric.MESSAGE_SIZE_BYTES,
            PlumtreeMetric.MESSAGE_HOPS,
            PlumtreeMetric.IHAVE_BATCH_SIZE)) {
      assertThat(fed.counters.count(metric)).as("%s", metric).isPositive();
    }
  }

  @Test
  void theGaugesCountLinksByTheAgeOfTheirLastMessage() {
    one.gossip(A, 1);
    one.gossip(B, 1);
    one.pass(T1);
    for (PlumtreeMetric gauge : PlumtreeMetric.values()) {
      boolean cores =
          gauge.kind() == PlumtreeMetric.Kind.GAUGE && gauge != PlumtreeMetric.QUIC_CONNECTIONS;
      assertThat(one.core.gauge(gauge, one.now).isPresent()).as("%s", gauge).isEqualTo(cores);
    }
    assertThat(one.core.gauge(PlumtreeMetric.PEER_COUNT, one.now)).hasValue(4);
    assertThat(one.core.gauge(PlumtreeMetric.EAGER_PEERS, one.now)).hasValue(3);
    assertThat(one.core.gauge(PlumtreeMetric.LAZY_PEERS, one.now)).hasValue(1);
    assertThat(one.core.gauge(PlumtreeMetric.IHAVE_QUEUE_SIZE, one.now)).hasValue(2);
    assertThat(one.core.gauge(PlumtreeMetric.PEERS_HEALTHY, one.now + 69_000)).hasValue(4);
    assertThat(one.core.gauge(PlumtreeMetric.PEERS_DEGRADED, one.now + 80_000)).hasValue(4);
    assertThat(one.core.gauge(PlumtreeMetric.PEERS_ZOMBIE, one.now + 300_000)).hasValue(4);
  }

  @Test
  void allDocumentedMetricsExist() {
    Set<String> names = new TreeSet<>();
    for (PlumtreeMetric metric : PlumtreeMetric.values()) names.add(metric.seriesName());
    for (String name : DOCUMENTED.split("\\s+")) assertThat(names).contains("plumtree_" + name);
  }

  private static final String DOCUMENTED =
      """
      messages_broadcast messages_delivered messages_duplicate gossip_sent ihave_sent graft_sent
      prune_sent graft_success graft_failed graft_retries peer_promotions peer_demotions peer_added
      peer_removed seen_map_evictions priority_enqueued priority_dequeued priority_dropped
      compression_bytes_in compression_bytes_saved compression_messages compression_skipped
      quic_bytes_sent quic_bytes_received quic_datagrams_sent quic_datagrams_received
      quic_disconnections quic_migrations quic_streams_opened quic_zero_rtt graft_latency_seconds
      message_size_bytes message_hops ihave_batch_size eager_peers lazy_peers peer_count
      peers_healthy peers_degraded peers_zombie cache_size seen_map_size ihave_queue_size
      pending_grafts quic_connections
      """;

  private static TreeId treeOfBroadcast(PlumtreeFixture one) {
    List<PlumtreeEffect> effects = one.core.broadcast(new byte[1], one.now).effects();
    return only(Send.class, effects).stream()
        .map(send -> ((Gossip) send.message()).tree())
        .findFirst()
        .orElseThrow();
  }

  private static List<BroadcastId> announced(NodeId to, List<PlumtreeEffect> effects) {
    return sent(IHave.class, to, effects).stream()
        .flatMap(m -> m.announcements().stream())
        .map(Announcement::id)
        .toList();
  }

  private static NodeId[] nodes(int count) {
    NodeId[] ids = new NodeId[count];
    for (int i = 0; i < count; i++) ids[i] = new NodeId("n" + i);
    return ids;
  }
}
