package org.quorumail.gossip.plumtree;

import java.time.Duration;
import java.util.Optional;

/**
 * The store of payloads for anti-entropy, beyond the cache.
 *
 * @param path the store on disk, which the driver opens; empty: in memory
 */
public record StorageConfig(
    boolean enabled, int maxMessages, Duration retention, Optional<String> path) {
  public StorageConfig {
    PlumtreeConfig.bounded("max_messages", maxMessages, 1, 10_000_000);
    PlumtreeConfig.bounded("retention", retention.toMillis(), 1_000, 86_400_000);
  }

  public static StorageConfig standard() {
    return new StorageConfig(false, 100_000, Duration.ofMinutes(5), Optional.empty());
  }
}
