package org.quorumail.gossip.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.quorumail.gossip.transport.TestMessages.LOOPBACK;
import static org.quorumail.gossip.transport.TestMessages.address;
import static org.quorumail.gossip.transport.TestMessages.id;
import static org.quorumail.gossip.transport.TestMessages.noise;
import static org.quorumail.gossip.transport.TestMessages.peer;
import static org.quorumail.gossip.transport.TestMessages.queue;
import static org.quorumail.gossip.transport.TestMessages.text;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicClientCodecBuilder;
import io.netty.handler.codec.quic.QuicSslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeCredentials;
import org.quorumail.config.Secret;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.BroadcastFormat;
import org.quorumail.gossip.driver.GossipMetrics;
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.driver.SwimDriver;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.plumtree.TreeId;
import org.quorumail.gossip.swim.SwimCodec;
import org.quorumail.gossip.swim.SwimMessage;
import org.quorumail.gossip.swim.SwimPacket;

@Execution(ExecutionMode.CONCURRENT)
public class QuicTransportTest {
  private final List<QuicTransport> open = new ArrayList<>();
  private final RecordingReceiver inA = new RecordingReceiver();
  private final RecordingReceiver inB = new RecordingReceiver();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

  @AfterEach
  void closeAll() {
    open.forEach(QuicTransport::close);
  }

  @Test
  void datagramsArriveTogetherWithTheAddressForAnswers() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    byte[] noise = noise(1, a.datagramCapacity() - 2 * FrameBody.MESSAGE_OVERHEAD - 3);
    a.send(peer(b, "b"), List.of(text("one"), noise));
    await().until(() -> inB.messages.size() == 2);
    assertThat(inB.messages).containsExactly(text("one"), noise);
    assertThat(inB.from.getFirst()).isEqualTo(peer(a, "a").address());
    b.send(new PeerAddress(inB.from.getFirst(), ""), List.of(text("answer")));
    await().until(() -> inA.messages.size() == 1);
    assertThat(counted(PlumtreeMetric.QUIC_DATAGRAMS_SENT)).isEqualTo(2);
    assertThat(counted(PlumtreeMetric.QUIC_DATAGRAMS_RECEIVED)).isEqualTo(2);
    assertThat(counted(PlumtreeMetric.QUIC_BYTES_SENT)).isGreaterThan(1_200);
    assertThat(counted(PlumtreeMetric.QUIC_BYTES_RECEIVED)).isGreaterThan(1_200);
  }

  @Test
  void longMessagesTravelOverAStreamAndAnswersOverTheSameConnection() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    byte[] longOne = noise(1, 2 << 20);
    a.sendOverStream(peer(b, "b"), longOne);
    a.sendOverStream(peer(b, "b"), text("next"));
    await().until(() -> inB.messages.size() == 2);
    assertThat(inB.messages).containsExactly(longOne, text("next"));
    b.sendOverStream(new PeerAddress(inB.from.getFirst(), ""), text("answer"));
    await().until(() -> inA.messages.size() == 1);
    assertThat(inA.from).containsExactly(peer(b, "b").address());
    assertThat(counted(PlumtreeMetric.QUIC_STREAMS_OPENED)).isEqualTo(2);
    assertThat(meters.get("plumtree.quic.connections").gauge().value()).isEqualTo(1);
  }

  @Test
  void theEndOfANeighboursConnectionIsReportedAndOfAReleasedOneIsNot() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    QuicTransport c = bind("c", 1, new RecordingReceiver());
    a.sendOverStream(peer(b, ""), text("a seed has no name"));
    a.connect(peer(b, "b"), queue(new PlumtreeCounters()));
    a.connect(peer(c, "c"), queue(new PlumtreeCounters()));
    await().until(() -> inB.messages.size() == 1);
    a.disconnect(peer(c, "c"));
    c.close();
    b.close();
    await().until(() -> inA.unreachable.contains(peer(b, "b")));
    assertThat(inA.unreachable).extracting(PeerAddress::nodeId).containsOnly("b");
    assertThat(counted(PlumtreeMetric.QUIC_DISCONNECTIONS)).isPositive();
  }

  @Test
  void anAbsentNodeAndASilentNeighbourAreReported() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    try (RecordingUdpProxy wire = new RecordingUdpProxy(b.port())) {
      PeerAddress through = new PeerAddress(address(wire.port()), "b");
      a.connect(through, queue(new PlumtreeCounters()));
      a.send(through, List.of(text("there")));
      await().until(() -> inB.messages.size() == 1);
      assertThat(inA.unreachable).isEmpty();
      wire.close(); // as when its machine loses power
      PeerAddress never = peer(bind("d", 1, new RecordingReceiver()), "d");
      open.getLast().close();
      a.sendOverStream(never, text("hello?"));
      await().until(() -> inA.unreachable.containsAll(List.of(through, never)));
    }
  }

  @Test
  void messagesToASlowNeighbourWaitByPriorityWithinBounds() throws Exception {
    PlumtreeCounters tally = new PlumtreeCounters();
    NeighbourQueue queue = queue(tally);
    FullInbox reluctant = new FullInbox();
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, reluctant);
    a.connect(peer(b, "b"), queue);
    int last = TestMessages.untilNothingIsTaken(queue, tally);
    assertThat(queue.size()).isBetween(1, 17); // of 60,000 bytes each, in 1 MiB
    int left = queue.size();
    queue.add(new Graft(TreeId.OVERLAY_PATHS, Optional.of(id(1))));
    reluctant.reads.countDown();
    await().until(() -> kinds(reluctant).contains("" + last));
    List<String> kinds = kinds(reluctant);
    assertThat(kinds.indexOf("Graft")).as("overtakes").isLessThan(kinds.size() - left + 1);
    assertThat(kinds).filteredOn("Graft"::equals).hasSize(1);
  }

  /**
   * A receiver that blocks the event loop at the first message, so that nothing is acknowledged.
   */
  private static final class FullInbox extends RecordingReceiver {
    final CountDownLatch reads = new CountDownLatch(1);

    @Override
    public boolean onMessage(NodeAddress from, byte[] message, boolean reliable) {
      try {
        if (!reads.await(5, TimeUnit.SECONDS)) return false;
      } catch (InterruptedException e) {
        return false;
      }
      return super.onMessage(from, message, reliable);
    }
  }

  private static List<String> kinds(RecordingReceiver inbox) {
    BroadcastFormat format = new BroadcastFormat(new NodeId("a"), 64 << 10);
    List<String> kinds = new ArrayList<>();
    for (byte[] message : inbox.messages) {
      if (format.decode(message) instanceof PlumtreeCodec.Message m) {
        boolean isPayload = m.message() instanceof Gossip;
        String sequence = isPayload ? "" + ((Gossip) m.message()).id().sequence() : "";
        kinds.add(isPayload ? sequence : m.message().getClass().getSimpleName());
      }
    }
    return kinds;
  }

  @Test
  void anotherSecretAndAnotherClusterAreRejected() throws Exception {
    QuicTransport a = bind("a", 2, inA);
    RecordingReceiver inC = new RecordingReceiver();
    QuicTransport c = bind(SealTest.ring("two", 1), "c", 1, inC);
    QuicTransport b = bind("b", 1, inB);
    a.send(peer(b, "b"), List.of(text("datagram")));
    a.sendOverStream(peer(b, "b"), text("stream"));
    c.sendOverStream(peer(b, "b"), text("stream"));
    await().until(() -> inA.refused.contains(peer(b, "b")) && !inA.unreachable.isEmpty());
    await().until(() -> inC.refused.contains(peer(b, "b")) && !inC.unreachable.isEmpty());
    await().until(() -> !inB.dropped.isEmpty());
    assertThat(inB.dropped).containsOnly(DropReason.NOT_PROVEN);
    assertThat(inB.messages).isEmpty();
  }

  @Test
  void aMessageThatClaimsAnotherNodesIdEndsTheConnection() throws Exception {
    QuicTransport b = bind("b", 1, inB);
    QuicTransport m = bind("m", 1, inA);
    byte[] own =
        new BroadcastFormat(new NodeId("m"), 1_000).encode(new Prune(TreeId.OVERLAY_PATHS));
    byte[] stolen =
        new BroadcastFormat(new NodeId("a"), 1_000).encode(new Prune(TreeId.OVERLAY_PATHS));
    NodeId target = new NodeId("b");
    ByteBuffer ping =
        SwimCodec.encode(SwimPacket.of(new SwimMessage.Ping(1, target, 1, new NodeId("a"))));
    byte[] probe =
        ByteBuffer.allocate(1 + ping.remaining()).put(SwimDriver.MESSAGE_KIND).put(ping).array();
    m.connect(peer(b, "b"), queue(new PlumtreeCounters()));
    m.sendOverStream(peer(b, "b"), own);
    await().until(() -> inB.messages.size() == 1);
    m.sendOverStream(peer(b, "b"), stolen);
    await().until(() -> inA.unreachable.contains(peer(b, "b")));
    m.send(peer(b, "b"), List.of(probe));
    await().until(() -> inB.dropped.size() == 2);
    assertThat(inB.dropped).containsOnly(DropReason.IMPOSTOR);
    assertThat(inB.messages).containsExactly(own);
  }

  @Test
  void aClaimedReturnAddressDoesNotTakeTheRouteOfAnother() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    InetAddress elsewhere = InetAddress.getByName("127.0.0.2");
    RecordingReceiver inX = new RecordingReceiver();
    QuicTransport x = bindAt(elsewhere, 0, elsewhere, "x", inX);
    PeerAddress there =
        new PeerAddress(
            SocketAddresses.toNodeAddress(new InetSocketAddress(elsewhere, x.port())), "x");
    RecordingReceiver inM = new RecordingReceiver();
    QuicTransport m = bindAt(LOOPBACK, x.port(), elsewhere, "m", inM);
    for (int i = 1; i <= 3; i++) {
      m.sendOverStream(peer(a, "a"), text("answers go to 127.0.0.2"));
      int heard = i;
      await().until(() -> inA.messages.size() == heard);
      a.sendOverStream(there, text("for x alone"));
      await().until(() -> inX.messages.size() == heard);
    }
    assertThat(inM.messages).isEmpty();
  }

  private QuicTransport bindAt(
      InetAddress at, int port, InetAddress advertised, String name, RecordingReceiver inbox)
      throws Exception {
    QuicTransport transport =
        QuicTransport.bind(
            SealTest.ring("one", 1),
            identity(name, 1),
            SealTest.ZSTD,
            new InetSocketAddress(at, port),
            advertised,
            inbox,
            new GossipMetrics(meters, true));
    open.add(transport);
    return transport;
  }

  @Test
  void anotherNodeAtTheCalledAddressReceivesNothing() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    a.sendOverStream(peer(b, "gone"), text("for gone alone"));
    await().until(() -> inA.unreachable.contains(peer(b, "gone")));
    assertThat(inA.dropped).containsExactly(DropReason.OTHER_NODE);
    assertThat(inA.refused).isEmpty();
    a.sendOverStream(peer(b, "b"), text("for b"));
    await().until(() -> inB.messages.size() == 1);
    assertThat(inB.messages).containsExactly(text("for b"));
  }

  @Test
  void aRotationAdmitsTheNewSecretAndRejectsTheOld() throws Exception {
    NodeCredentials mine = identityOf("b", 1);
    QuicTransport b = bind(SealTest.ring("one", 1), mine, inB);
    QuicTransport old = bind("a", 1, inA);
    old.sendOverStream(peer(b, "b"), text("before"));
    await().until(() -> inB.messages.size() == 1);
    mine.replace(certificate("b", 2), List.of(NodeCertificate.authority(secret(1))));
    b.replaceKeys(SealTest.ring("one", 2, 1));
    QuicTransport fresh =
        bind(SealTest.ring("one", 2, 1), identityOf("c", 2), new RecordingReceiver());
    fresh.sendOverStream(peer(b, "b"), text("the new one"));
    old.sendOverStream(peer(b, "b"), text("on the open connection"));
    await().until(() -> inB.messages.size() == 3);
    mine.replace(certificate("b", 2), List.of());
    b.replaceKeys(SealTest.ring("one", 2));
    RecordingReceiver inLate = new RecordingReceiver();
    QuicTransport late = bind("d", 1, inLate);
    late.sendOverStream(peer(b, "b"), text("too late"));
    await().until(() -> inLate.refused.contains(peer(b, "b")));
    assertThat(inB.messages).hasSize(3);
  }

  @Test
  void aCallerWithoutACertificateReceivesNothing() throws Exception {
    QuicTransport b = bind("b", 1, inB);
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try {
      var trusting =
          QuicSslContextBuilder.forClient()
              .trustManager(InsecureTrustManagerFactory.INSTANCE)
              .applicationProtocols(QuicTls.alpnProtocol(SealTest.ring("one", 1)))
              .build();
      Channel socket =
          new Bootstrap()
              .group(group)
              .channel(NioDatagramChannel.class)
              .handler(
                  new QuicClientCodecBuilder()
                      .sslContext(trusting)
                      .maxIdleTimeout(10, TimeUnit.SECONDS)
                      .initialMaxData(1 << 20)
                      .datagram(10, 10)
                      .build())
              .bind(new InetSocketAddress(LOOPBACK, 0))
              .sync()
              .channel();
      List<Object> heard = new java.util.concurrent.CopyOnWriteArrayList<>();
      QuicChannel stranger =
          QuicChannel.newBootstrap(socket)
              .handler(
                  new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(
                        io.netty.channel.ChannelHandlerContext context, Object message) {
                      heard.add(message);
                    }
                  })
              .remoteAddress(new InetSocketAddress(LOOPBACK, b.port()))
              .connect()
              .sync() // TLS 1.3: this end finishes before the other has verified it
              .getNow();
      io.netty.buffer.ByteBuf datagram = Unpooled.directBuffer();
      QuicFormat.writeAddress(address(7), datagram);
      datagram.writeBytes(FrameBody.encode(List.of(text("let me in")), SealTest.ZSTD));
      stranger.writeAndFlush(datagram);
      assertThat(stranger.closeFuture().await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(heard).isEmpty();
    } finally {
      group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    }
    await().untilAsserted(() -> assertThat(inB.dropped).containsExactly(DropReason.NOT_PROVEN));
    assertThat(inB.messages).isEmpty();
  }

  @Test
  void aMemberConnectsDespiteManyCallersWithoutCertificate() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    b.post(
        () -> {
          for (int i = 0; i < QuicTransport.MAX_UNAUTHENTICATED; i++) {
            assertThat(b.admit(QuicConnection.inbound(b))).isTrue();
          }
        });
    a.sendOverStream(peer(b, "b"), text("a member"));
    await().until(() -> !inB.messages.isEmpty());
    assertThat(inB.dropped).containsExactly(DropReason.CONNECTIONS_FULL);
  }

  @Test
  void aTakenPortIsAnException() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    assertThatThrownBy(
            () ->
                QuicTransport.bind(
                    SealTest.ring("one", 1),
                    identity("x", 1),
                    SealTest.ZSTD,
                    new InetSocketAddress(LOOPBACK, a.port()),
                    LOOPBACK,
                    inB,
                    new GossipMetrics(new SimpleMeterRegistry(), true)))
        .isInstanceOf(IOException.class);
  }

  private double counted(PlumtreeMetric metric) {
    String name = "plumtree." + metric.name().toLowerCase(java.util.Locale.ROOT).replace('_', '.');
    return meters.get(name).counter().count();
  }

  private QuicTransport bind(String name, int secret, Transport.Receiver receiver)
      throws IOException {
    return bind(SealTest.ring("one", secret), name, secret, receiver);
  }

  private QuicTransport bind(KeyRing ring, String name, int secret, Transport.Receiver receiver)
      throws IOException {
    return bind(ring, identityOf(name, secret), receiver);
  }

  /** All transports count in one registry; the gauge is the first one's. */
  private QuicTransport bind(KeyRing ring, NodeCredentials identity, Transport.Receiver receiver)
      throws IOException {
    QuicTransport transport =
        QuicTransport.bind(
            ring,
            new TransportSettings.Quic(
                identity.keyManager(), identity.trustManager(), NodeCertificate::names),
            SealTest.ZSTD,
            new InetSocketAddress(LOOPBACK, 0),
            LOOPBACK,
            receiver,
            new GossipMetrics(meters, true));
    open.add(transport);
    return transport;
  }

  /** The certificates of a node with this secret. */
  public static TransportSettings.Quic identity(String name, int secret) {
    NodeCredentials identity = identityOf(name, secret);
    return new TransportSettings.Quic(
        identity.keyManager(), identity.trustManager(), NodeCertificate::names);
  }

  private static NodeCredentials identityOf(String name, int secret) {
    return new NodeCredentials(certificate(name, secret), List.of());
  }

  private static NodeCertificate certificate(String name, int secret) {
    return NodeCertificate.derive(secret(secret), name, Set.of("127.0.0.1"));
  }

  private static Secret secret(int number) {
    byte[] bytes = new byte[32];
    java.util.Arrays.fill(bytes, (byte) number);
    return Secret.parse(Base64.getEncoder().encodeToString(bytes));
  }
}
