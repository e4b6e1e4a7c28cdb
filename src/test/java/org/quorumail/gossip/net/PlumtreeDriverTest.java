package org.quorumail.gossip.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.MessageId;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Plumtree;
import org.quorumail.gossip.PlumtreeConfig;
import org.quorumail.gossip.PlumtreeMessage;
import org.quorumail.gossip.PlumtreeMessage.Announcement;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.IHave;
import org.quorumail.gossip.TreeId;

class PlumtreeDriverTest {
  private static final NodeId SELF = new NodeId("self");
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final MemberBook book = new MemberBook();
  private final NotedTransport wires = new NotedTransport();

  /** Writes down what it is told. */
  private static final class Notes implements GossipDelegate {
    private final List<String> all = new CopyOnWriteArrayList<>();

    @Override
    public void onDeliver(MessageId id, byte[] payload) {
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
    public void onGraftSent(NodeId peer, MessageId id) {
      all.add("graft " + peer + " " + id);
    }

    @Override
    public void onPruneSent(NodeId peer) {
      all.add("prune " + peer);
    }

    @Override
    public void onGraftFailed(MessageId id, NodeId peer) {
      all.add("failed " + id + " " + peer);
    }
  }

  @Test
  void theDelegateIsToldOfEverythingInItsOrder() {
    Notes notes = new Notes();
    PlumtreeConfig config = PlumtreeConfig.lan().withGraftMaxRetries(1);
    GossipMetrics metrics = new GossipMetrics(registry, true);
    try (DelegateThread delegate = new DelegateThread(notes, () -> {})) {
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
      driver.measure(3_000);
      assertThat(registry.get("plumtree.peer.count").gauge().value()).isEqualTo(2);
      assertThat(registry.get("plumtree.messages.delivered").counter().count()).isEqualTo(1);
      assertThat(registry.get("plumtree.message.hops").summary().count()).isEqualTo(1);
    }
  }

  @Test
  void withoutMetricsThereAreNoSeriesOfBroadcasts() {
    GossipMetrics metrics = new GossipMetrics(registry, false);
    try (DelegateThread delegate = new DelegateThread(new GossipDelegate() {}, () -> {})) {
      PlumtreeDriver driver = driver(PlumtreeConfig.lan(), metrics, delegate);
      say(driver, A, gossip(1));
      driver.measure(0);
      assertThat(registry.getMeters())
          .noneMatch(meter -> meter.getId().getName().startsWith("plumtree"));
    }
  }

  private PlumtreeDriver driver(
      PlumtreeConfig config, GossipMetrics metrics, DelegateThread delegate) {
    BroadcastFormat format = new BroadcastFormat(SELF, config.maxMessageSize());
    Outbox outbox = new Outbox(wires);
    PlumtreeDriver driver =
        new PlumtreeDriver(
            new Plumtree(SELF, "", 1, config, new SplittableRandom(1), metrics, 0),
            new Neighbours(wires, outbox, book, format, config, metrics),
            format,
            book,
            metrics,
            delegate,
            metadata -> "",
            false);
    for (NodeId id : List.of(A, B)) {
      Address address = Address.ipv4(0x7f000001, 1_000 + id.value().charAt(0));
      Node node = new Node(id, address, 1, Meta.of(new byte[0]));
      book.put(node, MemberState.ALIVE);
      driver.memberThere(node, 0);
    }
    return driver;
  }

  private static void say(PlumtreeDriver driver, NodeId who, PlumtreeMessage message) {
    driver.handle(new BroadcastFormat(who, 64 << 10).write(message), 0);
  }

  private static Gossip gossip(long sequence) {
    return new Gossip(TreeId.of(A), id(sequence), 0, new byte[1]);
  }

  private static MessageId id(long sequence) {
    return new MessageId(A, 1, sequence);
  }
}
