package org.quorumail.gossip.plumtree;

import java.time.Duration;

/** The presets of {@link PlumtreeConfig}; docs/gossip.md has their table. */
final class PlumtreePresets {
  private PlumtreePresets() {}

  /**
   * memberlist-plumtree's documented defaults, with the corrections that docs/gossip.md explains.
   */
  static PlumtreeConfig standard() {
    return new PlumtreeConfig(
        0,
        6,
        0,
        Duration.ofMillis(100),
        16,
        Duration.ofMinutes(1),
        10_000,
        64L << 20,
        3,
        Duration.ofMillis(500),
        5,
        10,
        20,
        8L << 20,
        64 << 10,
        Duration.ofSeconds(2),
        Duration.ofMillis(500),
        false,
        true,
        4,
        0,
        0,
        1_024,
        1L << 20,
        true,
        SyncConfig.standard(),
        StorageConfig.standard(),
        CompressionConfig.zstd(),
        PriorityConfig.standard(),
        HealthThresholds.standard(),
        BridgeConfig.standard(),
        ScoringConfig.standard(),
        BatcherConfig.standard(),
        CleanupConfig.standard());
  }

  /** The preset for one data centre. */
  static PlumtreeConfig lan() {
    return standard()
        .with(
            c -> {
              c.ihaveInterval = Duration.ofMillis(50);
              c.ihaveBatchSize = 8;
              c.messageCacheTtl = Duration.ofSeconds(30);
              c.optimizationThreshold = 2;
              c.graftTimeout = Duration.ofMillis(200);
              c.graftMaxRetries = 3;
              c.graftRateLimitPerSecond = 20;
              c.graftRateLimitBurst = 40;
              c.maintenanceInterval = Duration.ofSeconds(1);
              c.maintenanceJitter = Duration.ofMillis(200);
              c.protectRingNeighbors = false;
              c.maxProtectedNeighbors = 2;
              c.scoring = ScoringConfig.lan();
              c.bridge = c.bridge.withLazarusInterval(Duration.ofSeconds(10));
            });
  }

  /** The preset for several data centres. */
  static PlumtreeConfig wan() {
    return standard()
        .with(
            c -> {
              c.ihaveInterval = Duration.ofMillis(200);
              c.messageCacheTtl = Duration.ofMinutes(2);
              c.messageCacheMaxSize = 20_000;
              c.messageCacheMaxBytes = 128L << 20;
              c.optimizationThreshold = 4;
              c.graftTimeout = Duration.ofSeconds(1);
              c.graftMaxRetries = 7;
              c.graftRateLimitPerSecond = 5;
              c.graftRateLimitBurst = 15;
              c.maintenanceInterval = Duration.ofSeconds(5);
              c.maintenanceJitter = Duration.ofSeconds(1);
              c.scoring = ScoringConfig.wan();
            });
  }

  /** The preset for a thousand nodes and more. */
  static PlumtreeConfig largeCluster() {
    return standard()
        .with(
            c -> {
              c.ihaveInterval = Duration.ofMillis(150);
              c.ihaveBatchSize = 32;
              c.messageCacheTtl = Duration.ofSeconds(90);
              c.messageCacheMaxSize = 50_000;
              c.messageCacheMaxBytes = 256L << 20;
              c.optimizationThreshold = 5;
              c.graftTimeout = Duration.ofMillis(750);
              c.graftRateLimitBurst = 30;
              c.maintenanceInterval = Duration.ofSeconds(3);
              c.maintenanceJitter = Duration.ofMillis(750);
              c.maxEagerPeers = 8;
              c.maxLazyPeers = 50;
              c.bridge = c.bridge.withLazarusInterval(Duration.ofSeconds(10));
            });
  }
}
