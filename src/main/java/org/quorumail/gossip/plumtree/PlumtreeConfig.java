package org.quorumail.gossip.plumtree;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * The configuration of broadcasts: the fields of memberlist-plumtree's configuration with their
 * names, and four further bounds. Sizes are bytes. {@code docs/gossip.md} explains where a preset
 * differs from that project's.
 *
 * @param maxPeers the bound of links per node, requested ones included; 0: three times eager_fanout
 *     + lazy_fanout
 * @param eagerFanout the number of links on which a new tree pushes at first
 * @param lazyFanout the number of further links, on which a new tree only announces at first
 * @param ihaveInterval the time for which announcements and acknowledgements wait for others
 * @param ihaveBatchSize announcements in one IHave; a full batch does not wait
 * @param messageCacheTtl the time for which a payload is kept for grafts
 * @param messageCacheMaxSize the bound of cached payloads
 * @param messageCacheMaxBytes the bound of cached payload bytes
 * @param optimizationThreshold the hops that a shorter path must save before a tree is changed for
 *     it; 0: never
 * @param graftTimeout T1: from an announcement to the graft for a missing message; T2, to the graft
 *     from the next announcer, is half of it
 * @param graftMaxRetries grafts for one message before it waits for the next announcement
 * @param graftRateLimitPerSecond grafts answered per peer and second
 * @param graftRateLimitBurst grafts answered per peer at once
 * @param graftRateLimitBytes payload bytes per second sent for grafts to all peers together
 * @param maxMessageSize the largest payload, also after inflation
 * @param maintenanceInterval the time between two maintenances of links and tables; 0: never
 * @param maintenanceJitter the random part added to the interval
 * @param useHashRing link to the next two on either side of one ring; otherwise to the next on
 *     several
 * @param protectRingNeighbors whether ring neighbours are never evicted at the bound of links
 * @param maxProtectedNeighbors the number of ring neighbours so protected
 * @param maxEagerPeers the bound of eager links per tree; 0: no bound
 * @param maxLazyPeers the bound of further links; 0: no bound
 * @param maxTrees the bound of trees; the messages of further origins take the overlay paths
 * @param peerByteBudget the pushed, unacknowledged bytes per peer above which it receives only
 *     announcements
 * @param enableMetrics whether the plumtree_ metrics are kept
 */
public record PlumtreeConfig(
    int maxPeers,
    int eagerFanout,
    int lazyFanout,
    Duration ihaveInterval,
    int ihaveBatchSize,
    Duration messageCacheTtl,
    int messageCacheMaxSize,
    long messageCacheMaxBytes,
    int optimizationThreshold,
    Duration graftTimeout,
    int graftMaxRetries,
    int graftRateLimitPerSecond,
    int graftRateLimitBurst,
    long graftRateLimitBytes,
    int maxMessageSize,
    Duration maintenanceInterval,
    Duration maintenanceJitter,
    boolean useHashRing,
    boolean protectRingNeighbors,
    int maxProtectedNeighbors,
    int maxEagerPeers,
    int maxLazyPeers,
    int maxTrees,
    long peerByteBudget,
    boolean enableMetrics,
    SyncConfig sync,
    StorageConfig storage,
    CompressionConfig compression,
    PriorityConfig priority,
    HealthThresholds health,
    BridgeConfig bridge,
    ScoringConfig scoring,
    BatcherConfig batcher,
    CleanupConfig cleanup) {

  /** The links of a node are bits of one long. */
  static final int MAX_LINKS = 64;

  public PlumtreeConfig {
    bounded("eager_fanout", eagerFanout, 1, MAX_LINKS / 4);
    bounded("lazy_fanout", lazyFanout, 0, MAX_LINKS / 4);
    bounded("max_peers", maxPeers, 0, MAX_LINKS);
    bounded("ihave_interval", ihaveInterval.toMillis(), 1, 60_000);
    bounded("ihave_batch_size", ihaveBatchSize, 1, PlumtreeCodec.MAX_IDS);
    bounded("message_cache_ttl", messageCacheTtl.toMillis(), 1, 86_400_000);
    bounded("message_cache_max_size", messageCacheMaxSize, 1, 10_000_000);
    bounded("message_cache_max_bytes", messageCacheMaxBytes, 1, 1L << 40);
    bounded("optimization_threshold", optimizationThreshold, 0, PlumtreeCodec.MAX_HOPS);
    bounded("graft_timeout", graftTimeout.toMillis(), 2, 600_000);
    bounded("graft_max_retries", graftMaxRetries, 1, 1_000);
    bounded("graft_rate_limit_per_second", graftRateLimitPerSecond, 1, 1_000_000);
    bounded("graft_rate_limit_burst", graftRateLimitBurst, 1, 1_000_000);
    bounded("graft_rate_limit_bytes", graftRateLimitBytes, 1, 1L << 40);
    // a stream frame holds 4 MiB
    bounded("max_message_size", maxMessageSize, 1, 2 << 20);
    bounded("maintenance_interval", maintenanceInterval.toMillis(), 0, 86_400_000);
    bounded("maintenance_jitter", maintenanceJitter.toMillis(), 0, 86_400_000);
    bounded("max_protected_neighbors", maxProtectedNeighbors, 0, MAX_LINKS);
    bounded("max_eager_peers", maxEagerPeers, 0, MAX_LINKS);
    bounded("max_lazy_peers", maxLazyPeers, 0, MAX_LINKS);
    bounded("max_trees", maxTrees, 0, 1_000_000);
    bounded("peer_byte_budget", peerByteBudget, 1, 1L << 40);
  }

  /** Checks a bound; the reader of the configuration file has the same ones. */
  static void bounded(String field, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(field + " must be " + min + " to " + max);
    }
  }

  /**
   * memberlist-plumtree's documented defaults, with the corrections that docs/gossip.md explains.
   */
  public static PlumtreeConfig standard() {
    return PlumtreePresets.standard();
  }

  /** The preset for one data centre. */
  public static PlumtreeConfig lan() {
    return PlumtreePresets.lan();
  }

  /** The preset for several data centres. */
  public static PlumtreeConfig wan() {
    return PlumtreePresets.wan();
  }

  /** The preset for a thousand nodes and more. */
  public static PlumtreeConfig largeCluster() {
    return PlumtreePresets.largeCluster();
  }

  /** T2: half of T1, as in the implementations that the paper's authors name. */
  long graftRetryMillis() {
    return graftTimeout.toMillis() / 2;
  }

  /** The bound of links per node. */
  int maxLinks() {
    int bound = maxPeers > 0 ? maxPeers : 3 * (eagerFanout + lazyFanout);
    if (maxEagerPeers > 0 && maxLazyPeers > 0)
      bound = Math.min(bound, maxEagerPeers + maxLazyPeers);
    return Math.min(bound, MAX_LINKS);
  }

  /** A copy with some fields changed. */
  public PlumtreeConfig with(Consumer<PlumtreeConfigBuilder> change) {
    PlumtreeConfigBuilder builder = new PlumtreeConfigBuilder(this);
    change.accept(builder);
    return builder.build();
  }

  public PlumtreeConfig withMaxPeers(int value) {
    return with(c -> c.maxPeers = value);
  }

  public PlumtreeConfig withEagerFanout(int value) {
    return with(c -> c.eagerFanout = value);
  }

  public PlumtreeConfig withLazyFanout(int value) {
    return with(c -> c.lazyFanout = value);
  }

  public PlumtreeConfig withIhaveInterval(Duration value) {
    return with(c -> c.ihaveInterval = value);
  }

  public PlumtreeConfig withIhaveBatchSize(int value) {
    return with(c -> c.ihaveBatchSize = value);
  }

  public PlumtreeConfig withMessageCacheTtl(Duration value) {
    return with(c -> c.messageCacheTtl = value);
  }

  public PlumtreeConfig withMessageCacheMaxSize(int value) {
    return with(c -> c.messageCacheMaxSize = value);
  }

  public PlumtreeConfig withMessageCacheMaxBytes(long value) {
    return with(c -> c.messageCacheMaxBytes = value);
  }

  public PlumtreeConfig withOptimizationThreshold(int value) {
    return with(c -> c.optimizationThreshold = value);
  }

  public PlumtreeConfig withGraftTimeout(Duration value) {
    return with(c -> c.graftTimeout = value);
  }

  public PlumtreeConfig withGraftMaxRetries(int value) {
    return with(c -> c.graftMaxRetries = value);
  }

  public PlumtreeConfig withGraftRateLimitPerSecond(int value) {
    return with(c -> c.graftRateLimitPerSecond = value);
  }

  public PlumtreeConfig withGraftRateLimitBurst(int value) {
    return with(c -> c.graftRateLimitBurst = value);
  }

  public PlumtreeConfig withGraftRateLimitBytes(long value) {
    return with(c -> c.graftRateLimitBytes = value);
  }

  public PlumtreeConfig withMaxMessageSize(int value) {
    return with(c -> c.maxMessageSize = value);
  }

  public PlumtreeConfig withMaintenanceInterval(Duration value) {
    return with(c -> c.maintenanceInterval = value);
  }

  public PlumtreeConfig withMaintenanceJitter(Duration value) {
    return with(c -> c.maintenanceJitter = value);
  }

  public PlumtreeConfig withUseHashRing(boolean value) {
    return with(c -> c.useHashRing = value);
  }

  public PlumtreeConfig withProtectRingNeighbors(boolean value) {
    return with(c -> c.protectRingNeighbors = value);
  }

  public PlumtreeConfig withMaxProtectedNeighbors(int value) {
    return with(c -> c.maxProtectedNeighbors = value);
  }

  public PlumtreeConfig withMaxEagerPeers(int value) {
    return with(c -> c.maxEagerPeers = value);
  }

  public PlumtreeConfig withMaxLazyPeers(int value) {
    return with(c -> c.maxLazyPeers = value);
  }

  public PlumtreeConfig withMaxTrees(int value) {
    return with(c -> c.maxTrees = value);
  }

  public PlumtreeConfig withPeerByteBudget(long value) {
    return with(c -> c.peerByteBudget = value);
  }

  public PlumtreeConfig withEnableMetrics(boolean value) {
    return with(c -> c.enableMetrics = value);
  }

  public PlumtreeConfig withSync(SyncConfig value) {
    return with(c -> c.sync = value);
  }

  public PlumtreeConfig withStorage(StorageConfig value) {
    return with(c -> c.storage = value);
  }

  public PlumtreeConfig withCompression(CompressionConfig value) {
    return with(c -> c.compression = value);
  }

  public PlumtreeConfig withPriority(PriorityConfig value) {
    return with(c -> c.priority = value);
  }

  public PlumtreeConfig withHealth(HealthThresholds value) {
    return with(c -> c.health = value);
  }

  public PlumtreeConfig withBridge(BridgeConfig value) {
    return with(c -> c.bridge = value);
  }

  public PlumtreeConfig withScoring(ScoringConfig value) {
    return with(c -> c.scoring = value);
  }

  public PlumtreeConfig withBatcher(BatcherConfig value) {
    return with(c -> c.batcher = value);
  }

  public PlumtreeConfig withCleanup(CleanupConfig value) {
    return with(c -> c.cleanup = value);
  }
}
