package org.quorumail.gossip.plumtree;

import java.time.Duration;

/** The parameters by which the size of an IHave batch follows rate, latency and graft success. */
public record BatcherConfig(
    int minBatch,
    int targetBatch,
    int maxBatch,
    Duration lowLatency,
    Duration highLatency,
    double minGraftSuccess,
    double highRate,
    Duration recalculation,
    Duration window,
    double ema,
    double momentum,
    double hysteresis) {
  public BatcherConfig {
    PlumtreeConfig.bounded("min_batch", minBatch, 1, PlumtreeCodec.MAX_IDS);
    PlumtreeConfig.bounded("max_batch", maxBatch, minBatch, PlumtreeCodec.MAX_IDS);
    PlumtreeConfig.bounded("recalculation", recalculation.toMillis(), 100, 86_400_000);
  }

  public static BatcherConfig standard() {
    return new BatcherConfig(
        4,
        16,
        64,
        Duration.ofMillis(10),
        Duration.ofMillis(100),
        0.7,
        100,
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        0.2,
        0.3,
        0.1);
  }
}
