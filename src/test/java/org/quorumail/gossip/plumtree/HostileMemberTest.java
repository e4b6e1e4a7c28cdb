package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.A;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.B;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.C;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.ORIGIN;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.SELF;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.id;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.only;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.sent;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Deliver;
import org.quorumail.gossip.plumtree.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.plumtree.PlumtreeEffect.LazyDemotion;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourAdded;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.plumtree.PlumtreeMessage.OriginState;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRange;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRequest;

/** The bounds of the damage by a hostile neighbour that knows the secret. */
class HostileMemberTest {
  private static final long T1 = 500;

  private final PlumtreeFixture one = new PlumtreeFixture();

  @Test
  void forgedIdsOfThisNodeDoNotHideItsBroadcasts() {
    BroadcastId madeUp = new BroadcastId(SELF, 1, Long.MAX_VALUE);
    Gossip forged = new Gossip(TreeId.OVERLAY_PATHS, madeUp, 0, new byte[1]);
    PlumtreeFixture other = new PlumtreeFixture(PlumtreeConfig.standard(), A, SELF);
    other.from(A, new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(SELF, 2, 9), 0, new byte[1]));
    other.from(A, forged);
    one.from(A, new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(SELF, 2, 9), 0, new byte[1]));
    one.from(A, forged);
    for (int i = 0; i < 3; i++) {
      BroadcastId own = one.broadcast();
      Gossip word = new Gossip(TreeId.OVERLAY_PATHS, own, 0, new byte[1]);
      assertThat(only(Deliver.class, other.from(A, word))).as("%s", own).hasSize(1);
    }
  }

  @Test
  void messagesAboutUnknownTreesTakeNoRoomFromExistingTrees() {
    PlumtreeFixture few =
        new PlumtreeFixture(PlumtreeConfig.standard().withMaxTrees(4), A, B, C, ORIGIN);
    for (int i = 0; i < 10; i++) {
      NodeId nobody = new NodeId("nobody" + i);
      TreeId tree = TreeId.of(nobody);
      few.from(A, new Prune(tree));
      few.from(A, new Graft(tree, Optional.empty()));
      few.from(A, new IHave(List.of(new Announcement(tree, new BroadcastId(nobody, 1, 1), 1))));
      few.from(A, new Gossip(tree, new BroadcastId(nobody, 1, 2), 1, new byte[1]));
    }
    few.pass(T1);
    few.gossip(A, 1);
    assertThat(only(LazyDemotion.class, few.gossip(B, 1))).as("the origin's tree").hasSize(1);
  }

  @Test
  void anUnreachableNodeThatSendsIsNotReadmittedAtEachMessage() {
    List<PlumtreeEffect> effects = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      effects.addAll(one.core.sendFailed(A, one.now));
      effects.addAll(one.from(A, new Neighbour(true)));
      effects.addAll(one.pass(10));
    }
    assertThat(only(NeighbourAdded.class, effects)).hasSizeLessThanOrEqualTo(2);
    effects = one.pass(PeerSet.EXCLUSION_MILLIS + 5_000);
    assertThat(only(NeighbourAdded.class, effects)).as("tried again").hasSize(1);
  }

  @Test
  void aNeighbourThatNeverAcknowledgesReceivesAnnouncementsOnlyWhileThePayloadIsAvailable() {
    PlumtreeFixture two = new PlumtreeFixture(PlumtreeConfig.standard(), A);
    two.broadcast();
    for (int second = 0; second < 70; second++) {
      two.from(A, new Neighbour(true));
      two.pass(1_000);
    }
    two.from(A, new Neighbour(true));
    assertThat(sent(IHave.class, A, two.pass(5_000))).isEmpty();
    assertThat(two.core.neighbours()).contains(A);
  }

  @Test
  void announcementsOfUnknownMessagesLeaveRoomForThoseOfOtherNeighbours() {
    for (int i = 1; i <= 2 * MissingTable.MAX_MISSING; i += 50) {
      List<Announcement> lines = new ArrayList<>();
      for (int k = i; k < i + 50; k++) {
        lines.add(new Announcement(TreeId.OVERLAY_PATHS, new BroadcastId(C, 9, k), 1));
      }
      one.from(A, new IHave(lines));
    }
    one.ihave(B, 1);
    assertThat(only(GraftSent.class, one.pass(T1))).contains(new GraftSent(B, id(1)));
  }

  @Test
  void anUnrequestedDigestIsIgnored() {
    OriginState boast = new OriginState(ORIGIN, 7, 1, 1L << 60, new long[0]);
    one.from(A, new SyncDigest(SyncRange.ALL, false, List.of(boast)));
    assertThat(sent(SyncPull.class, A, one.pass(5_000))).isEmpty();
  }

  @Test
  void comparisonsAreLimitedPerNeighbour() {
    for (int i = 0; i < 300; i++) {
      NodeId origin = new NodeId("o" + i);
      one.from(B, new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(origin, 1, 1), 1, new byte[1]));
    }
    int answers = 0;
    for (int i = 0; i < 2_000; i++) {
      answers += sent(SyncDigest.class, A, one.from(A, new SyncRequest(SyncRange.ALL, 1))).size();
    }
    assertThat(answers).isBetween(100, 2 * SeenTable.MAX_SOURCES / 300);
    one.pass(60_000);
    assertThat(sent(SyncDigest.class, A, one.from(A, new SyncRequest(SyncRange.ALL, 1))))
        .hasSize(1);
  }

  @Test
  void aNeighbourPullsAtMostTheWholeCacheInOneInterval() {
    PlumtreeConfig config = PlumtreeConfig.standard().withMessageCacheMaxBytes(1_000_000);
    PlumtreeFixture small = new PlumtreeFixture(config, A, B);
    List<BroadcastId> ids = new ArrayList<>();
    for (int i = 1; i <= 20; i++) {
      ids.add(id(i));
      small.from(B, new Gossip(TreeId.OVERLAY_PATHS, id(i), 0, new byte[40_000]));
    }
    long given = 0;
    for (int i = 0; i < 100; i++) {
      for (SyncPush push : sent(SyncPush.class, A, small.from(A, new SyncPull(ids)))) {
        given += push.messages().stream().mapToLong(m -> m.payload().length).sum();
      }
    }
    assertThat(given).isBetween(800_000L, 1_000_000L);
  }

  @Test
  void unknownOriginsEvictNoMemberFromTheSeenTable() {
    one.core.neighbourUp(ORIGIN, "", one.now);
    one.gossip(A, 1);
    for (int i = 0; i < SeenTable.MAX_SOURCES + 1_000; i++) {
      NodeId nobody = new NodeId("nobody" + i);
      one.from(A, new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(nobody, 1, 1), 0, new byte[0]));
    }
    assertThat(only(Deliver.class, one.gossip(B, 1))).isEmpty();
    assertThat(one.core.gauge(PlumtreeMetric.SEEN_MAP_SIZE, one.now))
        .hasValue(SeenTable.MAX_SOURCES);
    one.pass(300_000);
    assertThat(one.counters.count(PlumtreeMetric.SEEN_MAP_EVICTIONS)).isGreaterThan(1_000);
  }
}
