package org.quorumail.policy;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;

/**
 * The filters in the order of {@code docs/receive.md}. Immutable; shared by all sessions that began
 * while this chain was in force.
 */
public final class FilterChain {
  private final List<MessageFilter> filters;
  private final FilterMetrics metrics;

  public FilterChain(List<MessageFilter> filters, MeterRegistry meters) {
    this.filters = List.copyOf(filters);
    this.metrics = new FilterMetrics(this.filters, meters);
  }

  /** Makes the filters' part in one session. */
  public FilterSession open(SessionView session) {
    return new FilterSession(filters, session, metrics);
  }
}
