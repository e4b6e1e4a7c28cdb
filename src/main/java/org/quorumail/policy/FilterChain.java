package org.quorumail.policy;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;

/**
 * The filters in the order in which they are asked; {@code docs/receive.md} tells the order.
 * Immutable, shared by the sessions that began while it counted.
 */
public final class FilterChain {
  private final List<MessageFilter> filters;
  private final MeterRegistry meters;

  public FilterChain(List<MessageFilter> filters, MeterRegistry meters) {
    this.filters = List.copyOf(filters);
    this.meters = meters;
  }

  public FilterSession open(SessionView session) {
    return new FilterSession(filters, session, meters);
  }
}
