package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SequenceWindowTest {
  private static final int WINDOW = SequenceWindow.MAX_WORDS * 64;

  @Test
  void agreesWithASetOfAllSequencesInAnyOrder() {
    SplittableRandom random = new SplittableRandom(7);
    SequenceWindow window = new SequenceWindow();
    Set<Long> seen = new HashSet<>();
    long top = 1;
    for (int i = 0; i < 50_000; i++) {
      top += random.nextInt(2);
      long sequence = Math.max(1, top - random.nextInt(200));
      assertThat(window.add(sequence)).as("sequence %d", sequence).isEqualTo(seen.add(sequence));
    }
    for (long s = top - WINDOW + 200; s <= top + 100; s++) {
      assertThat(window.contains(s)).isEqualTo(seen.contains(s));
    }
  }

  @Test
  void withoutGapsTheWindowIsOneNumber() {
    SequenceWindow window = new SequenceWindow();
    for (long s = 1; s <= 100_000; s++) assertThat(window.add(s)).isTrue();
    assertThat(window.floor()).isEqualTo(100_000);
    assertThat(window.words()).isEmpty();
  }

  @Test
  void aGapIsKeptForAWholeWindowAndThenGivenUpAndCounted() {
    SequenceWindow window = new SequenceWindow();
    for (long s = 2; s <= WINDOW; s++) window.add(s);
    assertThat(window.contains(1)).isFalse();
    window.add(WINDOW + 1L);
    assertThat(window.contains(1)).isTrue();
    assertThat(window.givenUp()).isEqualTo(1);
    assertThat(window.floor()).isEqualTo(WINDOW + 1L);
  }

  @Test
  void aFarJumpNeedsNoMemory() {
    SequenceWindow window = new SequenceWindow();
    window.add(1);
    assertThat(window.add(Long.MAX_VALUE)).isTrue();
    assertThat(window.add(Long.MAX_VALUE)).isFalse();
    assertThat(window.words().length).isLessThanOrEqualTo(SequenceWindow.MAX_WORDS);
  }

  @Test
  void aNewWindowAcceptsMessagesThatTheFirstOvertook() {
    SequenceWindow window = SequenceWindow.startingNear(100_000);
    assertThat(window.add(100_000)).isTrue();
    assertThat(window.add(99_999)).isTrue();
    assertThat(SequenceWindow.startingNear(5).add(1)).isTrue();
  }

  @Test
  void givenUpSequencesCountAsSeenAndHigherOnesDoNot() {
    SequenceWindow window = SequenceWindow.startingNear(10_000);
    window.add(10_000);
    window.add(10_002);
    window.giveUpTo(10_000);
    assertThat(window.floor()).isEqualTo(10_000);
    assertThat(window.contains(9_999)).isTrue();
    assertThat(window.contains(10_001)).isFalse();
    assertThat(window.highest()).isEqualTo(10_002);
    assertThat(window.add(10_001)).isTrue();
    assertThat(window.words()).isEmpty();
    assertThat(window.highest()).isEqualTo(10_002);
  }
}
