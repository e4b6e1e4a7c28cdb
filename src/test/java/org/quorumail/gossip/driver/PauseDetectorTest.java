package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PauseDetectorTest {
  private static final long TOLERANCE = PauseDetector.TOLERANCE.toNanos();

  private final PauseDetector gate = new PauseDetector();

  @Test
  void aDelayWithinTheToleranceIsNoPause() {
    assertThat(gate.recordDelay(TOLERANCE, 0)).isFalse();
    assertThat(gate.isDegraded(0)).isFalse();
  }

  @Test
  void aPauseDegradesForTwiceItsLengthBetweenOneAndTenSeconds() {
    assertThat(gate.recordDelay(seconds(0.3), 0)).isTrue();
    assertThat(gate.isDegraded(seconds(0.99))).isTrue();
    assertThat(gate.isDegraded(seconds(1))).isFalse();
    gate.recordDelay(seconds(3), seconds(10));
    assertThat(gate.isDegraded(seconds(15.9))).isTrue();
    assertThat(gate.isDegraded(seconds(16))).isFalse();
    gate.recordDelay(seconds(60), seconds(100));
    assertThat(gate.isDegraded(seconds(109.9))).isTrue();
    assertThat(gate.isDegraded(seconds(110))).isFalse();
  }

  @Test
  void aShorterPauseDoesNotEndALongerDegradation() {
    gate.recordDelay(seconds(4), 0);
    gate.recordDelay(seconds(0.3), seconds(1));
    assertThat(gate.isDegraded(seconds(7.9))).isTrue();
  }

  @Test
  void theClockMayBeginAnywhere() {
    long start = Long.MAX_VALUE - seconds(0.5); // nanoTime may pass the end of the range
    gate.recordDelay(seconds(0.3), start);
    assertThat(gate.isDegraded(start + seconds(0.9))).isTrue();
    assertThat(gate.isDegraded(start + seconds(1.1))).isFalse();
  }

  private static long seconds(double s) {
    return Duration.ofMillis(Math.round(s * 1_000)).toNanos();
  }
}
