package org.quorumail.gossip.plumtree;

/** The thresholds at which {@link BroadcastHealth} is degraded or unhealthy; rates are 0 to 1. */
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
