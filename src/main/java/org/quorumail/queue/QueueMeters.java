package org.quorumail.queue;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import org.quorumail.mail.Outcome;

/** The queue's part of {@code delivery_*}. */
final class QueueMeters {
  private final Counter delivered;
  private final Counter deferred;
  private final Counter failed;
  private final Counter retries;
  private final Timer age;

  QueueMeters(MeterRegistry meters) {
    delivered = meters.counter("delivery.attempts", "status", "delivered");
    deferred = meters.counter("delivery.attempts", "status", "deferred");
    failed = meters.counter("delivery.attempts", "status", "failed");
    retries = meters.counter("delivery.retries");
    age = meters.timer("delivery.queue.age"); // of a message when one of its recipients is settled
  }

  static String word(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Delivered d -> "delivered";
      case Outcome.Deferred d -> "deferred";
      case Outcome.Failed f -> "failed";
    };
  }

  void outcome(Outcome outcome, boolean retry, Duration sinceArrival) {
    if (retry) retries.increment();
    switch (outcome) {
      case Outcome.Delivered d -> delivered.increment();
      case Outcome.Deferred d -> deferred.increment();
      case Outcome.Failed f -> failed.increment();
    }
    if (!(outcome instanceof Outcome.Deferred)) age.record(sinceArrival);
  }
}
