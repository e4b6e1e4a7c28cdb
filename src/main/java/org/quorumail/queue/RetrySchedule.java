package org.quorumail.queue;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.quorumail.delivery.DeliveryConfig;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;

/**
 * The rule for the next attempt and for expiry, RFC 5321 §4.5.4.1. It has no state but its settings
 * and its source of random numbers. Nothing expires, and no delay is reported, while the clocks
 * disagree.
 */
final class RetrySchedule {
  private static final EnhancedStatus EXPIRED = new EnhancedStatus(5, 4, 7);
  private static final int MAX_DOUBLINGS = 40; // beyond any max_retry_delay

  private volatile DeliveryConfig config;
  private final RandomGenerator random;

  private final BooleanSupplier clocksAgree;

  /**
   * @param clocksAgree whether the age of a message can be known from the wall clock
   */
  RetrySchedule(DeliveryConfig config, RandomGenerator random, BooleanSupplier clocksAgree) {
    this.config = config;
    this.random = random;
    this.clocksAgree = clocksAgree;
  }

  /** Uses another schedule from the next outcome on. */
  void replace(DeliveryConfig next) {
    config = next;
  }

  /**
   * The outcome as it is recorded: a transient failure gets the time of the next attempt, or
   * becomes permanent because the message has expired.
   */
  RecipientOutcome schedule(RecipientOutcome result, SpooledMessage message, Instant now) {
    if (!(result.outcome() instanceof Outcome.Deferred transientFailure)) return result;
    int attempts = message.recipients().get(result.recipientIndex()).attempts();
    return result.withOutcome(schedule(transientFailure, attempts, message, now));
  }

  /**
   * @param attempts the number of attempts before this one
   */
  Outcome schedule(Outcome.Deferred failure, int attempts, SpooledMessage message, Instant now) {
    if (isDeadlineMissed(message, now)) {
      return expire("the sender wanted it delivered sooner", failure);
    }
    boolean ageKnown = clocksAgree.getAsBoolean();
    Instant end = expiry(message);
    if (ageKnown && !now.isBefore(end)) return expire("it is too old", failure);
    if (attempts + 1 >= config.maxAttempts()) return expire("it was tried often enough", failure);
    Instant next = now.plus(delay(failure, attempts, now));
    if (ageKnown && next.isAfter(end)) next = end; // one last attempt, then the report
    Instant wanted = message.options().deliverBy().map(RetrySchedule::until).orElse(end);
    if (now.isBefore(wanted) && next.isAfter(wanted)) next = wanted; // then its sender is notified
    if (!next.isAfter(now))
      throw new IllegalStateException("the next attempt is not in the future");
    return new Outcome.Deferred(next, failure.status(), failure.diagnostic(), failure.remote());
  }

  /** The wait that an action of a class has set, or the next one of the schedule. */
  private Duration delay(Outcome.Deferred failure, int attempts, Instant now) {
    if (failure.until().equals(Outcome.Deferred.UNSCHEDULED)) return delay(attempts);
    Duration wanted = Duration.between(now, failure.until());
    if (!wanted.isPositive()) return Duration.ofMillis(1);
    return wanted.compareTo(config.maxRetryDelay()) < 0 ? wanted : config.maxRetryDelay();
  }

  private static Outcome expire(String why, Outcome.Deferred last) {
    return new Outcome.Failed(
        EXPIRED, "given up because " + why + "; last: " + last.diagnostic(), last.remote());
  }

  /** Returns whether a pending recipient may be tried. */
  boolean isDue(RecipientState recipient, long nowMillis) {
    long due = recipient.dueMillis();
    boolean misdated = recipient.attempts() > 0 && due > nowMillis + longestDelay().toMillis();
    return due <= nowMillis || misdated;
  }

  /** More than any delay of the schedule; a later time was set by a clock that was wrong. */
  Duration longestDelay() {
    double jittered = config.maxRetryDelay().toMillis() * (1 + config.retryJitterFactor());
    return Duration.ofMillis((long) jittered).plusMinutes(1);
  }

  Duration delay(int attempts) {
    double doubled =
        (double) config.baseRetryDelay().toMillis()
            * Math.pow(2, Math.min(attempts, MAX_DOUBLINGS));
    double bounded = Math.min(doubled, (double) config.maxRetryDelay().toMillis());
    double jitter = 1 + config.retryJitterFactor() * (2 * random.nextDouble() - 1);
    return Duration.ofMillis(Math.max(1, Math.round(bounded * jitter)));
  }

  /** The time at which the message expires. */
  Instant expiry(SpooledMessage message) {
    Instant end = expiry(start(message));
    if (message.options().deliverBy().filter(DeliverBy::returnsWhenLate).isEmpty()) return end;
    Instant wanted = until(message.options().deliverBy().get());
    return wanted.isBefore(end) ? wanted : end;
  }

  /** The time at which a message expires that could be delivered since the given time. */
  Instant expiry(Instant begin) {
    return begin.plus(config.messageExpiration());
  }

  boolean isExpired(SpooledMessage message, Instant now) {
    return !now.isBefore(expiry(message)) && clocksAgree.getAsBoolean();
  }

  boolean isExpired(Instant begin, Instant now) {
    return !now.isBefore(expiry(begin)) && clocksAgree.getAsBoolean();
  }

  /**
   * Returns whether a message is late that its sender wants back rather than late (RFC 2852, mode
   * R).
   */
  boolean isDeadlineMissed(SpooledMessage message, Instant now) {
    return message.options().deliverBy().filter(DeliverBy::returnsWhenLate).isPresent()
        && !now.isBefore(until(message.options().deliverBy().get()))
        && clocksAgree.getAsBoolean();
  }

  /** Returns whether a delay of the message should be reported. */
  boolean isDelayed(SpooledMessage message, Instant now) {
    boolean wantedSooner =
        message.options().deliverBy().filter(by -> !now.isBefore(until(by))).isPresent();
    return (wantedSooner && clocksAgree.getAsBoolean()) || isDelayed(start(message), now);
  }

  boolean isDelayed(Instant begin, Instant now) {
    return !now.isBefore(begin.plus(config.delayNoticeAfter())) && clocksAgree.getAsBoolean();
  }

  private static Instant start(SpooledMessage message) {
    return Instant.ofEpochMilli(message.deliverFromMillis());
  }

  private static Instant until(DeliverBy by) {
    return Instant.ofEpochMilli(by.untilMillis());
  }
}
