package org.quorumail.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.delivery.Disposition;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;

class RetryScheduleTest {
  private static final Instant ARRIVED = Instant.EPOCH;
  private static final Disposition LATER =
      new Disposition.TryLater(new EnhancedStatus(4, 2, 0), "full", "mx[1]:25");

  private final RetrySchedule exact =
      schedule("retry_jitter_factor = 0.0\nbase_retry_delay = \"60s\"\nmax_retry_delay = \"1h\"");

  @Test
  void theDelayDoublesUpToItsBound() {
    assertThat(exact.delay(0)).hasSeconds(60);
    assertThat(exact.delay(1)).hasSeconds(120);
    assertThat(exact.delay(5)).hasSeconds(1920);
    assertThat(exact.delay(6)).hasSeconds(3600);
    assertThat(exact.delay(9999)).hasSeconds(3600);
  }

  @Test
  void jitterStaysInItsBoundsAndSpreads() {
    RetrySchedule jittered = schedule("retry_jitter_factor = 0.2");
    var delays =
        java.util.stream.IntStream.range(0, 200)
            .mapToObj(i -> jittered.delay(0))
            .distinct()
            .toList();
    assertThat(delays).hasSizeGreaterThan(100);
    assertThat(delays)
        .allMatch(d -> d.compareTo(Duration.ofSeconds(48)) >= 0)
        .allMatch(d -> d.compareTo(Duration.ofSeconds(72)) <= 0);
  }

  @Test
  void theLastAttemptIsFollowedByTheReport() {
    RetrySchedule three = schedule("max_attempts = 3");
    assertThat(three.outcome(LATER, 1, ARRIVED, ARRIVED)).isInstanceOf(Outcome.Deferred.class);
    assertThat(three.outcome(LATER, 2, ARRIVED, ARRIVED)).isInstanceOf(Outcome.Failed.class);
  }

  @Test
  void noAttemptIsPlannedAfterTheExpiration() {
    RetrySchedule day = schedule("message_expiration = \"1d\"");
    Instant late = ARRIVED.plus(Duration.ofDays(1)).minusSeconds(1);
    Outcome.Deferred deferred = (Outcome.Deferred) day.outcome(LATER, 10, ARRIVED, late);
    assertThat(deferred.until()).isEqualTo(ARRIVED.plus(Duration.ofDays(1)));
    assertThat(day.outcome(LATER, 11, ARRIVED, deferred.until()).status()).hasToString("5.4.7");
  }

  private static RetrySchedule schedule(String delivery) {
    return new RetrySchedule(
        TestConfig.of("[delivery]\n" + delivery).delivery(), new SplittableRandom(1));
  }
}
