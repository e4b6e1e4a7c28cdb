package org.quorumail.gossip.plumtree;

import java.time.Duration;

/**
 * The parameters of anti-entropy.
 *
 * @param syncInterval the time between two comparisons, with a jitter of a quarter
 * @param syncWindow origins that were silent for longer are not compared
 * @param maxBatchSize ids in one pull
 */
public record SyncConfig(
    boolean enabled, Duration syncInterval, Duration syncWindow, int maxBatchSize) {
  public SyncConfig {
    PlumtreeConfig.bounded("sync_interval", syncInterval.toMillis(), 100, 86_400_000);
    PlumtreeConfig.bounded("max_batch_size", maxBatchSize, 1, PlumtreeCodec.MAX_PULL);
  }

  public static SyncConfig standard() {
    return new SyncConfig(true, Duration.ofSeconds(30), Duration.ofSeconds(90), 100);
  }
}
