package org.quorumail.gossip.plumtree;

import java.time.Duration;

/**
 * How a node's broadcasts are doing.
 *
 * @param message one sentence: the first thing that is wrong, or that nothing is
 * @param timestamp the {@code now} of the question, milliseconds on the driver's clock
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
   * Links; eager and lazy as in the tree used last, without a tree all eager.
   *
   * @param targetEager what the configuration asks for
   */
  public record Peers(int total, int eager, int lazy, int targetEager) {}

  /**
   * @param graftFailureRate of the last minute or two, 0 to 1
   */
  public record Delivery(
      int pendingGrafts, double graftFailureRate, long successful, long failed) {}

  public record Cache(int cached, int max, Duration ttl) {}
}
