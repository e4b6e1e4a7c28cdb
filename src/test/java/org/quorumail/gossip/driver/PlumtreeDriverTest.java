package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.TreeId;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.SwimMember;

class PlumtreeDriverTest {
  private static final NodeId SELF = new NodeId("self");
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final MemberDirectory book = new MemberDirectory();
  private final RecordingTransport wires = new RecordingTransport();

  /** A delegate that records its calls. */
  private static final class CallRecorder implements GossipDelegate {
    private final List<String> all = new CopyOnWriteArrayList<>();

    @Override
    public void onDeliver(BroadcastId id, byte[] payload) {
      all.add("deliver " + id + " " + payload.length);
    }

    @Override
    public void onEagerPromotion(NodeId peer) {
      all.add("eager " + peer);
    }

    @Override
    public void onLazyDemotion(NodeId peer) {
      all.add("lazy " + peer);
    }

    @Override
    public void onGraftSent(NodeId peer, BroadcastId id) {
      all.add("graft " + peer + " " + id);
    }

    @Override
    public void onPruneSent(NodeId peer) {
      all.add("prune " + peer);
    }

    @Override
    public void onGraftFailed(BroadcastId id, NodeId peer) {
      all.add("failed " + id + " " + peer);
    }
  }

  @Test
  void theDelegateReceivesAllEventsInOrder() {
    CallRecorder notes = new CallRecorder();
    PlumtreeConfig config = PlumtreeConfig.lan().withGraftMaxRetries(1);
    GossipMetrics metrics = new GossipMetrics(registry, true);
    try (DelegateDispatcher delegate = new DelegateDispatcher(notes, () -> {})) {
      PlumtreeDriver driver = driver(config, metrics, delegate);
      delegate.start();
      say(driver, A, gossip(1));
      say(driver, B, gossip(1));
      TreeId tree = TreeId.of(A);
      say(driver, B, new IHave(List.of(new Announcement(tree, id(2), 1))));
      for (long now = 0; now < 3_000; now += 50) driver.tick(now);
      List<String> expected =
          List.of(
              "deliver a/1/1 1", "prune b", "lazy b", "eager b", "graft b a/1/2", "failed a/1/2 b");
      await()
          .untilAsserted(() -> assertThat(notes.all).containsExactlyInAnyOrderElementsOf(expected));
      assertThat(notes.all.getFirst()).isEqualTo("deliver a/1/1 1");
      assertThat(notes.all.indexOf("lazy b")).isLessThan(notes.all.indexOf("eager b"));
      assertThat(notes.all.getLast()).isEqualTo("failed a/1/2 b");
      driver.updateGauges(3_000);
      assertThat(registry.get("plumtree.peer.count").gauge().value()).isEqualTo(2);
      assertThat(registry.get("plumtree.messages.delivered").counter().count()).isEqualTo(1);
      assertThat(registry.get("plumtree.message.hops").summary().count()).isEqualTo(1);
    }
  }

  @Test
  void withoutMetricsThereAreNoSeriesOfBroadcasts() {
    GossipMetrics metrics = new GossipMetrics(registry, false);
    try (DelegateDispatcher delegate = new DelegateDispatcher(new GossipDelegate() {}, () -> {})) {
      PlumtreeDriver driver = driver(PlumtreeConfig.lan(), metrics, delegate);
      say(driver, A, gossip(1));
      driver.updateGauges(0);
      assertThat(registry.getMeters())
          .noneMatch(meter -> meter.getId().getName().startsWith("plumtree"));
    }
  }

  private PlumtreeDriver driver(
      PlumtreeConfig config, GossipMetrics metrics, DelegateDispatcher delegate) {
    BroadcastFormat format = new BroadcastFormat(SELF, config.maxMessageSize());
    DatagramBatcher outbox = new DatagramBatcher(wires);
    PlumtreeDriver driver =
        new PlumtreeDriver(
            new Plumtree(SELF, "", 1, config, new SplittableRandom(1), metrics, 0),
            new NeighbourConnections(wires, outbox, book, format, config, metrics),
            format,
            book,
            metrics,
            delegate,
            metadata -> "",
            false);
    for (NodeId id : List.of(A, B)) {
      NodeAddress address = NodeAddress.ipv4(0x7f000001, 1_000 + id.value().charAt(0));
      SwimMember node = new SwimMember(id, address, 1, NodeMetadata.of(new byte[0]));
      book.put(node, MemberState.ALIVE);
      driver.memberUp(node, 0);
    }
    return driver;
  }

  private static void say(PlumtreeDriver driver, NodeId who, PlumtreeMessage message) {
    driver.handle(new BroadcastFormat(who, 64 << 10).encode(message), 0);
  }

  private static Gossip gossip(long sequence) {
    return new Gossip(TreeId.of(A), id(sequence), 0, new byte[1]);
  }

  private static BroadcastId id(long sequence) {
    return new BroadcastId(A, 1, sequence);
  }
}
