package org.quorumail.gossip.plumtree;

/** When {@link BroadcastHealth} says degraded or unhealthy; rates and uses are 0 to 1. */
public record HealthThresholds(
    double graftFailureRateUnhealthy,
    double graftFailureRateDegraded,
    int pendingGraftsDegraded,
    double cacheUseDegraded,
    int minPeersDegraded) {
  public static HealthThresholds standard() {
    return new HealthThresholds(0.8, 0.3, 50, 0.95, 3);
  }
}
