package org.quorumail.gossip.plumtree;

import java.time.Duration;

/** A mutable copy of a {@link PlumtreeConfig}, for changing some of its fields. */
public final class PlumtreeConfigBuilder {
  public int maxPeers;
  public int eagerFanout;
  public int lazyFanout;
  public Duration ihaveInterval;
  public int ihaveBatchSize;
  public Duration messageCacheTtl;
  public int messageCacheMaxSize;
  public long messageCacheMaxBytes;
  public int optimizationThreshold;
  public Duration graftTimeout;
  public int graftMaxRetries;
  public int graftRateLimitPerSecond;
  public int graftRateLimitBurst;
  public long graftRateLimitBytes;
  public int maxMessageSize;
  public Duration maintenanceInterval;
  public Duration maintenanceJitter;
  public boolean useHashRing;
  public boolean protectRingNeighbors;
  public int maxProtectedNeighbors;
  public int maxEagerPeers;
  public int maxLazyPeers;
  public int maxTrees;
  public long peerByteBudget;
  public boolean enableMetrics;
  public SyncConfig sync;
  public StorageConfig storage;
  public CompressionConfig compression;
  public PriorityConfig priority;
  public HealthThresholds health;
  public BridgeConfig bridge;
  public ScoringConfig scoring;
  public BatcherConfig batcher;
  public CleanupConfig cleanup;

  PlumtreeConfigBuilder(PlumtreeConfig from) {
    maxPeers = from.maxPeers();
    eagerFanout = from.eagerFanout();
    lazyFanout = from.lazyFanout();
    ihaveInterval = from.ihaveInterval();
    ihaveBatchSize = from.ihaveBatchSize();
    messageCacheTtl = from.messageCacheTtl();
    messageCacheMaxSize = from.messageCacheMaxSize();
    messageCacheMaxBytes = from.messageCacheMaxBytes();
    optimizationThreshold = from.optimizationThreshold();
    graftTimeout = from.graftTimeout();
    graftMaxRetries = from.graftMaxRetries();
    graftRateLimitPerSecond = from.graftRateLimitPerSecond();
    graftRateLimitBurst = from.graftRateLimitBurst();
    graftRateLimitBytes = from.graftRateLimitBytes();
    maxMessageSize = from.maxMessageSize();
    maintenanceInterval = from.maintenanceInterval();
    maintenanceJitter = from.maintenanceJitter();
    useHashRing = from.useHashRing();
    protectRingNeighbors = from.protectRingNeighbors();
    maxProtectedNeighbors = from.maxProtectedNeighbors();
    maxEagerPeers = from.maxEagerPeers();
    maxLazyPeers = from.maxLazyPeers();
    maxTrees = from.maxTrees();
    peerByteBudget = from.peerByteBudget();
    enableMetrics = from.enableMetrics();
    sync = from.sync();
    storage = from.storage();
    compression = from.compression();
    priority = from.priority();
    health = from.health();
    bridge = from.bridge();
    scoring = from.scoring();
    batcher = from.batcher();
    cleanup = from.cleanup();
  }

  PlumtreeConfig build() {
    return new PlumtreeConfig(
        maxPeers,
        eagerFanout,
        lazyFanout,
        ihaveInterval,
        ihaveBatchSize,
        messageCacheTtl,
        messageCacheMaxSize,
        messageCacheMaxBytes,
        optimizationThreshold,
        graftTimeout,
        graftMaxRetries,
        graftRateLimitPerSecond,
        graftRateLimitBurst,
        graftRateLimitBytes,
        maxMessageSize,
        maintenanceInterval,
        maintenanceJitter,
        useHashRing,
        protectRingNeighbors,
        maxProtectedNeighbors,
        maxEagerPeers,
        maxLazyPeers,
        maxTrees,
        peerByteBudget,
        enableMetrics,
        sync,
        storage,
        compression,
        priority,
        health,
        bridge,
        scoring,
        batcher,
        cleanup);
  }
}
