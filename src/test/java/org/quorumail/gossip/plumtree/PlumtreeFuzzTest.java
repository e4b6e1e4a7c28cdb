package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Deliver;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Disconnect;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.OriginState;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRange;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRequest;

/** Random messages and calls at random times, from neighbours and the driver. */
class PlumtreeFuzzTest {
  private static final long SEED = 20_261_121;
  private static final int INPUTS = 100_000;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final NodeId[] nodes = new NodeId[40];
  private long now = 1_000;

  @Test
  void randomInputsThrowNothingDeliverOnceAndBreakNoBound() {
    for (int i = 0; i < nodes.length; i++) nodes[i] = new NodeId("n" + i);
    PlumtreeConfig config =
        PlumtreeConfig.lan()
            .withMessageCacheMaxSize(500)
            .withMaxTrees(10)
            .withMaxEagerPeers(5)
            .withMaxLazyPeers(7);
    PlumtreeCodec codec = new PlumtreeCodec(config.maxMessageSize());
    Plumtree core =
        new Plumtree(
            nodes[0], "z", 1, config, new SplittableRandom(1), new PlumtreeCounters(), now);
    Set<BroadcastId> delivered = new HashSet<>();
    for (int i = 0; i < INPUTS; i++) {
      long before = now;
      for (PlumtreeEffect effect : input(core)) {
        if (effect instanceof Deliver d) {
          assertThat(delivered.add(d.id())).as("seed %d: %s again", SEED, d.id()).isTrue();
        }
        if (effect instanceof Send s) {
          assertThat(s.to()).isNotEqualTo(nodes[0]);
          assertThat(codec.encode(s.message()).remaining())
              .isLessThanOrEqualTo(codec.maxEncodedSize());
        }
      }
      assertThat(core.neighbours().size()).as("seed %d", SEED).isLessThanOrEqualTo(12);
      assertThat(core.gauge(PlumtreeMetric.CACHE_SIZE, now).orElseThrow()).isLessThanOrEqualTo(500);
      assertThat(now).isGreaterThanOrEqualTo(before);
      if (i % 200 == 0) assertThat(core.violation()).as("seed %d, input %d", SEED, i).isEmpty();
    }
    assertThat(delivered).hasSizeGreaterThan(100);
    settle(core);
  }

  /** A few ticks handle every past deadline. */
  private void settle(Plumtree core) {
    for (int i = 0; i < 1_000 && core.nextDeadline() <= now; i++) core.tick(now);
    assertThat(core.nextDeadline()).isGreaterThan(now);
  }

  private List<PlumtreeEffect> input(Plumtree core) {
    now += random.nextInt(100) == 0 ? random.nextInt(5_000) : random.nextInt(20);
    NodeId peer = nodes[1 + random.nextInt(nodes.length - 1)];
    return switch (random.nextInt(20)) {
      case 0 -> core.neighbourUp(peer, "z" + random.nextInt(3), now);
      case 1 -> core.neighbourDown(peer, now);
      case 2 -> core.sendFailed(peer, now);
      case 3, 4, 5 -> core.tick(now);
      case 6 -> core.broadcast(new byte[random.nextInt(100)], now).effects();
      case 7 -> {
        core.coalesce("k" + random.nextInt(3), new byte[1], now);
        yield List.of();
      }
      default -> core.onMessage(peer, message(), now);
    };
  }

  private PlumtreeMessage message() {
    return switch (random.nextInt(12)) {
      case 0, 1 -> gossip();
      case 2 -> new IHave(announcements());
      case 3 -> new IHaveAck(ids());
      case 4 -> new Graft(tree(), random.nextBoolean() ? Optional.of(id()) : Optional.empty());
      case 5 -> new Prune(tree());
      case 6 -> new NotFound(id());
      case 7 -> random.nextInt(9) == 0 ? new Disconnect() : new Neighbour(random.nextBoolean());
      case 8 -> new SyncRequest(range(), random.nextLong());
      case 9 -> new SyncDigest(range(), random.nextBoolean(), states());
      case 10 -> new SyncPull(ids());
      default -> new SyncPush(List.of(gossip(), gossip()));
    };
  }

  private Gossip gossip() {
    BroadcastId id = id();
    TreeId tree = random.nextBoolean() ? TreeId.OVERLAY_PATHS : TreeId.of(id.origin());
    return new Gossip(tree, id, random.nextInt(20), new byte[random.nextInt(50)]);
  }

  private List<Announcement> announcements() {
    List<Announcement> lines = new ArrayList<>();
    for (BroadcastId id : ids())
      lines.add(new Announcement(TreeId.OVERLAY_PATHS, id, random.nextInt(9)));
    return lines;
  }

  private List<BroadcastId> ids() {
    List<BroadcastId> ids = new ArrayList<>();
    for (int i = 0; i < random.nextInt(20); i++) ids.add(id());
    return ids;
  }

  private List<OriginState> states() {
    List<OriginState> states = new ArrayList<>();
    for (int i = 0; i < random.nextInt(5); i++) {
      long floor = random.nextInt(1_000);
      long[] words = random.longs(random.nextInt(4)).toArray();
      states.add(new OriginState(node(), random.nextInt(3), random.nextInt(1_000), floor, words));
    }
    return states;
  }

  private SyncRange range() {
    return random.nextBoolean() ? SyncRange.ALL : new SyncRange(node().value(), node().value());
  }

  private TreeId tree() {
    return random.nextBoolean() ? TreeId.OVERLAY_PATHS : TreeId.of(node());
  }

  private BroadcastId id() {
    return new BroadcastId(node(), random.nextInt(3), 1 + random.nextInt(2_000));
  }

  private NodeId node() {
    return nodes[random.nextInt(nodes.length)];
  }
}
