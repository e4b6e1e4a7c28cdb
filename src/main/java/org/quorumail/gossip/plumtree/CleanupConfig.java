package org.quorumail.gossip.plumtree;

import java.time.Duration;

/**
 * The parameters that keep the tables of origins and of missing messages within their bounds.
 *
 * @param ttlDivisor an origin that is no member is removed after a silence of 3 × the cache's time
 *     to live, under pressure divided by this
 */
public record CleanupConfig(
    Duration baseInterval,
    Duration minInterval,
    Duration maxInterval,
    double lowUse,
    double highUse,
    double dropSome,
    double dropMost,
    double block,
    Duration target,
    int ttlDivisor) {
  public CleanupConfig {
    PlumtreeConfig.bounded("ttl_divisor", ttlDivisor, 1, 100);
  }

  public static CleanupConfig standard() {
    return new CleanupConfig(
        Duration.ofSeconds(30),
        Duration.ofSeconds(5),
        Duration.ofMinutes(2),
        0.3,
        0.8,
        0.93,
        0.96,
        0.98,
        Duration.ofMillis(50),
        4);
  }
}
