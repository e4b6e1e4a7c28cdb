package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The two clocks of a lease, with pauses that one of them does not count. */
class LeaseClockTest {
  private static final Duration SLACK = Duration.ofMillis(60);
  private static final Duration LEASE = Duration.ofMillis(480);

  private long wallMillis = 1_000_000;
  private long nanos = -5_000_000_000L; // nanoTime may be negative
  private final List<Long> jumps = new ArrayList<>();
  private final LeaseClock clock = new LeaseClock(() -> wallMillis, () -> nanos, SLACK, jumps::add);

  @Test
  void aPauseThatTheMonotonicClockDoesNotCountVoidsWhatWasConfirmedBefore() {
    long confirmed = clock.now();
    pass(100);
    assertThat(clock.trusts(confirmed)).isTrue();
    wallMillis += Duration.ofMinutes(10).toMillis(); // suspended; nanos stand still
    long resumed = clock.now();
    assertThat(resumed - confirmed).as("the lease would still hold").isLessThan(LEASE.toNanos());
    assertThat(clock.trusts(confirmed)).isFalse();
    assertThat(jumps).containsExactly(Duration.ofMinutes(10).toMillis());
  }

  @Test
  void whatIsConfirmedAfterThePauseCounts() {
    wallMillis += 5_000;
    long resumed = clock.now();
    assertThat(clock.trusts(resumed)).as("a request of before the first look").isFalse();
    pass(1);
    long sent = clock.now();
    pass(20);
    assertThat(clock.trusts(sent)).isTrue();
    assertThat(jumps).hasSize(1);
  }

  @Test
  void aPauseThatBothClocksCountIsTheLeasesOwnBusiness() {
    long confirmed = clock.now();
    pass(600_000);
    assertThat(clock.now() - confirmed).isGreaterThan(LEASE.toNanos());
    assertThat(clock.trusts(confirmed)).isTrue();
    assertThat(jumps).isEmpty();
  }

  @Test
  void correctionsByNtpAreNoJumpHoweverMuchTheyAddUpTo() {
    long confirmed = clock.now();
    for (int i = 0; i < 1_000; i++) {
      pass(100);
      wallMillis += i % 2 == 0 ? 5 : 0;
      clock.now();
    }
    assertThat(clock.trusts(confirmed)).isTrue();
    assertThat(jumps).isEmpty();
  }

  @Test
  void aClockThatIsSetBackVoidsNothingAndHidesNoLaterPause() {
    long confirmed = clock.now();
    wallMillis -= 3_600_000;
    clock.now();
    assertThat(clock.trusts(confirmed)).isTrue();
    wallMillis += 200;
    clock.now();
    assertThat(clock.trusts(confirmed)).isFalse();
  }

  @Test
  void aThreadThatIsHeldUpBetweenTheReadingsSeesNoJump() {
    long[] heldUp = {0};
    LeaseClock busy =
        new LeaseClock(
            () -> {
              long read = wallMillis;
              pass(heldUp[0]);
              return read;
            },
            () -> nanos,
            SLACK,
            jumps::add);
    long confirmed = busy.now();
    heldUp[0] = 500;
    busy.now();
    heldUp[0] = 0;
    busy.now();
    assertThat(busy.trusts(confirmed)).isTrue();
    assertThat(jumps).isEmpty();
  }

  /** No confirmation of before a pause that exceeds the slack is ever trusted after it. */
  @Test
  void randomPausesNeverLeaveAnOldConfirmationTrusted() {
    SplittableRandom random = new SplittableRandom(20_261_130);
    int voided = 0;
    for (int round = 0; round < 10_000; round++) {
      long confirmed = clock.now();
      pass(random.nextInt(400));
      long pause = random.nextInt(2_000);
      wallMillis += pause;
      clock.now();
      boolean exceeds = pause > SLACK.toMillis() + 1; // a millisecond is lost by rounding
      if (exceeds) assertThat(clock.trusts(confirmed)).as("pause of %d ms", pause).isFalse();
      if (exceeds) voided++;
      pass(1);
    }
    assertThat(voided).isBetween(5_000, 9_999);
  }

  private void pass(long millis) {
    wallMillis += millis;
    nanos += millis * 1_000_000;
  }
}
