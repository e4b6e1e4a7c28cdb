package org.quorumail.queue;

import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;
import org.quorumail.config.Config.DeliveryConfig;
import org.quorumail.delivery.Disposition;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;

/** Says when to try again and when to give up, RFC 5321 §4.5.4.1. Pure but for its dice. */
final class RetrySchedule {
  private static final EnhancedStatus EXPIRED = new EnhancedStatus(5, 4, 7);
  private static final int MAX_DOUBLINGS = 40; // beyond any max_retry_delay

  private final DeliveryConfig config;
  private final RandomGenerator random;

  RetrySchedule(DeliveryConfig config, RandomGenerator random) {
    this.config = config;
    this.random = random;
  }

  /**
   * What the result of an attempt means.
   *
   * @param attempts that were made before this one
   */
  Outcome outcome(Disposition result, int attempts, Instant arrived, Instant now) {
    return switch (result) {
      case Disposition.Delivered d -> new Outcome.Delivered(d.status(), d.diagnostic(), d.remote());
      case Disposition.Refused r -> new Outcome.Failed(r.status(), r.diagnostic(), r.remote());
      case Disposition.TryLater t -> deferred(t, attempts, arrived, now);
    };
  }

  private Outcome deferred(Disposition.TryLater t, int attempts, Instant arrived, Instant now) {
    Instant end = end(arrived);
    if (!now.isBefore(end)) return givenUp("it is too old", t);
    if (attempts + 1 >= config.maxAttempts()) return givenUp("it was tried often enough", t);
    Instant next = now.plus(delay(attempts));
    if (next.isAfter(end)) next = end; // a last attempt, then the report
    return new Outcome.Deferred(next, t.status(), t.diagnostic(), t.remote());
  }

  private static Outcome givenUp(String why, Disposition.TryLater last) {
    return new Outcome.Failed(
        EXPIRED, "given up because " + why + "; last: " + last.diagnostic(), last.remote());
  }

  Duration delay(int attempts) {
    double doubled =
        (double) config.baseRetryDelay().toMillis()
            * Math.pow(2, Math.min(attempts, MAX_DOUBLINGS));
    double bounded = Math.min(doubled, (double) config.maxRetryDelay().toMillis());
    double jitter = 1 + config.retryJitterFactor() * (2 * random.nextDouble() - 1);
    return Duration.ofMillis(Math.max(1, Math.round(bounded * jitter)));
  }

  /** When the message is given up. */
  Instant end(Instant arrived) {
    return arrived.plus(config.messageExpiration());
  }

  boolean expired(Instant arrived, Instant now) {
    return !now.isBefore(end(arrived));
  }

  /** Whether its sender should have heard of a delay. */
  boolean late(Instant arrived, Instant now) {
    return !now.isBefore(arrived.plus(config.delayNoticeAfter()));
  }
}
