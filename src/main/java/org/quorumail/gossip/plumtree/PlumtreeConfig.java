package org.quorumail.gossip.plumtree;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * Everything that can be set about broadcasts: the fields of memberlist-plumtree's configuration by
 * their names, and four bounds of ours. Sizes are bytes. {@code docs/gossip.md} says where a preset
 * differs from that project's and why.
 *
 * @param maxPeers links per node at most, those that others asked for included; 0: three times
 *     eager_fanout + lazy_fanout
 * @param eagerFanout links of the overlay that a new tree pushes on at first
 * @param lazyFanout further links of the overlay, which a new tree only announces on at first
 * @param ihaveInterval how long announcements and acknowledgements wait for company
 * @param ihaveBatchSize announcements in one IHave; a full batch does not wait
 * @param messageCacheTtl how long a payload is kept for grafts
 * @param messageCacheMaxSize payloads kept at most
 * @param messageCacheMaxBytes bytes of payloads kept at most
 * @param optimizationThreshold hops that a shorter way must save before a tree is changed for it;
 *     0: never
 * @param graftTimeout T1: from an announcement to the graft for what did not come; T2, to the next
 *     announcer, is half of it
 * @param graftMaxRetries grafts for one message before it is left to the next announcement
 * @param graftRateLimitPerSecond grafts answered per peer and second
 * @param graftRateLimitBurst grafts answered per peer at once
 * @param graftRateLimitBytes payload bytes per second that grafts may cost all peers together
 * @param maxMessageSize largest payload, also after inflation
 * @param maintenanceInterval how often links, tables and rates are looked after; 0: never
 * @param maintenanceJitter random part added to it
 * @param useHashRing link to the next two on either side of one ring; otherwise to the next on
 *     several
 * @param protectRingNeighbors whether ring neighbours are never evicted when links are at their
 *     bound
 * @param maxProtectedNeighbors how many are protected so
 * @param maxEagerPeers eager links per tree at most; 0: no bound
 * @param maxLazyPeers links beyond that bound at most; 0: no bound
 * @param maxTrees trees of single origins; further origins use the shared one
 * @param peerByteBudget pushed, unacknowledged bytes per peer above which it only gets
 *     announcements
 * @param enableMetrics whether the plumtree_ series are kept
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

  /** The longest overlay walk that a bit set of 64 links can hold. */
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
    // a frame of a stream holds 4 MiB
    bounded("max_message_size", maxMessageSize, 1, 2 << 20);
    bounded("maintenance_interval", maintenanceInterval.toMillis(), 0, 86_400_000);
    bounded("maintenance_jitter", maintenanceJitter.toMillis(), 0, 86_400_000);
    bounded("max_protected_neighbors", maxProtectedNeighbors, 0, MAX_LINKS);
    bounded("max_eager_peers", maxEagerPeers, 0, MAX_LINKS);
    bounded("max_lazy_peers", maxLazyPeers, 0, MAX_LINKS);
    bounded("max_trees", maxTrees, 0, 1_000_000);
    bounded("peer_byte_budget", peerByteBudget, 1, 1L << 40);
  }

  /** The checks are also the schema's: a value that the reader of the file accepts is accepted. */
  static void bounded(String field, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(field + " must be " + min + " to " + max);
    }
  }

  /** The documented defaults; ours where those do not hold. */
  public static PlumtreeConfig standard() {
    return PlumtreePresets.standard();
  }

  /** One data centre. */
  public static PlumtreeConfig lan() {
    return PlumtreePresets.lan();
  }

  /** Several data centres. */
  public static PlumtreeConfig wan() {
    return PlumtreePresets.wan();
  }

  /** A thousand nodes and more. */
  public static PlumtreeConfig largeCluster() {
    return PlumtreePresets.largeCluster();
  }

  /** T2: half of T1, as in the implementations that the papers' authors point to. */
  long graftRetryMillis() {
    return graftTimeout.toMillis() / 2;
  }

  /** Links per node at most. */
  int maxLinks() {
    int cap = maxPeers > 0 ? maxPeers : 3 * (eagerFanout + lazyFanout);
    if (maxEagerPeers > 0 && maxLazyPeers > 0) cap = Math.min(cap, maxEagerPeers + maxLazyPeers);
    return Math.min(cap, MAX_LINKS);
  }

  /** The same with some fields changed. */
  public PlumtreeConfig with(Consumer<PlumtreeConfigBuilder> change) {
    PlumtreeConfigBuilder draft = new PlumtreeConfigBuilder(this);
    change.accept(draft);
    return draft.build();
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
