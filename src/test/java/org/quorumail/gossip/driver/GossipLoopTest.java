package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.transport.Compression;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.OutboundQueue;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.SealTest;
import org.quorumail.gossip.transport.SealedTransport;
import org.quorumail.gossip.transport.SocketAddresses;
import org.quorumail.gossip.transport.Transport;

class GossipLoopTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private final MemberDirectory book = new MemberDirectory();
  private final GossipMetrics metrics = new GossipMetrics(new SimpleMeterRegistry(), true);
  private final GossipSettings settings =
      GossipSettings.of("a", "127.0.0.1", 0, SealTest.secret(1));

  /** A transport over real sockets that can drop all broadcasts. */
  private static final class LossyTransport implements Transport {
    private final Transport inner;
    private final AtomicInteger lost = new AtomicInteger();
    private volatile boolean loses;

    LossyTransport(GossipSettings settings, Receiver receiver) throws IOException {
      inner =
          SealedTransport.bind(
              settings.keys(),
              settings.nodeId(),
              new Compression(CompressionConfig.off(), new PlumtreeCounters()),
              settings.bindAddress(),
              settings.bind().getPort(),
              receiver);
    }

    private boolean isLost(byte[] message) {
      boolean isLost = loses && message[0] == BroadcastFormat.MESSAGE_KIND;
      if (isLost) lost.incrementAndGet();
      return isLost;
    }

    @Override
    public int port() {
      return inner.port();
    }

    @Override
    public int datagramCapacity() {
      return inner.datagramCapacity();
    }

    @Override
    public void send(PeerAddress to, List<byte[]> messages) {
      List<byte[]> left = messages.stream().filter(message -> !isLost(message)).toList();
      if (!left.isEmpty()) inner.send(to, left);
    }

    @Override
    public void sendOverStream(PeerAddress to, byte[] message) {
      if (!isLost(message)) inner.sendOverStream(to, message);
    }

    @Override
    public void connect(PeerAddress neighbour, OutboundQueue queue) {
      inner.connect(neighbour, queue);
    }

    @Override
    public void disconnect(PeerAddress neighbour) {
      inner.disconnect(neighbour);
    }

    @Override
    public int datagramBudget() {
      return inner.datagramBudget();
    }

    @Override
    public void replaceKeys(KeyRing ring) {
      inner.replaceKeys(ring);
    }

    @Override
    public void close() {
      inner.close();
    }
  }

  @Test
  void aLeavingNodeRepeatsBroadcastsUntilAcknowledged() throws Exception {
    RecordingDelegate ears = new RecordingDelegate();
    GossipSettings other = GossipSettings.of("b", "127.0.0.1", 0, SealTest.secret(1));
    try (Gossip b = Gossip.start(other, ears);
        DelegateDispatcher delegate = new DelegateDispatcher(new GossipDelegate() {}, () -> {})) {
      GossipLoop loop =
          GossipLoop.open(settings, book, metrics, delegate, r -> new LossyTransport(settings, r));
      LossyTransport network = (LossyTransport) loop.transport();
      loop.start();
      try {
        InetSocketAddress seed = new InetSocketAddress("127.0.0.1", b.port());
        await()
            .atMost(LONG)
            .until(
                () -> {
                  loop.submit(() -> loop.join(List.of(SocketAddresses.toNodeAddress(seed))));
                  return b.neighbours().size() == 1 && book.memberCount() == 1;
                });
        CompletableFuture<Integer> heard = new CompletableFuture<>();
        network.loses = true;
        loop.submit(() -> loop.broadcast(new byte[] {'x'}));
        loop.submit(() -> loop.leave(Duration.ofSeconds(10), heard::complete));
        await().atMost(LONG).until(() -> network.lost.get() > 0);
        network.loses = false;
        assertThat(heard.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(1);
        assertThat(ears.delivered).containsExactly("a:x");
      } finally {
        loop.stop();
        network.close();
      }
    }
  }

  @Test
  void aSlowDelegateQueuesABoundedNumberOfBytes() {
    AtomicInteger dropped = new AtomicInteger();
    try (DelegateDispatcher lagging =
        new DelegateDispatcher(new GossipDelegate() {}, dropped::incrementAndGet)) {
      for (int i = 0; i < 100; i++) lagging.dispatch(d -> {}, 1 << 20);
      assertThat(dropped.get()).isEqualTo(100 - (int) (DelegateDispatcher.MAX_QUEUED_BYTES >> 20));
      lagging.start();
      await()
          .atMost(LONG)
          .until(
              () -> {
                int before = dropped.get();
                lagging.dispatch(d -> {}, 1 << 20);
                return dropped.get() == before;
              });
    }
  }

  @Test
  void anImmediateDeadlineIsNotWaitedFor() {
    assertThat(GossipLoop.waitMillis(Long.MIN_VALUE, 5)).isZero();
    assertThat(GossipLoop.waitMillis(4, 5)).isZero();
    assertThat(GossipLoop.waitMillis(105, 5)).isEqualTo(100);
    assertThat(GossipLoop.waitMillis(Long.MAX_VALUE, 5)).isEqualTo(1_000);
  }
}
