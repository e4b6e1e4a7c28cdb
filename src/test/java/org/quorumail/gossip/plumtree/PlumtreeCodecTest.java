package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
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

class PlumtreeCodecTest {
  private static final long SEED = 20_260_721;
  private static final int MAX = 4_096;

  private final PlumtreeCodec codec = new PlumtreeCodec(MAX);
  private final SplittableRandom random = new SplittableRandom(SEED);

  @Test
  void everyMessageSurvivesARoundTrip() {
    for (int i = 0; i < 20_000; i++) {
      PlumtreeMessage message = anyMessage();
      byte[] bytes = bytes(message);
      assertThat(bytes.length).isLessThanOrEqualTo(codec.maxEncodedSize());
      PlumtreeCodec.Decoded decoded = codec.decode(ByteBuffer.wrap(bytes));
      assertThat(decoded)
          .as("seed %d, %s", SEED, message)
          .isInstanceOf(PlumtreeCodec.Message.class);
      PlumtreeMessage again = ((PlumtreeCodec.Message) decoded).message();
      assertThat(again.getClass()).isEqualTo(message.getClass());
      assertThat(bytes(again)).isEqualTo(bytes);
    }
  }

  @Test
  void everyFieldOfAGossipSurvives() {
    Gossip sent =
        new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(new NodeId("a"), 7, 9), 3, new byte[] {5});
    Gossip read = (Gossip) decoded(bytes(sent));
    assertThat(read.tree()).isEqualTo(TreeId.OVERLAY_PATHS);
    assertThat(read.id()).isEqualTo(sent.id());
    assertThat(read.hop()).isEqualTo(3);
    assertThat(read.payload()).containsExactly(5);
  }

  @Test
  void aMessageCutShortAnywhereIsMalformed() {
    for (int i = 0; i < 500; i++) {
      byte[] bytes = bytes(anyMessage());
      for (int length = 0; length < Math.min(bytes.length, 200); length++) {
        assertThat(codec.decode(ByteBuffer.wrap(bytes, 0, length)))
            .isInstanceOf(PlumtreeCodec.Malformed.class);
      }
    }
  }

  @Test
  void damagedAndRandomBytesNeverThrowAndDecodedMessagesHaveOneEncoding() {
    int read = 0;
    for (int i = 0; i < 200_000; i++) {
      byte[] bytes = random.nextInt(4) == 0 ? noise() : damaged(bytes(anyMessage()));
      if (codec.decode(ByteBuffer.wrap(bytes)) instanceof PlumtreeCodec.Message decoded) {
        read++;
        assertThat(bytes(decoded.message())).isEqualTo(bytes);
      }
    }
    assertThat(read).as("some damage is inside payloads").isPositive();
  }

  @Test
  void aCountOrPayloadAboveItsBoundIsMalformed() {
    byte[] large = bytes(new Gossip(TreeId.OVERLAY_PATHS, id(), 0, new byte[MAX + 1]));
    assertThat(codec.decode(ByteBuffer.wrap(large)))
        .isEqualTo(new PlumtreeCodec.Malformed("number " + (MAX + 1) + " above " + MAX));
    byte[] many = {1, 'A', (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 7};
    assertThat(codec.decode(ByteBuffer.wrap(many)))
        .isEqualTo(new PlumtreeCodec.Malformed("number 2147483647 above " + PlumtreeCodec.MAX_IDS));
  }

  @Test
  void anotherVersionIsReported() {
    byte[] bytes = bytes(new Disconnect());
    bytes[0] = 2;
    assertThat(codec.decode(ByteBuffer.wrap(bytes)))
        .isEqualTo(new PlumtreeCodec.Malformed("version 2"));
  }

  @Test
  void announcementsOfOneOriginNameItOnce() {
    List<Announcement> lines = new ArrayList<>();
    for (int i = 1; i <= PlumtreeCodec.MAX_IDS; i++) {
      lines.add(
          new Announcement(TreeId.OVERLAY_PATHS, new BroadcastId(new NodeId("node-17"), 1, i), 2));
    }
    assertThat(bytes(new IHave(lines)).length).isLessThan(4 * PlumtreeCodec.MAX_IDS);
  }

  private PlumtreeMessage anyMessage() {
    return switch (random.nextInt(12)) {
      case 0 -> gossip();
      case 1 -> new IHave(list(PlumtreeCodec.MAX_IDS, this::announcement));
      case 2 -> new IHaveAck(list(PlumtreeCodec.MAX_IDS, this::id));
      case 3 ->
          new Graft(tree(node()), random.nextBoolean() ? Optional.of(id()) : Optional.empty());
      case 4 -> new Prune(tree(node()));
      case 5 -> new NotFound(id());
      case 6 -> new Neighbour(random.nextBoolean());
      case 7 -> new Disconnect();
      case 8 -> new SyncRequest(range(), random.nextLong());
      case 9 -> new SyncDigest(range(), random.nextBoolean(), list(10, this::state));
      case 10 -> new SyncPull(list(PlumtreeCodec.MAX_PULL, this::id));
      default -> new SyncPush(list(3, this::gossip));
    };
  }

  private Gossip gossip() {
    BroadcastId id = id();
    byte[] payload = new byte[random.nextInt(MAX + 1) >> random.nextInt(12)];
    random.nextBytes(payload);
    return new Gossip(tree(id.origin()), id, random.nextInt(PlumtreeCodec.MAX_HOPS + 1), payload);
  }

  private Announcement announcement() {
    BroadcastId id = id();
    return new Announcement(tree(id.origin()), id, random.nextInt(20));
  }

  private OriginState state() {
    return new OriginState(
        node(),
        random.nextLong() >>> 1,
        random.nextInt(9),
        random.nextInt(1_000),
        random.longs(3).toArray());
  }

  private SyncRange range() {
    return random.nextBoolean()
        ? SyncRange.ALL
        : new SyncRange(node().value(), random.nextBoolean() ? "" : node().value());
  }

  private TreeId tree(NodeId origin) {
    return random.nextBoolean() ? TreeId.OVERLAY_PATHS : TreeId.of(origin);
  }

  private BroadcastId id() {
    return new BroadcastId(
        node(), random.nextLong() >>> (1 + random.nextInt(60)), 1 + random.nextInt(99));
  }

  private NodeId node() {
    return new NodeId("node-" + random.nextInt(5));
  }

  private <T> List<T> list(int max, java.util.function.Supplier<T> element) {
    List<T> list = new ArrayList<>();
    int size = random.nextInt(max + 1);
    for (int i = 0; i < size; i++) list.add(element.get());
    return list;
  }

  private byte[] noise() {
    byte[] bytes = new byte[random.nextInt(60)];
    random.nextBytes(bytes);
    if (bytes.length > 1) {
      bytes[0] = 1;
      bytes[1] = (byte) "GIARPFNDSVQU".charAt(random.nextInt(12));
    }
    return bytes;
  }

  private byte[] damaged(byte[] bytes) {
    for (int i = 0; i <= random.nextInt(3); i++) {
      bytes[random.nextInt(Math.min(bytes.length, 64))] ^= (byte) (1 << random.nextInt(8));
    }
    return bytes;
  }

  private PlumtreeMessage decoded(byte[] bytes) {
    return ((PlumtreeCodec.Message) codec.decode(ByteBuffer.wrap(bytes))).message();
  }

  private byte[] bytes(PlumtreeMessage message) {
    ByteBuffer buffer = codec.encode(message);
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}
