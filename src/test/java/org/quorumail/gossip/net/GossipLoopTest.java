package org.quorumail.gossip.net;

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
import org.quorumail.gossip.CompressionConfig;
import org.quorumail.gossip.PlumtreeTally;

class GossipLoopTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private final MemberBook book = new MemberBook();
  private final GossipMetrics metrics = new GossipMetrics(new SimpleMeterRegistry(), true);
  private final GossipSettings settings =
      GossipSettings.of("a", "127.0.0.1", 0, SealTest.secret(1));

  /** Real sockets, but broadcasts get lost as long as one wants. */
  private static final class Lossy implements Transport {
    private final Transport inner;
    private final AtomicInteger lost = new AtomicInteger();
    private volatile boolean loses;

    Lossy(GossipSettings settings, Receiver receiver) throws IOException {
      inner =
          SealedTransport.bind(
              settings.keys(),
              settings.nodeId(),
              new Compression(CompressionConfig.off(), new PlumtreeTally()),
              settings.bindAddress(),
              settings.bind().getPort(),
              receiver);
    }

    private boolean isLost(byte[] message) {
      boolean isLost = loses && message[0] == BroadcastFormat.KIND;
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
    public void send(Peer to, List<byte[]> messages) {
      List<byte[]> left = messages.stream().filter(message -> !isLost(message)).toList();
      if (!left.isEmpty()) inner.send(to, left);
    }

    @Override
    public void sendReliably(Peer to, byte[] message) {
      if (!isLost(message)) inner.sendReliably(to, message);
    }

    @Override
    public void keep(Peer neighbour, NeighbourQueue queue) {
      inner.keep(neighbour, queue);
    }

    @Override
    public void release(Peer neighbour) {
      inner.release(neighbour);
    }

    @Override
    public int datagramBudget() {
      return inner.datagramBudget();
    }

    @Override
    public void use(KeyRing ring) {
      inner.use(ring);
    }

    @Override
    public void close() {
      inner.close();
    }
  }

  @Test
  void aLeavingNodeRepeatsItsLastWordsUntilTheyAreHeard() throws Exception {
    Ears ears = new Ears();
    GossipSettings other = GossipSettings.of("b", "127.0.0.1", 0, SealTest.secret(1));
    try (Gossip b = Gossip.start(other, ears);
        DelegateThread delegate = new DelegateThread(new GossipDelegate() {}, () -> {})) {
      GossipLoop loop =
          new GossipLoop(settings, book, metrics, delegate, r -> new Lossy(settings, r));
      Lossy network = (Lossy) loop.transport();
      loop.start();
      try {
        InetSocketAddress seed = new InetSocketAddress("127.0.0.1", b.port());
        await()
            .atMost(LONG)
            .until(
                () -> {
                  loop.ask(() -> loop.join(List.of(Datagrams.address(seed))));
                  return b.neighbours().size() == 1 && book.count() == 1;
                });
        CompletableFuture<Integer> heard = new CompletableFuture<>();
        network.loses = true;
        loop.ask(() -> loop.broadcast(new byte[] {'x'}));
        loop.ask(() -> loop.leave(Duration.ofSeconds(10), heard::complete));
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
  void aDelegateThatLagsHoldsABoundedNumberOfBytes() {
    AtomicInteger dropped = new AtomicInteger();
    try (DelegateThread lagging =
        new DelegateThread(new GossipDelegate() {}, dropped::incrementAndGet)) {
      for (int i = 0; i < 100; i++) lagging.tell(d -> {}, 1 << 20);
      assertThat(dropped.get()).isEqualTo(100 - (int) (DelegateThread.MAX_WAITING_BYTES >> 20));
      lagging.start();
      await()
          .atMost(LONG)
          .until(
              () -> {
                int before = dropped.get();
                lagging.tell(d -> {}, 1 << 20);
                return dropped.get() == before;
              });
    }
  }

  @Test
  void aDeadlineAtOnceIsNotWaitedFor() {
    assertThat(GossipLoop.pause(Long.MIN_VALUE, 5)).isZero();
    assertThat(GossipLoop.pause(4, 5)).isZero();
    assertThat(GossipLoop.pause(105, 5)).isEqualTo(100);
    assertThat(GossipLoop.pause(Long.MAX_VALUE, 5)).isEqualTo(1_000);
  }
}
