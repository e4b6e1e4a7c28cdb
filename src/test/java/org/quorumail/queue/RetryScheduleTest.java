package org.quorumail.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpooledMessage;

class RetryScheduleTest {
  private static final Instant ARRIVED = Instant.EPOCH;
  private static final SpooledMessage MESSAGE = message(MailOptions.of(BodyType.SEVEN_BIT));
  private static final Outcome.Deferred LATER =
      new Outcome.Deferred(new EnhancedStatus(4, 2, 0), "full", "mx[1]:25");

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
  void anotherScheduleCountsFromTheNextOutcomeOn() {
    RetrySchedule changed = schedule("max_attempts = 3");
    changed.replace(TestConfig.of("[delivery]\nmax_attempts = 2").delivery());
    assertThat(changed.schedule(LATER, 1, MESSAGE, ARRIVED)).isInstanceOf(Outcome.Failed.class);
  }

  @Test
  void theLastAttemptIsFollowedByTheReport() {
    RetrySchedule three = schedule("max_attempts = 3");
    assertThat(three.schedule(LATER, 1, MESSAGE, ARRIVED)).isInstanceOf(Outcome.Deferred.class);
    assertThat(three.schedule(LATER, 2, MESSAGE, ARRIVED)).isInstanceOf(Outcome.Failed.class);
  }

  @Test
  void nothingExpiresAndNoDelayIsReportedWhileTheClocksDisagree() {
    RetrySchedule unsure = schedule("message_expiration = \"1h\"", false);
    Instant late = ARRIVED.plus(Duration.ofDays(2000));
    SpooledMessage timed =
        message(
            new MailOptions(
                BodyType.SEVEN_BIT,
                false,
                false,
                false,
                "",
                MailOptions.Returned.UNSPECIFIED,
                0,
                0,
                Optional.of(new DeliverBy(60_000, true, false))));
    for (SpooledMessage m : List.of(MESSAGE, timed)) {
      assertThat(unsure.schedule(LATER, 0, m, late)).isInstanceOf(Outcome.Deferred.class);
      assertThat(unsure.isExpired(m, late)).isFalse();
      assertThat(unsure.isDelayed(m, late)).isFalse();
      assertThat(unsure.isDeadlineMissed(m, late)).isFalse();
    }
  }

  @Test
  void aTimeBeyondAnyDelayWasSetByAWrongClock() {
    long now = 1_000_000;
    long beyond = now + Duration.ofHours(2).toMillis();
    assertThat(exact.isDue(recipient(1, beyond), now)).isTrue();
    assertThat(exact.isDue(recipient(0, beyond), now)).isFalse(); // its sender's release time
    assertThat(exact.isDue(recipient(1, now + Duration.ofHours(1).toMillis()), now)).isFalse();
    assertThat(exact.isDue(recipient(1, now), now)).isTrue();
  }

  private static SpooledMessage.RecipientState recipient(int attempts, long dueMillis) {
    return new SpooledMessage.RecipientState(
        MailAddress.of("to@there.test"),
        SpooledMessage.RecipientStatus.PENDING,
        attempts,
        dueMillis,
        "");
  }

  @Test
  void noAttemptIsPlannedAfterTheExpiration() {
    RetrySchedule day = schedule("message_expiration = \"1d\"");
    Instant late = ARRIVED.plus(Duration.ofDays(1)).minusSeconds(1);
    Outcome.Deferred deferred = (Outcome.Deferred) day.schedule(LATER, 10, MESSAGE, late);
    assertThat(deferred.until()).isEqualTo(ARRIVED.plus(Duration.ofDays(1)));
    assertThat(day.schedule(LATER, 11, MESSAGE, deferred.until()).status()).hasToString("5.4.7");
  }

  @Test
  void aMessageWithATimeIsReturnedThen() {
    SpooledMessage wanted = message(by(new DeliverBy(90_000, true, false)));
    Outcome.Deferred deferred = (Outcome.Deferred) exact.schedule(LATER, 1, wanted, ARRIVED);
    assertThat(deferred.until()).isEqualTo(ARRIVED.plusSeconds(90));
    assertThat(exact.isDeadlineMissed(wanted, deferred.until())).isTrue();
    assertThat(exact.schedule(LATER, 2, wanted, deferred.until()).status()).hasToString("5.4.7");
  }

  @Test
  void aMessageThatIsOnlyReportedLateGoesOn() {
    SpooledMessage wanted = message(by(new DeliverBy(90_000, false, false)));
    Instant then = ARRIVED.plusSeconds(90);
    assertThat(exact.isDelayed(wanted, then.minusSeconds(1))).isFalse();
    assertThat(exact.isDelayed(wanted, then)).isTrue();
    assertThat(exact.schedule(LATER, 2, wanted, then)).isInstanceOf(Outcome.Deferred.class);
  }

  @Test
  void theTimeOfAHeldMessageCountsFromItsRelease() {
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    MailOptions held =
        new MailOptions(
            plain.body(),
            false,
            false,
            false,
            "",
            plain.returned(),
            0,
            3_600_000,
            plain.deliverBy());
    assertThat(exact.expiry(message(held))).isEqualTo(exact.expiry(MESSAGE).plusSeconds(3600));
  }

  private static MailOptions by(DeliverBy by) {
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    return new MailOptions(
        plain.body(), false, false, false, "", plain.returned(), 0, 0, Optional.of(by));
  }

  private static SpooledMessage message(MailOptions options) {
    return new SpooledMessage(
        QueueId.generate(ARRIVED),
        ReversePath.of("from@here.test"),
        options,
        ARRIVED.toEpochMilli(),
        3,
        false,
        false,
        List.of());
  }

  private static RetrySchedule schedule(String delivery) {
    return schedule(delivery, true);
  }

  private static RetrySchedule schedule(String delivery, boolean clocksAgree) {
    return new RetrySchedule(
        TestConfig.of("[delivery]\n" + delivery).delivery(),
        new SplittableRandom(1),
        () -> clocksAgree);
  }
}
