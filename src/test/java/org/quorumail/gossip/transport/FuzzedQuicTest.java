package org.quorumail.gossip.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.GossipMetrics;

/**
 * A short run of the fuzzing campaign; a million packets with {@code
 * -Dquorumail.fuzz.packets=1000000}.
 */
class FuzzedQuicTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final long SEED = Long.getLong("quorumail.fuzz.seed", 42);
  private static final int PACKETS = Integer.getInteger("quorumail.fuzz.packets", 20_000);

  /** A larger burst would overflow the kernel's buffer. */
  private static final int BURST = 100;

  private final Random random = new Random(SEED);
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable o : open) o.close();
  }

  @Test
  void foreignPacketsAreDroppedOrAnsweredWithARetry() throws Exception {
    System.out.printf("fuzzed QUIC packets: seed %d, %d packets%n", SEED, PACKETS);
    RecordingReceiver inA = new RecordingReceiver();
    RecordingReceiver inB = new RecordingReceiver();
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    QuicTransport a = bind("a", inA, new SimpleMeterRegistry());
    QuicTransport b = bind("b", inB, meters);
    RecordingUdpProxy wire = new RecordingUdpProxy(b.port());
    open.add(wire);
    PeerAddress throughTheWire = new PeerAddress(address(wire.port()), "b");
    a.send(throughTheWire, List.of(text("one")));
    a.sendOverStream(throughTheWire, new byte[5_000]);
    await().until(() -> inB.messages.size() == 2);
    List<byte[]> recorded = List.copyOf(wire.recorded);
    int answers = 0;
    try (DatagramSocket stranger = new DatagramSocket(0, LOOPBACK)) {
      stranger.setSoTimeout(1);
      for (int i = 0; i < PACKETS; i++) {
        byte[] packet = fuzzed(recorded);
        stranger.send(new DatagramPacket(packet, packet.length, LOOPBACK, b.port()));
        if (i % BURST == BURST - 1) answers += retries(stranger);
      }
      stranger.setSoTimeout(500);
      answers += retries(stranger);
    }
    Map<DropReason, Integer> drops = new EnumMap<>(DropReason.class);
    inB.dropped.forEach(reason -> drops.merge(reason, 1, Integer::sum));
    System.out.printf("fuzzed QUIC packets: dropped %s, %d retries%n", drops, answers);
    assertThat(inB.messages).hasSize(2);
    assertThat(meters.get("plumtree.quic.connections").gauge().value()).isLessThanOrEqualTo(1);
    assertThat(drops).containsKeys(DropReason.TOO_SHORT, DropReason.VERSION);
    a.sendOverStream(new PeerAddress(address(b.port()), "b"), text("a member is heard as before"));
    await().until(() -> inB.messages.size() == 3);
  }

  /** Every answer must be a Retry (RFC 9000, 17.2.5). */
  private static int retries(DatagramSocket stranger) throws IOException {
    DatagramPacket answer = new DatagramPacket(new byte[9_000], 9_000);
    int count = 0;
    try {
      while (true) {
        stranger.receive(answer);
        assertThat(answer.getData()[0] & 0xf0).as("first byte of an answer").isEqualTo(0xf0);
        assertThat(answer.getLength()).isLessThan(1_200);
        count++;
      }
    } catch (java.net.SocketTimeoutException e) {
      return count;
    }
  }

  private byte[] fuzzed(List<byte[]> recorded) {
    byte[] old = recorded.get(random.nextInt(recorded.size())).clone();
    return switch (random.nextInt(8)) {
      case 0 -> bytes(random.nextInt(1_500));
      case 1 -> old; // a replay
      case 2, 3 -> {
        flip(old);
        yield old;
      }
      case 4 -> Arrays.copyOf(old, random.nextInt(old.length));
      case 5 -> bytes(2_049 + random.nextInt(6_000));
      case 6 -> { // looks like a first packet
        byte[] first = bytes(1_200 + random.nextInt(200));
        first[0] = (byte) (0xc0 | random.nextInt(16));
        System.arraycopy(new byte[] {0, 0, 0, 1, 8}, 0, first, 1, 5);
        first[14] = 8;
        first[23] = 0;
        yield first;
      }
      default -> {
        old[0] |= (byte) 0x80;
        old[random.nextInt(1, Math.min(5, old.length))] ^= (byte) (1 + random.nextInt(255));
        yield old;
      }
    };
  }

  @Test
  void anyStreamIsReadOrRejectedWithoutAnException() {
    int bodies = 0;
    int broken = 0;
    for (int i = 0; i < PACKETS; i++) {
      RecordedEvents reading = new RecordedEvents();
      EmbeddedChannel channel = new EmbeddedChannel(new QuicStreamReader(reading));
      ByteBuf stream = Unpooled.buffer();
      stream.writeByte(random.nextInt(5));
      QuicFormat.writeAddress(address(1 + random.nextInt(60_000)), stream);
      for (int frames = random.nextInt(4); frames > 0; frames--) {
        byte[] body = bytes(1 + random.nextInt(200));
        stream.writeInt(body.length).writeBytes(body);
      }
      byte[] raw = new byte[stream.readableBytes()];
      stream.readBytes(raw);
      stream.release();
      for (int flips = random.nextInt(3); flips > 0; flips--) flip(raw);
      int cut = random.nextInt(raw.length);
      channel.writeInbound(Unpooled.copiedBuffer(raw, 0, cut));
      channel.writeInbound(Unpooled.copiedBuffer(raw, cut, raw.length - cut));
      channel.finishAndReleaseAll();
      bodies += reading.bodies;
      broken += reading.broken;
    }
    assertThat(bodies).isPositive();
    assertThat(broken).isPositive();
  }

  private static final class RecordedEvents implements QuicStreamReader.Events {
    private int bodies;
    private int broken;

    @Override
    public void onBody(NodeAddress from, byte[] body) {
      bodies++;
    }

    @Override
    public void onProtocolError(DropReason reason) {
      broken++;
    }
  }

  private QuicTransport bind(String name, RecordingReceiver inbox, SimpleMeterRegistry meters)
      throws IOException {
    QuicTransport transport =
        QuicTransport.bind(
            SealTest.ring("one", 1),
            QuicTransportTest.identity(name, 1),
            SealTest.ZSTD,
            new InetSocketAddress(LOOPBACK, 0),
            LOOPBACK,
            inbox,
            new GossipMetrics(meters, true));
    open.add(transport);
    return transport;
  }

  private static NodeAddress address(int port) {
    return SocketAddresses.toNodeAddress(new InetSocketAddress(LOOPBACK, port));
  }

  private void flip(byte[] bytes) {
    int bit = random.nextInt(bytes.length * 8);
    bytes[bit / 8] ^= (byte) (1 << bit % 8);
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
