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

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.BroadcastFormat;
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.plumtree.PriorityConfig;
import org.quorumail.gossip.plumtree.SendQueue;
import org.quorumail.gossip.plumtree.TreeId;

@Execution(ExecutionMode.CONCURRENT)
class SealedTransportTest {
  private final List<SealedTransport> open = new ArrayList<>();
  private final RecordingReceiver inA = new RecordingReceiver();
  private final RecordingReceiver inB = new RecordingReceiver();

  @AfterEach
  void closeAll() {
    open.forEach(SealedTransport::close);
  }

  @Test
  void datagramsArriveTogether() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    a.send(peer(b, "b"), List.of(text("one"), text("two")));
    await().until(() -> inB.messages.size() == 2);
    assertThat(inB.messages).containsExactly(text("one"), text("two"));
    assertThat(inB.from.getFirst()).isEqualTo(peer(a, "a").address());
  }

  @Test
  void aFullDatagramIsNoLongerThanItsBound() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    byte[] noise = noise(1, a.datagramCapacity() - FrameBody.MESSAGE_OVERHEAD);
    try (DatagramSocket tap = new DatagramSocket(0, LOOPBACK)) {
      tap.setSoTimeout(10_000);
      a.send(new PeerAddress(address(tap.getLocalPort()), "b"), List.of(noise));
      DatagramPacket packet = new DatagramPacket(new byte[9_000], 9_000);
      tap.receive(packet);
      assertThat(packet.getLength()).isEqualTo(SealedTransport.MAX_DATAGRAM_BYTES);
    }
  }

  @Test
  void longMessagesAndTheirAnswersShareOneStream() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    byte[] longOne = noise(1, 1 << 20);
    a.sendOverStream(peer(b, "b"), longOne);
    a.sendOverStream(peer(b, "b"), text("next"));
    await().until(() -> inB.messages.size() == 2);
    assertThat(inB.messages).containsExactly(longOne, text("next"));
    NodeAddress caller = inB.from.getFirst();
    assertThat(caller.port()).isNotEqualTo(a.port());
    b.sendOverStream(new PeerAddress(caller, ""), text("answer"));
    await().until(() -> inA.messages.size() == 1);
    assertThat(inA.messages).containsExactly(text("answer"));
    assertThat(inA.from).containsExactly(peer(b, "b").address());
  }

  @Test
  void anUnreachableNodeIsReported() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    PeerAddress gone = peer(b, "b");
    b.close();
    a.sendOverStream(gone, text("hello?"));
    await().until(() -> inA.unreachable.contains(gone));
  }

  @Test
  void anotherSecretIsRejected() throws Exception {
    SealedTransport a = bind("a", 2, inA);
    SealedTransport b = bind("b", 1, inB);
    a.send(peer(b, "b"), List.of(text("datagram")));
    await().until(() -> inB.dropped.contains(DropReason.UNKNOWN_KEY));
    await() // a proof that exceeds the timeout is no failure: it is tried again
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              a.sendOverStream(peer(b, "b"), text("stream"));
              return !inA.refused.isEmpty() && inB.dropped.size() > 1;
            });
    assertThat(inA.unreachable).isNotEmpty();
    assertThat(inB.dropped).containsOnly(DropReason.UNKNOWN_KEY);
    assertThat(inB.messages).isEmpty();
  }

  @Test
  void unauthenticatedBytesAreNotAnswered() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    try (Socket socket = new Socket(LOOPBACK, b.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(new byte[200]);
      assertThat(socket.getInputStream().readNBytes(1)).isEmpty();
    } catch (IOException e) {
      assertThat(e)
          .hasMessageContaining("reset"); // closed with unread bytes, and without an answer
    }
    try (DatagramSocket socket = new DatagramSocket(0, LOOPBACK)) {
      byte[] tooLong = new byte[UdpSocket.MAX_RECEIVED_BYTES + 500];
      socket.send(new DatagramPacket(tooLong, tooLong.length, LOOPBACK, b.port()));
      byte[] noise = new byte[300];
      socket.send(new DatagramPacket(noise, noise.length, LOOPBACK, b.port()));
      await()
          .until(() -> inB.dropped.containsAll(List.of(DropReason.VERSION, DropReason.TOO_LONG)));
      socket.setSoTimeout(300);
      assertThatThrownBy(() -> socket.receive(new DatagramPacket(new byte[1], 1)))
          .isInstanceOf(java.net.SocketTimeoutException.class);
    }
    assertThat(inB.messages).isEmpty();
  }

  @Test
  void aRecordedHelloOpensNoStream() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    Sealer member = new Sealer(SealTest.ring("one", 1), Clock.systemUTC());
    byte[] hello =
        member.seal(
            FrameFormat.STREAM_HELLO, OptionalInt.of(FrameFormat.receiverTag("b")), new byte[32]);
    assertThat(answerTo(b, hello)).hasSize(48);
    assertThat(answerTo(b, hello)).isEmpty();
    await().untilAsserted(() -> assertThat(inB.dropped).containsExactly(DropReason.REPLAYED));
  }

  @Test
  void aBrokenFrameEndsTheStream() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    KeyRing ring = SealTest.ring("one", 1);
    Sealer sealer = new Sealer(ring, Clock.systemUTC());
    try (Socket socket = new Socket(LOOPBACK, b.port())) {
      socket.setSoTimeout(20_000);
      SealedStream stream = SealedStream.connect(socket, ring, sealer, OptionalInt.empty());
      stream.write(FrameBody.encode(List.of(text("fine")), SealTest.ZSTD));
      await().until(() -> inB.messages.size() == 1);
      socket.getOutputStream().write(new byte[] {0, 0, 0, 20});
      socket.getOutputStream().write(new byte[20]);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    await().untilAsserted(() -> assertThat(inB.dropped).containsExactly(DropReason.FORGED));
  }

  @Test
  void aHugeFrameLengthEndsTheStreamUnread() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    KeyRing ring = SealTest.ring("one", 1);
    Sealer sealer = new Sealer(ring, Clock.systemUTC());
    try (Socket socket = new Socket(LOOPBACK, b.port())) {
      socket.setSoTimeout(20_000);
      SealedStream.connect(socket, ring, sealer, OptionalInt.empty());
      socket.getOutputStream().write(new byte[] {0x7f, 0, 0, 0});
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    await().untilAsserted(() -> assertThat(inB.dropped).containsExactly(DropReason.TOO_LONG));
  }

  @Test
  void unauthenticatedConnectionsAreBounded() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    List<Socket> strangers = new ArrayList<>();
    try {
      for (int i = 0; i <= TcpStreams.MAX_UNAUTHENTICATED; i++)
        strangers.add(new Socket(LOOPBACK, b.port()));
      await().until(() -> inB.dropped.contains(DropReason.CONNECTIONS_FULL));
    } finally {
      for (Socket s : strangers) s.close();
    }
    SealedTransport a = bind("a", 1, inA);
    await()
        .until(
            () -> {
              a.sendOverStream(peer(b, "b"), text("a member"));
              return !inB.messages.isEmpty();
            });
  }

  @Test
  void aMemberConnectsAtOnceDespiteUnauthenticatedConnections() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    List<Socket> strangers = new ArrayList<>();
    try {
      for (int i = 0; i < TcpStreams.MAX_UNAUTHENTICATED; i++)
        strangers.add(new Socket(LOOPBACK, b.port()));
      a.sendOverStream(peer(b, "b"), text("a member"));
      await().atMost(Duration.ofSeconds(2)).until(() -> !inB.messages.isEmpty());
    } finally {
      for (Socket s : strangers) s.close();
    }
  }

  @Test
  void aSlowUnauthenticatedCallerIsClosedAtTheTimeout() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    try (Socket stranger = new Socket(LOOPBACK, b.port())) {
      await()
          .pollInterval(Duration.ofMillis(100))
          .atMost(Duration.ofSeconds(8))
          .untilAsserted(
              () ->
                  assertThatThrownBy(() -> stranger.getOutputStream().write(1))
                      .isInstanceOf(IOException.class));
    }
  }

  /** An address that discovery or an old seed names may belong to a stranger. */
  @Test
  void aStrangerThatDripsItsProofIsGivenUpAtTheTimeout() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    try (ServerSocket stranger = new ServerSocket(0, 1, LOOPBACK)) {
      PeerAddress named = new PeerAddress(address(stranger.getLocalPort()), "");
      a.sendOverStream(named, text("hello"));
      try (Socket socket = stranger.accept()) {
        awaitClosed(socket, new byte[] {1});
      }
      await().until(() -> inA.unreachable.contains(named));
    }
  }

  /** A member that drips a frame of any length holds a thread, and one of 1,024 streams. */
  @Test
  void aShortFrameThatDripsEndsTheStream() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    KeyRing ring = SealTest.ring("one", 1);
    Sealer sealer = new Sealer(ring, Clock.systemUTC());
    try (Socket member = new Socket(LOOPBACK, b.port());
        Socket slower = new Socket(LOOPBACK, b.port())) {
      OptionalInt tag = OptionalInt.of(FrameFormat.receiverTag("b"));
      SealedStream.connect(member, ring, sealer, tag);
      SealedStream.connect(slower, ring, sealer, tag);
      slower.getOutputStream().write(0); // the first octet of a length
      member.getOutputStream().write(new byte[] {0, 0, 1, 0});
      awaitClosed(member, new byte[] {1});
      slower.setSoTimeout(15_000);
      assertThat(slower.getInputStream().read()).isEqualTo(-1);
    }
  }

  /** Sends one octet after the other until the other end has closed the connection. */
  private static void awaitClosed(Socket socket, byte[] octet) {
    await()
        .pollInterval(Duration.ofMillis(500))
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(
            () ->
                assertThatThrownBy(() -> socket.getOutputStream().write(octet))
                    .isInstanceOf(IOException.class));
  }

  @Test
  void unfinishedLongFramesReleaseTheirPermits() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    KeyRing ring = SealTest.ring("one", 1);
    Sealer sealer = new Sealer(ring, Clock.systemUTC());
    List<Socket> members = new ArrayList<>();
    try {
      for (int i = 0; i < 4; i++) {
        Socket member = new Socket(LOOPBACK, b.port());
        members.add(member);
        SealedStream.connect(member, ring, sealer, OptionalInt.of(FrameFormat.receiverTag("b")));
        member.getOutputStream().write(new byte[] {0, 0x3f, 0, 0, 1, 2, 3}); // of 4 MiB
      }
      byte[] longOne = noise(1, 1 << 20);
      a.sendOverStream(peer(b, "b"), text("short"));
      await().atMost(Duration.ofSeconds(3)).until(() -> inB.messages.size() == 1);
      a.sendOverStream(peer(b, "b"), longOne);
      await().atMost(Duration.ofSeconds(20)).until(() -> inB.messages.size() == 2);
    } finally {
      for (Socket m : members) m.close();
    }
  }

  @Test
  void aDecompressionBombIsDroppedAndCounted() throws Exception {
    SealedTransport b = bind("b", 1, inB);
    Sealer member = new Sealer(SealTest.ring("one", 1), Clock.systemUTC());
    byte[] bomb = FrameBody.encode(List.of(new byte[20 << 20]), SealTest.ZSTD);
    byte[] frame =
        member.seal(FrameFormat.DATAGRAM, OptionalInt.of(FrameFormat.receiverTag("b")), bomb);
    assertThat(frame.length).isLessThan(UdpSocket.MAX_RECEIVED_BYTES);
    try (DatagramSocket socket = new DatagramSocket(0, LOOPBACK)) {
      socket.send(new DatagramPacket(frame, frame.length, LOOPBACK, b.port()));
    }
    await()
        .untilAsserted(
            () -> assertThat(inB.dropped).containsExactly(DropReason.INFLATED_TOO_LARGE));
    assertThat(inB.messages).isEmpty();
  }

  @Test
  void messagesToASlowNeighbourWaitByPriorityWithinBounds() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    PlumtreeCounters tally = new PlumtreeCounters();
    BroadcastFormat format = new BroadcastFormat(new NodeId("a"), 64 << 10);
    SendQueue bounded = new SendQueue(PriorityConfig.standard(), 1 << 20, tally);
    NeighbourQueue queue = new NeighbourQueue(bounded, format);
    try (ServerSocket slow = new ServerSocket()) {
      slow.setReceiveBufferSize(4_096);
      slow.bind(new InetSocketAddress(LOOPBACK, 0));
      a.connect(new PeerAddress(address(slow.getLocalPort()), "slow"), queue);
      try (Socket socket = slow.accept()) {
        socket.setSoTimeout(20_000);
        KeyRing ring = SealTest.ring("one", 1);
        Opener opener = new Opener(ring, "slow", Clock.systemUTC());
        SealedStream stream = SealedStream.accept(socket, ring, opener);
        int last = TestMessages.untilNothingIsTaken(queue, tally);
        assertThat(queue.size()).isBetween(1, 17); // of 60,000 bytes each, in 1 MiB
        assertThat(tally.count(PlumtreeMetric.PRIORITY_DROPPED)).isPositive();
        queue.add(new Prune(TreeId.OVERLAY_PATHS));
        queue.add(new IHave(List.of(new Announcement(TreeId.OVERLAY_PATHS, id(1), 1))));
        queue.add(new Graft(TreeId.OVERLAY_PATHS, Optional.of(id(1))));
        List<String> kinds = kinds(stream, format, last);
        int graft = kinds.indexOf("Graft");
        int ihave = kinds.indexOf("IHave");
        int prune = kinds.indexOf("Prune");
        assertThat(List.of(graft, ihave, prune)).isSorted();
        assertThat(ihave - graft).as("payloads of one turn").isBetween(1, 5);
        assertThat(prune).as("the others wait for the prune too").isLessThan(kinds.size() - 1);
      }
    }
    await().until(() -> inA.unreachable.stream().anyMatch(peer -> peer.nodeId().equals("slow")));
  }

  private static List<String> kinds(SealedStream stream, BroadcastFormat format, int last)
      throws Exception {
    List<String> kinds = new ArrayList<>();
    while (true) {
      List<byte[]> bodies = new ArrayList<>();
      stream.read(new Semaphore(1), bodies::add);
      for (byte[] message : FrameBody.decode(bodies.getFirst(), 1 << 20)) {
        PlumtreeMessage read = ((PlumtreeCodec.Message) format.decode(message)).message();
        kinds.add(read.getClass().getSimpleName());
        if (read instanceof Gossip g && g.id().sequence() == last) return kinds;
      }
    }
  }

  @Test
  void theEndOfANeighboursConnectionIsReportedAndOfAReleasedOneIsNot() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    SealedTransport c = bind("c", 1, new RecordingReceiver());
    a.sendOverStream(peer(b, ""), text("a seed has no name"));
    a.connect(peer(b, "b"), queue(new PlumtreeCounters()));
    a.connect(peer(c, "c"), queue(new PlumtreeCounters()));
    await().until(() -> inB.messages.size() == 1);
    a.disconnect(peer(c, "c"));
    c.close();
    b.close();
    await().until(() -> inA.unreachable.contains(peer(b, "b")));
    assertThat(inA.unreachable).extracting(PeerAddress::nodeId).containsOnly("b");
  }

  @Test
  void aTakenPortIsAnException() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    assertThatThrownBy(
            () ->
                SealedTransport.bind(
                    SealTest.ring("one", 1), "x", SealTest.ZSTD, LOOPBACK, a.port(), inB))
        .isInstanceOf(IOException.class);
  }

  @Test
  void openStreamsAndNewOnesSurviveARotation() throws Exception {
    SealedTransport a = bind("a", 1, inA);
    SealedTransport b = bind("b", 1, inB);
    a.sendOverStream(peer(b, "b"), text("before"));
    await().until(() -> inB.messages.size() == 1);
    b.replaceKeys(SealTest.ring("one", 1, 2));
    a.replaceKeys(SealTest.ring("one", 2, 1));
    a.sendOverStream(peer(b, "b"), text("on the open stream"));
    a.send(peer(b, "b"), List.of(text("datagram")));
    b.sendOverStream(peer(a, "a"), text("under the old one"));
    await().until(() -> inB.messages.size() == 3 && inA.messages.size() == 1);
    assertThat(inB.dropped).isEmpty();
    assertThat(inA.dropped).isEmpty();
  }

  private SealedTransport bind(String name, int secret, Transport.Receiver receiver)
      throws IOException {
    KeyRing ring = SealTest.ring("one", secret);
    SealedTransport transport =
        SealedTransport.bind(ring, name, SealTest.ZSTD, LOOPBACK, 0, receiver);
    open.add(transport);
    return transport;
  }

  private static byte[] answerTo(SealedTransport b, byte[] bytes) throws IOException {
    try (Socket socket = new Socket(LOOPBACK, b.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(bytes);
      return socket.getInputStream().readNBytes(48);
    }
  }
}
