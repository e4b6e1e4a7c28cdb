package org.quorumail.gossip;

/** When {@link HealthReport} says degraded or unhealthy; rates and uses are 0 to 1. */
public record HealthConfig(
    double graftFailureRateUnhealthy,
    double graftFailureRateDegraded,
    int pendingGraftsDegraded,
    double cacheUseDegraded,
    int minPeersDegraded) {
  public static HealthConfig standard() {
    return new HealthConfig(0.8, 0.3, 50, 0.95, 3);
  }
}
