package org.quorumail.gossip.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.quorumail.gossip.net.Sent.LOOPBACK;
import static org.quorumail.gossip.net.Sent.address;
import static org.quorumail.gossip.net.Sent.id;
import static org.quorumail.gossip.net.Sent.noise;
import static org.quorumail.gossip.net.Sent.peer;
import static org.quorumail.gossip.net.Sent.queue;
import static org.quorumail.gossip.net.Sent.text;

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
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeIdentity;
import org.quorumail.config.Secret;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.PlumtreeCodec;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.Graft;
import org.quorumail.gossip.PlumtreeMessage.Prune;
import org.quorumail.gossip.PlumtreeMetric;
import org.quorumail.gossip.PlumtreeTally;
import org.quorumail.gossip.SwimCodec;
import org.quorumail.gossip.SwimMessage;
import org.quorumail.gossip.SwimPacket;
import org.quorumail.gossip.TreeId;
import org.quorumail.gossip.net.GossipSettings.Carrier;
import org.quorumail.gossip.net.Transport.Peer;

class QuicTransportTest {
  private final List<QuicTransport> open = new ArrayList<>();
  private final Inbox inA = new Inbox();
  private final Inbox inB = new Inbox();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

  @AfterEach
  void closeAll() {
    open.forEach(QuicTransport::close);
  }

  @Test
  void datagramsArriveTogetherAndSayWhereAnswersGo() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    byte[] noise = noise(1, a.datagramCapacity() - 2 * Body.PER_MESSAGE - 3);
    a.send(peer(b, "b"), List.of(text("one"), noise));
    await().until(() -> inB.messages.size() == 2);
    assertThat(inB.messages).containsExactly(text("one"), noise);
    assertThat(inB.from.getFirst()).isEqualTo(peer(a, "a").address());
    b.send(new Peer(inB.from.getFirst(), ""), List.of(text("answer")));
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
    a.sendReliably(peer(b, "b"), longOne);
    a.sendReliably(peer(b, "b"), text("next"));
    await().until(() -> inB.messages.size() == 2);
    assertThat(inB.messages).containsExactly(longOne, text("next"));
    b.sendReliably(new Peer(inB.from.getFirst(), ""), text("answer"));
    await().until(() -> inA.messages.size() == 1);
    assertThat(inA.from).containsExactly(peer(b, "b").address());
    assertThat(counted(PlumtreeMetric.QUIC_STREAMS_OPENED)).isEqualTo(2);
    assertThat(meters.get("plumtree.quic.connections").gauge().value()).isEqualTo(1);
  }

  @Test
  void aKeptConnectionThatEndsIsReportedAndAReleasedOneIsNot() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    QuicTransport c = bind("c", 1, new Inbox());
    a.sendReliably(peer(b, ""), text("a seed has no name"));
    a.keep(peer(b, "b"), queue(new PlumtreeTally()));
    a.keep(peer(c, "c"), queue(new PlumtreeTally()));
    await().until(() -> inB.messages.size() == 1);
    a.release(peer(c, "c"));
    c.close();
    b.close();
    await().until(() -> inA.unreachable.contains(peer(b, "b")));
    assertThat(inA.unreachable).extracting(Peer::name).containsOnly("b");
    assertThat(counted(PlumtreeMetric.QUIC_DISCONNECTIONS)).isPositive();
  }

  @Test
  void whoeverIsNotThereAndANeighbourThatFallsSilentIsReported() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    try (Wiretap wire = new Wiretap(b.port())) {
      Peer through = new Peer(address(wire.port()), "b");
      a.keep(through, queue(new PlumtreeTally()));
      a.send(through, List.of(text("there")));
      await().until(() -> inB.messages.size() == 1);
      assertThat(inA.unreachable).isEmpty();
      wire.close(); // as when its machine loses power
      Peer never = peer(bind("d", 1, new Inbox()), "d");
      open.getLast().close();
      a.sendReliably(never, text("hello?"));
      await().until(() -> inA.unreachable.containsAll(List.of(through, never)));
    }
  }

  @Test
  void aNeighbourThatDoesNotReadIsWaitedForByClassAndWithinBounds() throws Exception {
    PlumtreeTally tally = new PlumtreeTally();
    NeighbourQueue queue = queue(tally);
    Reluctant reluctant = new Reluctant();
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, reluctant);
    a.keep(peer(b, "b"), queue);
    int last = Sent.untilNothingIsTaken(queue, tally);
    assertThat(queue.size()).isBetween(1, 17); // of 60,000 bytes each, in 1 MiB
    int left = queue.size();
    queue.add(new Graft(TreeId.CHARTED, Optional.of(id(1))));
    reluctant.reads.countDown();
    await().until(() -> kinds(reluctant).contains("" + last));
    List<String> kinds = kinds(reluctant);
    assertThat(kinds.indexOf("Graft")).as("overtakes").isLessThan(kinds.size() - left + 1);
    assertThat(kinds).filteredOn("Graft"::equals).hasSize(1);
  }

  /** Stops the whole event loop at the first message: acknowledges and reads nothing any more. */
  private static final class Reluctant extends Inbox {
    final CountDownLatch reads = new CountDownLatch(1);

    @Override
    public boolean received(Address from, byte[] message, boolean reliable) {
      try {
        if (!reads.await(5, TimeUnit.SECONDS)) return false;
      } catch (InterruptedException e) {
        return false;
      }
      return super.received(from, message, reliable);
    }
  }

  private static List<String> kinds(Inbox inbox) {
    BroadcastFormat format = new BroadcastFormat(new NodeId("a"), 64 << 10);
    List<String> kinds = new ArrayList<>();
    for (byte[] message : inbox.messages) {
      if (format.message(message) instanceof PlumtreeCodec.Message m) {
        boolean isPayload = m.message() instanceof Gossip;
        String sequence = isPayload ? "" + ((Gossip) m.message()).id().sequence() : "";
        kinds.add(isPayload ? sequence : m.message().getClass().getSimpleName());
      }
    }
    return kinds;
  }

  @Test
  void neitherAnotherSecretNorAnotherClusterIsReached() throws Exception {
    QuicTransport a = bind("a", 2, inA);
    Inbox inC = new Inbox();
    QuicTransport c = bind(SealTest.ring("two", 1), "c", 1, inC);
    QuicTransport b = bind("b", 1, inB);
    a.send(peer(b, "b"), List.of(text("datagram")));
    a.sendReliably(peer(b, "b"), text("stream"));
    c.sendReliably(peer(b, "b"), text("stream"));
    await().until(() -> inA.refused.contains(peer(b, "b")) && !inA.unreachable.isEmpty());
    await().until(() -> inC.refused.contains(peer(b, "b")) && !inC.unreachable.isEmpty());
    await().until(() -> !inB.dropped.isEmpty());
    assertThat(inB.dropped).containsOnly(DropReason.NOT_PROVEN);
    assertThat(inB.messages).isEmpty();
  }

  @Test
  void whoSpeaksInAnothersNameIsCutOff() throws Exception {
    QuicTransport b = bind("b", 1, inB);
    QuicTransport m = bind("m", 1, inA);
    byte[] own = new BroadcastFormat(new NodeId("m"), 1_000).write(new Prune(TreeId.CHARTED));
    byte[] stolen = new BroadcastFormat(new NodeId("a"), 1_000).write(new Prune(TreeId.CHARTED));
    NodeId target = new NodeId("b");
    ByteBuffer ping =
        SwimCodec.encode(SwimPacket.of(new SwimMessage.Ping(1, target, 1, new NodeId("a"))));
    byte[] probe = ByteBuffer.allocate(1 + ping.remaining()).put(SwimDriver.KIND).put(ping).array();
    m.keep(peer(b, "b"), queue(new PlumtreeTally()));
    m.sendReliably(peer(b, "b"), own);
    await().until(() -> inB.messages.size() == 1);
    m.sendReliably(peer(b, "b"), stolen);
    await().until(() -> inA.unreachable.contains(peer(b, "b")));
    m.send(peer(b, "b"), List.of(probe));
    await().until(() -> inB.dropped.size() == 2);
    assertThat(inB.dropped).containsOnly(DropReason.IMPOSTOR);
    assertThat(inB.messages).containsExactly(own);
  }

  @Test
  void nobodyTakesOverTheAddressOfAnother() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    InetAddress elsewhere = InetAddress.getByName("127.0.0.2");
    Inbox inX = new Inbox();
    QuicTransport x = bindAt(elsewhere, 0, elsewhere, "x", inX);
    Peer there = new Peer(Datagrams.address(new InetSocketAddress(elsewhere, x.port())), "x");
    Inbox inM = new Inbox();
    QuicTransport m = bindAt(LOOPBACK, x.port(), elsewhere, "m", inM);
    for (int i = 1; i <= 3; i++) {
      m.sendReliably(peer(a, "a"), text("answers go to 127.0.0.2"));
      int heard = i;
      await().until(() -> inA.messages.size() == heard);
      a.sendReliably(there, text("for x alone"));
      await().until(() -> inX.messages.size() == heard);
    }
    assertThat(inM.messages).isEmpty();
  }

  private QuicTransport bindAt(
      InetAddress at, int port, InetAddress advertised, String name, Inbox inbox) throws Exception {
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
  void anotherNodeThanTheOneCalledHearsNothing() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    a.sendReliably(peer(b, "gone"), text("for gone alone"));
    await().until(() -> inA.unreachable.contains(peer(b, "gone")));
    assertThat(inA.dropped).containsExactly(DropReason.OTHER_NODE);
    assertThat(inA.refused).isEmpty();
    a.sendReliably(peer(b, "b"), text("for b"));
    await().until(() -> inB.messages.size() == 1);
    assertThat(inB.messages).containsExactly(text("for b"));
  }

  @Test
  void aRotationLetsTheNewInAndTheOldOut() throws Exception {
    NodeIdentity mine = identityOf("b", 1);
    QuicTransport b = bind(SealTest.ring("one", 1), mine, inB);
    QuicTransport old = bind("a", 1, inA);
    old.sendReliably(peer(b, "b"), text("before"));
    await().until(() -> inB.messages.size() == 1);
    mine.use(certificate("b", 2), List.of(NodeCertificate.authority(secret(1))));
    b.use(SealTest.ring("one", 2, 1));
    QuicTransport fresh = bind(SealTest.ring("one", 2, 1), identityOf("c", 2), new Inbox());
    fresh.sendReliably(peer(b, "b"), text("the new one"));
    old.sendReliably(peer(b, "b"), text("on the open connection"));
    await().until(() -> inB.messages.size() == 3);
    mine.use(certificate("b", 2), List.of());
    b.use(SealTest.ring("one", 2));
    Inbox inLate = new Inbox();
    QuicTransport late = bind("d", 1, inLate);
    late.sendReliably(peer(b, "b"), text("too late"));
    await().until(() -> inLate.refused.contains(peer(b, "b")));
    assertThat(inB.messages).hasSize(3);
  }

  @Test
  void aStrangerWithoutACertificateGetsNothing() throws Exception {
    QuicTransport b = bind("b", 1, inB);
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try {
      var trusting =
          QuicSslContextBuilder.forClient()
              .trustManager(InsecureTrustManagerFactory.INSTANCE)
              .applicationProtocols(QuicTls.protocol(SealTest.ring("one", 1)))
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
              .sync() // TLS 1.3: this end is done before the other one has judged it
              .getNow();
      io.netty.buffer.ByteBuf datagram = Unpooled.directBuffer();
      QuicFormat.writeAddress(address(7), datagram);
      datagram.writeBytes(Body.write(List.of(text("let me in")), SealTest.ZSTD));
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
  void aMemberIsHeardHoweverManyStrangersShowNoCertificate() throws Exception {
    QuicTransport a = bind("a", 1, inA);
    QuicTransport b = bind("b", 1, inB);
    b.post(
        () -> {
          for (int i = 0; i < QuicTransport.MAX_UNPROVEN; i++) {
            assertThat(b.mayAnswer(QuicConnection.answering(b))).isTrue();
          }
        });
    a.sendReliably(peer(b, "b"), text("a member"));
    await().until(() -> !inB.messages.isEmpty());
    assertThat(inB.dropped).containsExactly(DropReason.CONNECTIONS_FULL);
  }

  @Test
  void aTakenPortIsSaid() throws Exception {
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

  /** All count in one registry; the gauge is that of the first. */
  private QuicTransport bind(KeyRing ring, NodeIdentity identity, Transport.Receiver receiver)
      throws IOException {
    QuicTransport transport =
        QuicTransport.bind(
            ring,
            new Carrier.Quic(
                identity.keyManager(), identity.trustManager(), NodeCertificate::names),
            SealTest.ZSTD,
            new InetSocketAddress(LOOPBACK, 0),
            LOOPBACK,
            receiver,
            new GossipMetrics(meters, true));
    open.add(transport);
    return transport;
  }

  /** What a node of this secret shows and asks for. */
  static Carrier.Quic identity(String name, int secret) {
    NodeIdentity identity = identityOf(name, secret);
    return new Carrier.Quic(identity.keyManager(), identity.trustManager(), NodeCertificate::names);
  }

  private static NodeIdentity identityOf(String name, int secret) {
    return new NodeIdentity(certificate(name, secret), List.of());
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
