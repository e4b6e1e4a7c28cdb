package org.quorumail.gossip.plumtree;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Between membership and broadcast: the driver's work.
 *
 * @param logChanges whether links that come and go are logged
 * @param autoPromote whether a new neighbour is eager at once
 * @param staticSeeds as {@code host:port}, asked beside the discovery's
 * @param lazarusEnabled whether members and seeds that are gone are asked again
 * @param persistencePath file with the peers last seen; empty: none
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

  /** The same with another pause between two attempts. */
  public BridgeConfig withLazarusInterval(Duration value) {
    return new BridgeConfig(
        logChanges, autoPromote, staticSeeds, lazarusEnabled, value, persistencePath);
  }

  public static BridgeConfig standard() {
    return new BridgeConfig(true, true, List.of(), true, Duration.ofSeconds(30), Optional.empty());
  }
}
