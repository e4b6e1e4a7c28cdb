package org.quorumail.policy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;

/** The metrics of filters. The series of each configured filter exist from the start. */
final class FilterMetrics {
  private final MeterRegistry meters;

  FilterMetrics(List<MessageFilter> filters, MeterRegistry meters) {
    this.meters = meters;
    for (MessageFilter filter : filters) {
      refusals(filter, "reject");
      refusals(filter, "defer");
      failures(filter);
    }
  }

  void refused(MessageFilter filter, boolean permanently) {
    refusals(filter, permanently ? "reject" : "defer").increment();
  }

  void failed(MessageFilter filter) {
    failures(filter).increment();
  }

  private Counter refusals(MessageFilter filter, String verdict) {
    return Counter.builder("smtp.policy.refusals")
        .description("Commands and messages refused by a filter")
        .tag("filter", filter.name())
        .tag("verdict", verdict)
        .register(meters);
  }

  private Counter failures(MessageFilter filter) {
    return Counter.builder("smtp.policy.failures")
        .description("Calls of a filter that failed")
        .tag("filter", filter.name())
        .register(meters);
  }
}
