package org.quorumail.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ClockStepDetectorTest {
  private Instant wall = Instant.parse("2026-11-21T10:00:00Z");
  private long nanos = Long.MAX_VALUE - Duration.ofMinutes(30).toNanos(); // it may overflow
  private final ClockStepDetector clock = new ClockStepDetector(() -> wall, () -> nanos);

  @Test
  void clocksThatGoTogetherAgree() {
    for (int i = 0; i < 100; i++) pass(Duration.ofHours(1).plusMillis(i));
    assertThat(clock.clocksAgree()).isTrue();
  }

  @Test
  void smallStepsAndDriftAreNone() {
    wall = wall.plusSeconds(50);
    assertThat(clock.clocksAgree()).isTrue();
    wall = wall.minusSeconds(100);
    assertThat(clock.clocksAgree()).isTrue();
    assertThat(clock.hasSteppedBack()).isFalse();
  }

  @Test
  void aStepOfYearsIsNotBelievedAndMayBeTakenBack() {
    wall = wall.plus(Duration.ofDays(2000));
    assertThat(clock.step()).isEqualTo(Duration.ofDays(2000));
    pass(Duration.ofDays(100));
    assertThat(clock.step()).isEqualTo(Duration.ofDays(2000));
    assertThat(clock.hasSteppedBack()).isFalse();
    wall = wall.minus(Duration.ofDays(2000));
    assertThat(clock.clocksAgree()).isTrue();
    assertThat(clock.hasSteppedBack()).isTrue();
  }

  @Test
  void aShortStepIsBelievedAfterItsOwnLength() {
    wall = wall.plus(Duration.ofHours(2));
    assertThat(clock.clocksAgree()).isFalse();
    pass(Duration.ofMinutes(119));
    assertThat(clock.clocksAgree()).isFalse();
    pass(Duration.ofMinutes(1));
    assertThat(clock.clocksAgree()).isTrue();
  }

  @Test
  void aClockThatIsSetBackIsAStepToo() {
    wall = wall.minus(Duration.ofDays(3));
    assertThat(clock.step()).isEqualTo(Duration.ofDays(-3));
    assertThat(clock.hasSteppedBack()).isTrue();
  }

  private void pass(Duration time) {
    wall = wall.plus(time);
    nanos += time.toNanos();
    clock.step();
  }
}
