package org.quorumail.queue;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;
import org.quorumail.mail.FailureClass;
import org.quorumail.mail.Outcome;

/** The counters of failures by class: as many series as there are classes, for each outcome. */
final class FailureCounters {
  private final Map<FailureClass, Counter> deferred = new EnumMap<>(FailureClass.class);
  private final Map<FailureClass, Counter> failed = new EnumMap<>(FailureClass.class);

  FailureCounters(MeterRegistry meters) {
    for (FailureClass c : FailureClass.values()) {
      deferred.put(c, counter(meters, c, "deferred"));
      failed.put(c, counter(meters, c, "failed"));
    }
  }

  private static Counter counter(MeterRegistry meters, FailureClass failureClass, String status) {
    return Counter.builder("delivery.failures")
        .description("Outcomes that are failures, by recipient and class")
        .tag("class", failureClass.text())
        .tag("status", status)
        .register(meters);
  }

  void count(Outcome outcome, FailureClass failureClass) {
    Counter counter = (outcome instanceof Outcome.Failed ? failed : deferred).get(failureClass);
    if (counter != null) counter.increment();
  }
}
