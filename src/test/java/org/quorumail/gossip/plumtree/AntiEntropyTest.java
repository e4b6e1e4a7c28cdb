package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Deliver;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;

/** Two cores that exchange only anti-entropy; all other messages are dropped. */
class AntiEntropyTest {
  private static final NodeId LEFT = new NodeId("left");
  private static final NodeId RIGHT = new NodeId("right");
  private static final NodeId THIRD = new NodeId("third");
  private static final HashRing ALL = HashRing.of(Map.of(LEFT, "", RIGHT, "", THIRD, ""));
  private PlumtreeConfig config =
      PlumtreeConfig.standard().withMessageCacheTtl(Duration.ofMinutes(10));

  private final PlumtreeCounters counters = new PlumtreeCounters();
  private long now = 1_000;
  private Plumtree left = core(LEFT, 1);
  private Plumtree right = core(RIGHT, 1);
  private int deliveredLeft;
  private int deliveredRight;
  private int pushes;
  private int pushed;
  private int unequal;

  private Plumtree core(NodeId id, long incarnation) {
    Plumtree core =
        new Plumtree(id, "", incarnation, config, new SplittableRandom(id.hash64()), counters, now);
    core.reconcile(ALL, now);
    return core;
  }

  @Test
  void gapsOfBothSidesAreFilledOverManyPages() {
    for (int i = 0; i < 1_000; i++) learn(left, "origin-a" + i, 1 + i % 3);
    for (int i = 0; i < 300; i++) learn(right, "origin-b" + i, 1);
    run(120_000);
    assertThat(deliveredRight).isEqualTo(1_000);
    assertThat(deliveredLeft).isEqualTo(300);
    assertThat(pushes).isGreaterThan(1_300 / PlumtreeCodec.MAX_PUSH);
  }

  @Test
  void equalVectorsExchangeNoEntries() {
    for (int i = 0; i < 100; i++) {
      learn(left, "origin" + i, 1);
      learn(right, "origin" + i, 1);
    }
    run(120_000);
    assertThat(counters.count(PlumtreeMetric.SYNC_ROUNDS)).isPositive();
    assertThat(unequal).isZero();
    assertThat(pushes).isZero();
  }

  @Test
  void aRestartedNodeReceivesMissedMessagesAtOnceAndMatchesAgain() {
    for (int i = 0; i < 50; i++) learn(left, "origin" + i, 1);
    run(60_000);
    right = core(RIGHT, 2);
    deliveredRight = 0;
    route(LEFT, left.neighbourDown(RIGHT, now));
    route(LEFT, left.neighbourUp(RIGHT, "", now));
    run(2_000);
    assertThat(deliveredRight).isEqualTo(50);
    // Until the messages that are new to one node have expired on both.
    run(120_000);
    unequal = 0;
    run(120_000);
    assertThat(unequal).isZero();
  }

  @Test
  void aLateJoinerMatchesTheOthersOnceTheMissedMessagesHaveExpired() {
    for (int i = 1; i < 500; i++) learn(left, "origin", i);
    now += 700_000;
    right = core(RIGHT, 2);
    for (int i = 500; i < 900; i++) {
      learn(left, "origin", i);
      learn(right, "origin", i);
      run(10_000);
      if (i == 850) unequal = 0;
    }
    assertThat(counters.count(PlumtreeMetric.SYNC_ROUNDS)).isPositive();
    assertThat(unequal).isZero();
  }

  @Test
  void manyIncarnationsOfOneOriginAreComparedInWholePages() {
    for (int life = 1; life <= 100; life++) {
      for (int i = 0; i < 5; i++) {
        BroadcastId id = new BroadcastId(new NodeId("origin" + i), life, 1);
        left.onMessage(THIRD, new Gossip(TreeId.OVERLAY_PATHS, id, 0, new byte[10]), now);
      }
    }
    run(40_000);
    assertThat(deliveredRight).isEqualTo(500);
    assertThat(pushed).as("only missing messages are sent").isEqualTo(500);
  }

  @Test
  void theStoreProvidesMessagesThatLeftTheCache() {
    config =
        PlumtreeConfig.standard()
            .withMessageCacheTtl(Duration.ofSeconds(1))
            .withSync(new SyncConfig(true, Duration.ofSeconds(30), Duration.ofMinutes(5), 100))
            .withStorage(new StorageConfig(true, 100, Duration.ofMinutes(5), Optional.empty()));
    left = core(LEFT, 1);
    right = core(RIGHT, 1);
    learn(left, "origin", 1);
    learn(left, "origin", 3);
    learn(right, "origin", 2);
    for (int second = 0; second < 5; second++) now = tickOnly(now + 3_000);
    run(60_000);
    assertThat(deliveredRight).isEqualTo(2);
    assertThat(deliveredLeft).isEqualTo(1);
  }

  /** Lets time pass without messages between the two. */
  private long tickOnly(long then) {
    left.tick(then);
    right.tick(then);
    return then;
  }

  @Test
  void expiredMessagesAreNotPulledForever() {
    learn(left, "origin", 1);
    learn(left, "origin", 3);
    learn(right, "origin", 1);
    learn(right, "origin", 2);
    now += 700_000;
    long before = pushes;
    run(300_000);
    assertThat(pushes).isEqualTo(before);
  }

  /** A broadcast from a common neighbour that sends nothing else. */
  private void learn(Plumtree core, String origin, long sequence) {
    BroadcastId id = new BroadcastId(new NodeId(origin), 1, sequence);
    core.onMessage(THIRD, new Gossip(TreeId.OVERLAY_PATHS, id, 0, new byte[10]), now);
  }

  private void run(long millis) {
    long end = now + millis;
    while (now < end) {
      now = Math.min(end, Math.max(now + 1, Math.min(left.nextDeadline(), right.nextDeadline())));
      route(LEFT, left.tick(now));
      route(RIGHT, right.tick(now));
    }
  }

  private record Routed(NodeId from, PlumtreeEffect effect) {}

  private void route(NodeId sender, List<PlumtreeEffect> effects) {
    ArrayDeque<Routed> open = new ArrayDeque<>();
    effects.forEach(effect -> open.add(new Routed(sender, effect)));
    while (!open.isEmpty()) {
      Routed next = open.remove();
      boolean fromLeft = next.from.equals(LEFT);
      if (next.effect instanceof Deliver) {
        if (fromLeft) deliveredLeft++;
        else deliveredRight++;
      }
      if (!(next.effect instanceof Send send) || send.to().equals(THIRD)) continue;
      if (send.message() instanceof Gossip || send.message() instanceof IHave) continue;
      if (send.message() instanceof SyncPush push) {
        pushes++;
        pushed += push.messages().size();
      }
      if (send.message() instanceof SyncDigest digest && !digest.equal()) unequal++;
      Plumtree target = fromLeft ? right : left;
      NodeId to = fromLeft ? RIGHT : LEFT;
      target
          .onMessage(next.from, send.message(), now)
          .forEach(effect -> open.add(new Routed(to, effect)));
    }
  }
}
