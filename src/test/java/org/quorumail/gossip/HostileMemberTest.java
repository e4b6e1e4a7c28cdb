package org.quorumail.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.gossip.OneCore.A;
import static org.quorumail.gossip.OneCore.B;
import static org.quorumail.gossip.OneCore.C;
import static org.quorumail.gossip.OneCore.ORIGIN;
import static org.quorumail.gossip.OneCore.SELF;
import static org.quorumail.gossip.OneCore.id;
import static org.quorumail.gossip.OneCore.only;
import static org.quorumail.gossip.OneCore.sent;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.PlumtreeEffect.Deliver;
import org.quorumail.gossip.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.PlumtreeEffect.LazyDemotion;
import org.quorumail.gossip.PlumtreeEffect.NeighbourAdded;
import org.quorumail.gossip.PlumtreeMessage.Announcement;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.Graft;
import org.quorumail.gossip.PlumtreeMessage.IHave;
import org.quorumail.gossip.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.PlumtreeMessage.OriginState;
import org.quorumail.gossip.PlumtreeMessage.Prune;
import org.quorumail.gossip.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.PlumtreeMessage.SyncRange;
import org.quorumail.gossip.PlumtreeMessage.SyncRequest;

/** A neighbour that has the secret and says what no member says: how far the damage goes. */
class HostileMemberTest {
  private static final long T1 = 500;

  private final OneCore one = new OneCore();

  @Test
  void whatAnotherMadeUpInOurNameSilencesUsNowhere() {
    MessageId madeUp = new MessageId(SELF, 1, Long.MAX_VALUE);
    Gossip lie = new Gossip(TreeId.CHARTED, madeUp, 0, new byte[1]);
    OneCore other = new OneCore(PlumtreeConfig.standard(), A, SELF);
    other.from(A, new Gossip(TreeId.CHARTED, new MessageId(SELF, 2, 9), 0, new byte[1]));
    other.from(A, lie);
    one.from(A, new Gossip(TreeId.CHARTED, new MessageId(SELF, 2, 9), 0, new byte[1]));
    one.from(A, lie);
    for (int i = 0; i < 3; i++) {
      MessageId own = one.broadcast();
      Gossip word = new Gossip(TreeId.CHARTED, own, 0, new byte[1]);
      assertThat(only(Deliver.class, other.from(A, word))).as("%s", own).hasSize(1);
    }
  }

  @Test
  void wordsAboutTreesThatDoNotExistTakeNoRoomFromThoseThatDo() {
    OneCore few = new OneCore(PlumtreeConfig.standard().withMaxTrees(4), A, B, C, ORIGIN);
    for (int i = 0; i < 10; i++) {
      NodeId nobody = new NodeId("nobody" + i);
      TreeId tree = TreeId.of(nobody);
      few.from(A, new Prune(tree));
      few.from(A, new Graft(tree, Optional.empty()));
      few.from(A, new IHave(List.of(new Announcement(tree, new MessageId(nobody, 1, 1), 1))));
      few.from(A, new Gossip(tree, new MessageId(nobody, 1, 2), 1, new byte[1]));
    }
    few.pass(T1);
    few.gossip(A, 1);
    assertThat(only(LazyDemotion.class, few.gossip(B, 1))).as("the origin's tree").hasSize(1);
  }

  @Test
  void aNodeThatSpeaksButCannotBeReachedDoesNotComeAndGoAsFastAsItSpeaks() {
    List<PlumtreeEffect> effects = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      effects.addAll(one.core.sendFailed(A, one.now));
      effects.addAll(one.from(A, new Neighbour(true)));
      effects.addAll(one.pass(10));
    }
    assertThat(only(NeighbourAdded.class, effects)).hasSizeLessThanOrEqualTo(2);
    effects = one.pass(Links.PASSED_OVER_MILLIS + 5_000);
    assertThat(only(NeighbourAdded.class, effects)).as("tried again").hasSize(1);
  }

  @Test
  void whoSpeaksAndNeverAcknowledgesHearsOfAMessageOnlyWhileItCanBeHad() {
    OneCore two = new OneCore(PlumtreeConfig.standard(), A);
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
  void announcementsOfNothingLeaveRoomForThoseOfOthers() {
    for (int i = 1; i <= 2 * MissingTable.MAX_MISSING; i += 50) {
      List<Announcement> lines = new ArrayList<>();
      for (int k = i; k < i + 50; k++) {
        lines.add(new Announcement(TreeId.CHARTED, new MessageId(C, 9, k), 1));
      }
      one.from(A, new IHave(lines));
    }
    one.ihave(B, 1);
    assertThat(only(GraftSent.class, one.pass(T1))).contains(new GraftSent(B, id(1)));
  }

  @Test
  void anAnswerThatNobodyAskedForIsNotRead() {
    OriginState boast = new OriginState(ORIGIN, 7, 1, 1L << 60, new long[0]);
    one.from(A, new SyncDigest(SyncRange.ALL, false, List.of(boast)));
    assertThat(sent(SyncPull.class, A, one.pass(5_000))).isEmpty();
  }

  @Test
  void comparisonsAreAnsweredAsOftenAsAnybodyNeedsThem() {
    for (int i = 0; i < 300; i++) {
      NodeId origin = new NodeId("o" + i);
      one.from(B, new Gossip(TreeId.CHARTED, new MessageId(origin, 1, 1), 1, new byte[1]));
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
  void nobodyPullsMoreThanTheWholeCacheInOneInterval() {
    PlumtreeConfig config = PlumtreeConfig.standard().withMessageCacheMaxBytes(1_000_000);
    OneCore small = new OneCore(config, A, B);
    List<MessageId> ids = new ArrayList<>();
    for (int i = 1; i <= 20; i++) {
      ids.add(id(i));
      small.from(B, new Gossip(TreeId.CHARTED, id(i), 0, new byte[40_000]));
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
  void originsThatDoNotExistPushNoMemberOutOfTheMemoryOfWhatWasSeen() {
    one.core.neighbourUp(ORIGIN, "", one.now);
    one.gossip(A, 1);
    for (int i = 0; i < SeenTable.MAX_SOURCES + 1_000; i++) {
      NodeId nobody = new NodeId("nobody" + i);
      one.from(A, new Gossip(TreeId.CHARTED, new MessageId(nobody, 1, 1), 0, new byte[0]));
    }
    assertThat(only(Deliver.class, one.gossip(B, 1))).isEmpty();
    assertThat(one.core.gauge(PlumtreeMetric.SEEN_MAP_SIZE, one.now))
        .hasValue(SeenTable.MAX_SOURCES);
    one.pass(300_000);
    assertThat(one.tally.count(PlumtreeMetric.SEEN_MAP_EVICTIONS)).isGreaterThan(1_000);
  }
}
