package org.quorumail.gossip.plumtree;

import java.time.Duration;

/**
 * The health of a node's broadcasts.
 *
 * @param message the first problem as a sentence, or that there is none
 * @param timestamp the {@code now} of the report, milliseconds on the driver's clock
 */
public record BroadcastHealth(
    Status status,
    String message,
    Peers peers,
    Delivery delivery,
    Cache cache,
    boolean isShutdown,
    long timestamp) {
  public enum Status {
    HEALTHY,
    DEGRADED,
    UNHEALTHY
  }

  /**
   * The links; eager and lazy ones in the last used tree, without a tree all are eager.
   *
   * @param targetEager the configured number of eager links
   */
  public record Peers(int total, int eager, int lazy, int targetEager) {}

  /**
   * The repair of missing messages.
   *
   * @param graftFailureRate the rate of the last one to two minutes, 0 to 1
   */
  public record Delivery(
      int pendingGrafts, double graftFailureRate, long successful, long failed) {}

  public record Cache(int cached, int max, Duration ttl) {}
}
