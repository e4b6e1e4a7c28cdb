package org.quorumail.gossip;

import java.time.Duration;
import java.util.Optional;

/**
 * Payloads kept beyond the cache, for anti-entropy.
 *
 * @param path of a store on disk, which the driver opens; empty: in memory
 */
public record StorageConfig(
    boolean enabled, int maxMessages, Duration retention, Optional<String> path) {
  public static StorageConfig standard() {
    return new StorageConfig(false, 100_000, Duration.ofMinutes(5), Optional.empty());
  }
}
