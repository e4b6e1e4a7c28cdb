package org.quorumail.gossip.plumtree;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The parameters between membership and broadcast, which the driver applies.
 *
 * @param logChanges whether added and removed links are logged
 * @param autoPromote whether a new neighbour is eager at once
 * @param staticSeeds further seeds as {@code host:port}, besides the discovered ones
 * @param lazarusEnabled whether dead members and silent seeds are probed again
 * @param persistencePath the file of the last known peers; empty: none
 */
public record BridgeConfig(
    boolean logChanges,
    boolean autoPromote,
    List<String> staticSeeds,
    boolean lazarusEnabled,
    Duration lazarusInterval,
    Optional<String> persistencePath) {
  public BridgeConfig {
    staticSeeds = List.copyOf(staticSeeds);
  }

  /** A copy with another time between two probes. */
  public BridgeConfig withLazarusInterval(Duration value) {
    return new BridgeConfig(
        logChanges, autoPromote, staticSeeds, lazarusEnabled, value, persistencePath);
  }

  public static BridgeConfig standard() {
    return new BridgeConfig(true, true, List.of(), true, Duration.ofSeconds(30), Optional.empty());
  }
}
