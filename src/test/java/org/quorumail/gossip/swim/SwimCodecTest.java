package org.quorumail.gossip.swim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimCodec.Decoded;
import org.quorumail.gossip.swim.SwimMessage.Ack;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.MemberRow;
import org.quorumail.gossip.swim.SwimMessage.MetadataRequest;
import org.quorumail.gossip.swim.SwimMessage.MetadataResponse;
import org.quorumail.gossip.swim.SwimMessage.Nack;
import org.quorumail.gossip.swim.SwimMessage.Ping;
import org.quorumail.gossip.swim.SwimMessage.PingReq;
import org.quorumail.gossip.swim.SwimMessage.PushPullRequest;
import org.quorumail.gossip.swim.SwimMessage.PushPullResponse;
import org.quorumail.gossip.swim.SwimMessage.PushPullRows;
import org.quorumail.gossip.swim.SwimMessage.Suspect;

class SwimCodecTest {
  private static final NodeId A = new NodeId("node-a");
  private static final NodeId B = new NodeId("x".repeat(NodeId.MAX_LENGTH));
  private static final NodeAddress V4 = NodeAddress.ipv4(0xc0000201, 7946);
  private static final NodeAddress V6 = new NodeAddress(0x20010db800000000L, 1, 65535);
  private static final SwimMember SMALL =
      new SwimMember(A, V4, 3, NodeMetadata.of(new byte[] {1, 2, 3}));
  private static final SwimMember LARGE =
      new SwimMember(
          B, V6, SwimMember.MAX_INCARNATION, NodeMetadata.digestOnly(NodeMetadata.MAX_LENGTH, -1));

  static Stream<SwimMessage> messages() {
    List<MemberRow> rows =
        List.of(new MemberRow(SMALL, MemberState.ALIVE), new MemberRow(LARGE, MemberState.LEFT));
    return Stream.of(
        new Ping(1, A, 5, B),
        new Ping(Long.MAX_VALUE, B, SwimMember.MAX_INCARNATION, A),
        new PingReq(300, LARGE, A, 120_000),
        new Ack(127),
        new Nack(128),
        new Alive(SMALL),
        new Alive(LARGE),
        new Alive(new SwimMember(A, V4, 0, NodeMetadata.of(new byte[NodeMetadata.MAX_IN_GOSSIP]))),
        new Suspect(A, 0, B),
        new Dead(B, 1L << 62, A),
        new Left(A, 77),
        new PushPullRequest(9, SMALL, LongStream.range(-128, 128).boxed().toList()),
        new PushPullResponse(9, LARGE, 256, IntStream.range(0, 256).boxed().toList(), true, rows),
        new PushPullResponse(9, SMALL, 1, List.of(), false, List.of()),
        new PushPullRows(A, rows),
        new MetadataRequest(B, Long.MIN_VALUE),
        new MetadataResponse(A, NodeMetadata.of(new byte[NodeMetadata.MAX_LENGTH])));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void everyMessageSurvivesARoundTrip(SwimMessage message) {
    SwimPacket packet = SwimPacket.of(message);

    assertThat(SwimCodec.decode(SwimCodec.encode(packet))).isEqualTo(new Decoded.Packet(packet));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void theSizeIsKnownBeforeEncoding(SwimMessage message) {
    SwimPacket packet = SwimPacket.of(message, message);

    assertThat(SwimCodec.encode(packet).remaining()).isEqualTo(SwimCodec.size(packet));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void aMessageCutShortIsMalformed(SwimMessage message) {
    ByteBuffer whole = SwimCodec.encode(SwimPacket.of(message));
    for (int length = 2; length < Math.min(whole.limit(), 300); length++) {
      assertThat(SwimCodec.decode(whole.duplicate().limit(length)))
          .isInstanceOf(Decoded.Malformed.class);
    }
  }

  @Test
  void longMetadataLeavesOnlyLengthAndDigestInGossip() {
    SwimMember node =
        new SwimMember(A, V4, 1, NodeMetadata.of(new byte[NodeMetadata.MAX_IN_GOSSIP + 1]));
    SwimPacket packet = SwimPacket.of(new Alive(node));

    assertThat(SwimCodec.size(packet)).isLessThan(40);
    SwimMember read = ((Alive) decoded(packet).messages().getFirst()).member();
    assertThat(read.metadata().isPresent()).isFalse();
    assertThat(read.metadata().sameContent(node.metadata())).isTrue();
  }

  @Test
  void otherVersionsTypesAndLengthsAreMalformed() {
    assertThat(malformed(2)).isEqualTo("version 2");
    assertThat(malformed()).isEqualTo("cut short");
    assertThat(malformed(1, 0)).isEqualTo("unknown message type");
    assertThat(malformed(1, 200)).isEqualTo("unknown message type");
    assertThat(malformed(1, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1))
        .isEqualTo("number beyond 63 bits");
    assertThat(malformed(1, 3, 0x85, 0)).isEqualTo("number in a long form");
    assertThat(malformed(1, 8, 65)).isEqualTo("id of 65 characters");
    assertThat(malformed(1, 8, 2, 'a', '/', 0)).isEqualTo("characters of an id");
    assertThat(malformed(1, 8, 0, 0)).isEqualTo("empty id");
    assertThat(malformed(1, 11, 1, 'a', 255, 255, 3)).startsWith("number 65535 above");
  }

  @Test
  void aMillionRandomOrDamagedFramesAreDecodedOrMalformedAndNeverThrow() {
    SplittableRandom random = new SplittableRandom(42);
    byte[][] good =
        messages()
            .map(m -> SwimCodec.encode(SwimPacket.of(m)))
            .filter(b -> b.remaining() < 2_000)
            .map(ByteBuffer::array)
            .toArray(byte[][]::new);
    int malformed = 0;
    int decoded = 0;
    for (int i = 0; i < 1_000_000; i++) {
      byte[] frame;
      if (i % 2 == 0) {
        frame = new byte[random.nextInt(60)];
        random.nextBytes(frame);
        if (frame.length > 0) frame[0] = SwimCodec.VERSION;
      } else {
        frame = good[random.nextInt(good.length)].clone();
        frame[random.nextInt(frame.length)] ^= (byte) (1 << random.nextInt(8));
      }
      switch (SwimCodec.decode(ByteBuffer.wrap(frame))) {
        case Decoded.Malformed m -> malformed++;
        case Decoded.Packet packet -> {
          decoded++;
          ByteBuffer again = SwimCodec.encode(packet.packet());
          if (i % 16 == 1) assertThat(SwimCodec.decode(again)).isEqualTo(packet);
        }
      }
    }
    assertThat(malformed).isGreaterThan(400_000);
    // a flipped bit of a number, a digest or metadata gives another valid message
    assertThat(decoded).isGreaterThan(200_000);
  }

  @Test
  void addressesAreParsedAndPrintedNumerically() {
    assertThat(NodeAddress.parseIpv4("192.0.2.1:7946")).contains(V4);
    assertThat(V4).hasToString("192.0.2.1:7946");
    assertThat(V6).hasToString("[2001:db8:0:0:0:0:0:1]:65535");
    assertThat(NodeAddress.of(V6.raw(), 65535)).isEqualTo(V6);
    for (String bad : List.of("", "1.2.3.4", "1.2.3:4.5", "1.2.3.256:1", "a.b.c.d:1", "1.2.3.4:")) {
      assertThat(NodeAddress.parseIpv4(bad)).as(bad).isEmpty();
    }
  }

  private static SwimPacket decoded(SwimPacket packet) {
    return ((Decoded.Packet) SwimCodec.decode(SwimCodec.encode(packet))).packet();
  }

  private static String malformed(int... octets) {
    byte[] bytes = new byte[octets.length];
    for (int i = 0; i < octets.length; i++) bytes[i] = (byte) octets[i];
    return ((Decoded.Malformed) SwimCodec.decode(ByteBuffer.wrap(bytes))).reason();
  }
}
