package org.quorumail.delivery;

/** Whether an attempt to a destination may start now. Times are nanoTime. */
public sealed interface Admission {
  /** It may; {@link DeliveryAgent#attempt} must follow, or {@link DeliveryAgent#cancel}. */
  record Granted() implements Admission {}

  /** As many run as may run; one that ends makes room. */
  record Full() implements Admission {}

  /** More would break the domain's {@code rate_limit}. */
  record RateLimited(long until) implements Admission {}

  /** No host of the destination works; they are left alone until then. */
  record CircuitOpen(long until) implements Admission {}
}
