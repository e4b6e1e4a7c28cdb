package org.quorumail.delivery;

/** The reply to a request for room for one attempt. Times are nanoTime. */
public sealed interface Admission {
  /**
   * The attempt may start: {@link DeliveryAgent#begin} or {@link DeliveryAgent#cancel} must follow.
   */
  record Granted() implements Admission {}

  /** No room: as many attempts run as may run. */
  record Full() implements Admission {}

  /** No room to open a connection; ask when {@link DeliveryAgent#dialsEnded} has changed. */
  record DialsBusy() implements Admission {}

  /** Another attempt would exceed the domain's {@code rate_limit}. */
  record RateLimited(long until) implements Admission {}

  /** Every host of the destination fails; none is tried until the time given. */
  record CircuitOpen(long until) implements Admission {}
}
