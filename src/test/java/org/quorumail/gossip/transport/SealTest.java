package org.quorumail.gossip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.transport.Opener.OpenResult;

public class SealTest {
  static final Compression ZSTD = compression(CompressionConfig.zstd());
  private static final Compression GZIP =
      compression(new CompressionConfig(true, CompressionConfig.Algorithm.GZIP, 6, 256));
  private static final Compression NONE = compression(CompressionConfig.off());

  private static Compression compression(CompressionConfig config) {
    return new Compression(config, new PlumtreeCounters());
  }

  private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

  private final ManualClock clock = new ManualClock();
  private final Sealer sealer = new Sealer(ring("one", 1), clock);
  private final Opener opener = new Opener(ring("one", 1), "b", clock);

  public static KeyRing ring(String cluster, int secret, int... accepted) {
    return KeyRing.of(
        cluster, secret(secret), Arrays.stream(accepted).mapToObj(SealTest::secret).toList());
  }

  public static byte[] secret(int filler) {
    byte[] secret = new byte[32];
    Arrays.fill(secret, (byte) filler);
    return secret;
  }

  @Test
  void aMembersFrameOpensOnce() {
    byte[] frame = seal(sealer, "b");
    assertThat(payload(opener, frame)).isEqualTo(HELLO);
    assertThat(reason(opener, frame)).isEqualTo(DropReason.REPLAYED);
  }

  @Test
  void aFrameWithoutAReceiverOpens() {
    assertThat(payload(opener, sealer.seal(FrameFormat.DATAGRAM, OptionalInt.empty(), HELLO)))
        .isEqualTo(HELLO);
  }

  @Test
  void foreignFramesAreDroppedAndNotRemembered() {
    assertThat(reason(opener, seal(sealer, "c"))).isEqualTo(DropReason.OTHER_NODE);
    assertThat(reason(opener, seal(new Sealer(ring("one", 2), clock), "b")))
        .isEqualTo(DropReason.UNKNOWN_KEY);
    assertThat(reason(opener, seal(new Sealer(ring("two", 1), clock), "b")))
        .isEqualTo(DropReason.OTHER_CLUSTER);
    assertThat(reason(opener, new byte[FrameFormat.OVERHEAD - 1])).isEqualTo(DropReason.TOO_SHORT);
    byte[] hello = sealer.seal(FrameFormat.STREAM_HELLO, OptionalInt.empty(), HELLO);
    assertThat(reason(opener, hello)).isEqualTo(DropReason.VERSION);
    assertThat(opener.senderCount()).isZero();
  }

  @Test
  void everyFlippedBitBreaksTheSeal() {
    byte[] frame = seal(sealer, "b");
    for (int bit = 0; bit < frame.length * 8; bit++) {
      byte[] flipped = frame.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(reason(opener, flipped)).as("bit %d", bit).isNotNull();
    }
    assertThat(opener.senderCount()).isZero();
    assertThat(payload(opener, frame)).isEqualTo(HELLO);
  }

  @Test
  void theClusterNameIsSealedEvenWhereTagsCollide() {
    // the tag is two bytes of a hash, so some other name has the same; its frames must not open
    short tag = ring("one", 1).clusterTag();
    int i = 0;
    while (ring("other" + i, 1).clusterTag() != tag) i++;
    assertThat(reason(opener, seal(new Sealer(ring("other" + i, 1), clock), "b")))
        .isEqualTo(DropReason.FORGED);
  }

  @Test
  void lateFramesOpenWithinTheWindowOnly() {
    byte[] first = seal(sealer, "b");
    byte[] second = seal(sealer, "b");
    for (int i = 0; i < ReplayWindow.BITS - 2; i++) seal(sealer, "c");
    assertThat(payload(opener, seal(sealer, "b"))).isEqualTo(HELLO);
    assertThat(reason(opener, first)).isEqualTo(DropReason.REPLAYED);
    assertThat(payload(opener, second)).isEqualTo(HELLO);
    assertThat(reason(opener, second)).isEqualTo(DropReason.REPLAYED);
  }

  @Test
  void theWindowRemembersCountersAcrossAJump() {
    ReplayWindow window = new ReplayWindow();
    window.mark(5);
    window.mark(5 + 3L * ReplayWindow.BITS);
    window.mark(5 + 3L * ReplayWindow.BITS - 7);
    assertThat(window.isNew(5)).isFalse();
    assertThat(window.isNew(5 + 3L * ReplayWindow.BITS - 7)).isFalse();
    assertThat(window.isNew(5 + 3L * ReplayWindow.BITS - 8)).isTrue();
    assertThat(window.isNew(5 + 2L * ReplayWindow.BITS)).isFalse();
  }

  @Test
  void anOldRecordingIsRejectedAsStale() {
    byte[] recorded = seal(sealer, "b");
    clock.advance(Opener.MAX_CLOCK_DIFFERENCE.plusSeconds(1));
    Opener restarted = new Opener(ring("one", 1), "b", clock);
    assertThat(reason(restarted, recorded)).isEqualTo(DropReason.STALE);
  }

  @Test
  void sendersAreForgottenOnlyWhenForgettingIsSafe() {
    Opener small = new Opener(ring("one", 1), "b", clock, 2);
    byte[] first = seal(new Sealer(ring("one", 1), clock), "b");
    byte[] second = seal(new Sealer(ring("one", 1), clock), "b");
    payload(small, first);
    payload(small, second);
    byte[] third = seal(new Sealer(ring("one", 1), clock), "b");
    assertThat(reason(small, third)).isEqualTo(DropReason.SENDERS_FULL);
    clock.advance(Opener.MAX_CLOCK_DIFFERENCE.multipliedBy(2).plus(Duration.ofSeconds(1)));
    assertThat(payload(small, seal(new Sealer(ring("one", 1), clock), "b"))).isEqualTo(HELLO);
    assertThat(small.senderCount()).isEqualTo(2);
    assertThat(reason(small, first)).isEqualTo(DropReason.STALE);
  }

  @Test
  void forgedFramesKeepNoSenderInMemory() {
    Opener small = new Opener(ring("one", 1), "b", clock, 2);
    Sealer lasting = new Sealer(ring("one", 1), clock);
    payload(small, seal(sealer, "b"));
    byte[] forged = seal(sealer, "b");
    forged[forged.length - 1] ^= 1;
    clock.advance(Opener.MAX_CLOCK_DIFFERENCE.multipliedBy(2).plus(Duration.ofSeconds(1)));
    payload(small, seal(lasting, "b"));
    assertThat(reason(small, forged)).isEqualTo(DropReason.FORGED);
    assertThat(payload(small, seal(new Sealer(ring("one", 1), clock), "b"))).isEqualTo(HELLO);
    assertThat(payload(small, seal(lasting, "b"))).isEqualTo(HELLO);
  }

  @Test
  void aSecretRotatesInThreeStepsWithoutALostFrame() {
    Sealer sealing = new Sealer(ring("one", 1), clock);
    Opener other = new Opener(ring("one", 1), "b", clock);
    other.replaceKeys(ring("one", 1, 2)); // step one: all accept the new one
    assertThat(payload(other, seal(sealing, "b"))).isEqualTo(HELLO);
    sealing.replaceKeys(ring("one", 2, 1)); // step two: it seals
    assertThat(payload(other, seal(sealing, "b"))).isEqualTo(HELLO);
    byte[] underTheOld = seal(sealer, "b");
    other.replaceKeys(ring("one", 2)); // step three: the old one is gone
    assertThat(payload(other, seal(sealing, "b"))).isEqualTo(HELLO);
    assertThat(reason(other, underTheOld)).isEqualTo(DropReason.UNKNOWN_KEY);
  }

  @Test
  void secretsWithEqualKeyIdsRotate() {
    // a key's name in a frame is two bytes, so one secret in 65,536 has that of another
    Map<Short, Integer> byName = new HashMap<>();
    int second = 1;
    Integer first = byName.put(wide(second).sealingKey().id(), second);
    while (first == null) first = byName.put(wide(++second).sealingKey().id(), second);
    KeyRing both = KeyRing.of("one", wideSecret(first), List.of(wideSecret(second)));
    Opener other = new Opener(both, "b", clock);
    Sealer sealing = new Sealer(wide(first), clock);
    assertThat(payload(other, seal(sealing, "b"))).isEqualTo(HELLO);
    sealing.replaceKeys(wide(second));
    assertThat(payload(other, seal(sealing, "b"))).isEqualTo(HELLO);
    byte[] underTheOld = seal(new Sealer(wide(first), clock), "b");
    other.replaceKeys(wide(second));
    assertThat(payload(other, seal(sealing, "b"))).isEqualTo(HELLO);
    assertThat(reason(other, underTheOld)).isEqualTo(DropReason.FORGED);
  }

  private static KeyRing wide(int secret) {
    return KeyRing.of("one", wideSecret(secret), List.of());
  }

  private static byte[] wideSecret(int number) {
    return ByteBuffer.allocate(32).putInt(number).array();
  }

  @Test
  void aBodyRoundTripsWithEveryCompression() throws Exception {
    List<byte[]> messages = List.of(new byte[0], HELLO, new byte[5_000]);
    for (Compression way : List.of(ZSTD, GZIP, NONE)) {
      byte[] body = FrameBody.encode(messages, way);
      assertThat(body.length < 1_000).isEqualTo(way != NONE);
      assertThat(FrameBody.decode(body, 10_000)).usingRecursiveComparison().isEqualTo(messages);
    }
  }

  @Test
  void savedBytesAreCountedAndSmallBodiesStayPlain() {
    PlumtreeCounters tally = new PlumtreeCounters();
    Compression counting = new Compression(CompressionConfig.zstd(), tally);
    int length = FrameBody.encode(List.of(new byte[5_000]), counting).length;
    assertThat(FrameBody.encode(List.of(new byte[100]), counting)).hasSize(105);
    assertThat(tally.count(PlumtreeMetric.COMPRESSION_MESSAGES)).isEqualTo(1);
    assertThat(tally.count(PlumtreeMetric.COMPRESSION_SKIPPED)).isEqualTo(1);
    assertThat(tally.count(PlumtreeMetric.COMPRESSION_BYTES_IN)).isEqualTo(5_004);
    assertThat(tally.count(PlumtreeMetric.COMPRESSION_BYTES_SAVED)).isEqualTo(5_005 - length);
  }

  @Test
  void aBodyBeyondTheDecompressedBoundIsRejected() {
    for (Compression way : List.of(ZSTD, GZIP)) {
      byte[] bomb = FrameBody.encode(List.of(new byte[100 << 20]), way);
      assertThat(bomb.length).isLessThan(120_000);
      assertThat(catchOf(() -> FrameBody.decode(bomb, 64 << 10)))
          .isInstanceOf(Compression.DecompressedTooLarge.class);
    }
  }

  private static Throwable catchOf(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return org.assertj.core.api.Assertions.catchThrowable(call);
  }

  private static byte[] seal(Sealer sealer, String receiver) {
    return sealer.seal(
        FrameFormat.DATAGRAM, OptionalInt.of(FrameFormat.receiverTag(receiver)), HELLO);
  }

  private static byte[] payload(Opener opener, byte[] frame) {
    OpenResult opened = opener.open(FrameFormat.DATAGRAM, ByteBuffer.wrap(frame));
    return opened instanceof OpenResult.Payload payload ? payload.bytes() : new byte[0];
  }

  private static @org.jspecify.annotations.Nullable DropReason reason(Opener opener, byte[] frame) {
    OpenResult opened = opener.open(FrameFormat.DATAGRAM, ByteBuffer.wrap(frame));
    return opened instanceof OpenResult.Dropped dropped ? dropped.reason() : null;
  }
}
