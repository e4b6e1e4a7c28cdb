package org.quorumail.gossip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.transport.Opener.OpenResult;

/**
 * A short run of the fuzzing campaign; a million frames with {@code
 * -Dquorumail.fuzz.frames=1000000}.
 */
class FuzzedFramesTest {
  private static final long SEED = Long.getLong("quorumail.fuzz.seed", 42);
  private static final int FRAMES = Integer.getInteger("quorumail.fuzz.frames", 100_000);

  private final Random random = new Random(SEED);
  private final Sealer member = new Sealer(SealTest.ring("one", 1), Clock.systemUTC());
  private final Sealer withoutTheSecret = new Sealer(SealTest.ring("one", 9), Clock.systemUTC());
  private final Sealer elsewhere = new Sealer(SealTest.ring("two", 1), Clock.systemUTC());
  private final Opener opener = new Opener(SealTest.ring("one", 1), "b", Clock.systemUTC());

  @Test
  void onlyFramesOfMembersOpenAndNothingGrows() {
    System.out.printf("fuzzed frames: seed %d, %d frames%n", SEED, FRAMES);
    List<byte[]> recorded = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      byte[] frame = seal(member);
      assertThat(opener.open(FrameFormat.DATAGRAM, ByteBuffer.wrap(frame)))
          .isInstanceOf(OpenResult.Payload.class);
      recorded.add(frame);
    }
    Map<DropReason, Integer> drops = new EnumMap<>(DropReason.class);
    for (int i = 0; i < FRAMES; i++) {
      byte[] frame = fuzzed(recorded);
      switch (opener.open(FrameFormat.DATAGRAM, ByteBuffer.wrap(frame))) {
        case OpenResult.Dropped dropped -> drops.merge(dropped.reason(), 1, Integer::sum);
        case OpenResult.Payload payload ->
            throw new AssertionError("frame " + i + " of seed " + SEED + " came through");
      }
    }
    System.out.println("fuzzed frames: " + drops);
    assertThat(opener.senderCount()).isEqualTo(1);
    assertThat(drops.keySet())
        .contains(
            DropReason.TOO_SHORT,
            DropReason.VERSION,
            DropReason.OTHER_CLUSTER,
            DropReason.UNKNOWN_KEY,
            DropReason.REPLAYED,
            DropReason.FORGED);
  }

  @Test
  void aMalformedBodyThrowsOnlyMalformedFrame() {
    int read = 0;
    for (int i = 0; i < FRAMES; i++) {
      byte[] body =
          FrameBody.encode(List.of(bytes(40), new byte[random.nextInt(600)]), SealTest.ZSTD);
      for (int flips = random.nextInt(4); flips >= 0; flips--) flip(body);
      try {
        int length = random.nextInt(body.length + 1);
        for (byte[] message : FrameBody.decode(java.util.Arrays.copyOf(body, length), 4_096)) {
          read += message.length;
        }
      } catch (MalformedFrame | Compression.DecompressedTooLarge e) {
        assertThat(e.getMessage()).isNotEmpty();
      }
    }
    assertThat(read).isPositive();
  }

  private byte[] fuzzed(List<byte[]> recorded) {
    byte[] old = recorded.get(random.nextInt(recorded.size())).clone();
    return switch (random.nextInt(6)) {
      case 0 -> bytes(random.nextInt(1_500));
      case 1 -> old; // a replay
      case 2 -> {
        flip(old);
        yield old; // any bit: of the header, of the payload, of the seal
      }
      case 3 -> {
        byte[] fresh = seal(member);
        yield java.util.Arrays.copyOf(fresh, random.nextInt(fresh.length));
      }
      case 4 -> seal(random.nextBoolean() ? withoutTheSecret : elsewhere);
      default -> {
        byte[] fresh = seal(member);
        for (int i = 0; i < 8; i++) flip(fresh);
        fresh[fresh.length - 1 - random.nextInt(FrameFormat.SEAL_BYTES)] ^= 1;
        yield fresh;
      }
    };
  }

  private void flip(byte[] frame) {
    int bit = random.nextInt(frame.length * 8);
    frame[bit / 8] ^= (byte) (1 << bit % 8);
  }

  private byte[] seal(Sealer sealer) {
    return sealer.seal(
        FrameFormat.DATAGRAM,
        OptionalInt.of(FrameFormat.receiverTag("b")),
        bytes(random.nextInt(300)));
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }
}
