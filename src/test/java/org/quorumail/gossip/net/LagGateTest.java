package org.quorumail.gossip.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LagGateTest {
  private static final long TOLERANCE = LagGate.TOLERANCE.toNanos();

  private final LagGate gate = new LagGate();

  @Test
  void beingLateWithinTheToleranceIsNoStall() {
    assertThat(gate.note(TOLERANCE, 0)).isFalse();
    assertThat(gate.isSick(0)).isFalse();
  }

  @Test
  void aStallMakesSickForTwiceItsLengthButForASecondAtLeastAndTenAtMost() {
    assertThat(gate.note(seconds(0.3), 0)).isTrue();
    assertThat(gate.isSick(seconds(0.99))).isTrue();
    assertThat(gate.isSick(seconds(1))).isFalse();
    gate.note(seconds(3), seconds(10));
    assertThat(gate.isSick(seconds(15.9))).isTrue();
    assertThat(gate.isSick(seconds(16))).isFalse();
    gate.note(seconds(60), seconds(100));
    assertThat(gate.isSick(seconds(109.9))).isTrue();
    assertThat(gate.isSick(seconds(110))).isFalse();
  }

  @Test
  void aShorterStallDoesNotEndALongerOnesTime() {
    gate.note(seconds(4), 0);
    gate.note(seconds(0.3), seconds(1));
    assertThat(gate.isSick(seconds(7.9))).isTrue();
  }

  @Test
  void theClockMayBeginAnywhere() {
    long start = Long.MAX_VALUE - seconds(0.5); // nanoTime may pass the end of the range
    gate.note(seconds(0.3), start);
    assertThat(gate.isSick(start + seconds(0.9))).isTrue();
    assertThat(gate.isSick(start + seconds(1.1))).isFalse();
  }

  private static long seconds(double s) {
    return Duration.ofMillis(Math.round(s * 1_000)).toNanos();
  }
}
