package org.quorumail.gossip;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
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
 * @param optimizationThreshold hops that a shorter way must save before the shared tree is changed
 *     for it; 0: never
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
    HealthConfig health,
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
    bounded("max_message_size", maxMessageSize, 1, 16 << 20);
    bounded("maintenance_interval", maintenanceInterval.toMillis(), 0, 86_400_000);
    bounded("maintenance_jitter", maintenanceJitter.toMillis(), 0, 86_400_000);
    bounded("max_protected_neighbors", maxProtectedNeighbors, 0, MAX_LINKS);
    bounded("max_eager_peers", maxEagerPeers, 0, MAX_LINKS);
    bounded("max_lazy_peers", maxLazyPeers, 0, MAX_LINKS);
    bounded("max_trees", maxTrees, 0, 1_000_000);
    bounded("peer_byte_budget", peerByteBudget, 1, 1L << 40);
  }

  /** The checks are also the schema's: a value that the reader of the file accepts is accepted. */
  private static void bounded(String field, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(field + " must be " + min + " to " + max);
    }
  }

  /** The documented defaults; ours where those do not hold. */
  public static PlumtreeConfig standard() {
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
        HealthConfig.standard(),
        BridgeConfig.standard(),
        ScoringConfig.standard(),
        BatcherConfig.standard(),
        CleanupConfig.standard());
  }

  /** One data centre. */
  public static PlumtreeConfig lan() {
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

  /** Several data centres. */
  public static PlumtreeConfig wan() {
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

  /** A thousand nodes and more. */
  public static PlumtreeConfig largeCluster() {
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
  public PlumtreeConfig with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
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

  public PlumtreeConfig withHealth(HealthConfig value) {
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

  /** The fields while they are being changed. */
  public static final class Draft {
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
    public HealthConfig health;
    public BridgeConfig bridge;
    public ScoringConfig scoring;
    public BatcherConfig batcher;
    public CleanupConfig cleanup;

    private Draft(PlumtreeConfig from) {
      maxPeers = from.maxPeers;
      eagerFanout = from.eagerFanout;
      lazyFanout = from.lazyFanout;
      ihaveInterval = from.ihaveInterval;
      ihaveBatchSize = from.ihaveBatchSize;
      messageCacheTtl = from.messageCacheTtl;
      messageCacheMaxSize = from.messageCacheMaxSize;
      messageCacheMaxBytes = from.messageCacheMaxBytes;
      optimizationThreshold = from.optimizationThreshold;
      graftTimeout = from.graftTimeout;
      graftMaxRetries = from.graftMaxRetries;
      graftRateLimitPerSecond = from.graftRateLimitPerSecond;
      graftRateLimitBurst = from.graftRateLimitBurst;
      graftRateLimitBytes = from.graftRateLimitBytes;
      maxMessageSize = from.maxMessageSize;
      maintenanceInterval = from.maintenanceInterval;
      maintenanceJitter = from.maintenanceJitter;
      useHashRing = from.useHashRing;
      protectRingNeighbors = from.protectRingNeighbors;
      maxProtectedNeighbors = from.maxProtectedNeighbors;
      maxEagerPeers = from.maxEagerPeers;
      maxLazyPeers = from.maxLazyPeers;
      maxTrees = from.maxTrees;
      peerByteBudget = from.peerByteBudget;
      enableMetrics = from.enableMetrics;
      sync = from.sync;
      storage = from.storage;
      compression = from.compression;
      priority = from.priority;
      health = from.health;
      bridge = from.bridge;
      scoring = from.scoring;
      batcher = from.batcher;
      cleanup = from.cleanup;
    }

    private PlumtreeConfig done() {
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

  /**
   * Anti-entropy.
   *
   * @param syncInterval between two comparisons, with a jitter of a quarter
   * @param syncWindow origins that were silent for longer are not compared
   * @param maxBatchSize ids in one request for missing messages
   */
  public record SyncConfig(
      boolean enabled, Duration syncInterval, Duration syncWindow, int maxBatchSize) {
    public static SyncConfig standard() {
      return new SyncConfig(true, Duration.ofSeconds(30), Duration.ofSeconds(90), 100);
    }
  }

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

  public enum Compression {
    NONE,
    GZIP,
    ZSTD
  }

  /**
   * Compression on the wire: the driver's work.
   *
   * @param level 1 to 22 for Zstandard, 1 to 9 for gzip
   * @param minPayloadSize bytes below which nothing is compressed
   */
  public record CompressionConfig(
      boolean enabled, Compression algorithm, int level, int minPayloadSize) {
    public static CompressionConfig off() {
      return new CompressionConfig(false, Compression.NONE, 3, 256);
    }

    public static CompressionConfig zstd() {
      return new CompressionConfig(true, Compression.ZSTD, 3, 256);
    }
  }

  /** Depths and weights of the queues of a slow link, by {@link Priority}. */
  public record PriorityConfig(
      boolean enabled,
      int criticalDepth,
      int highDepth,
      int normalDepth,
      int lowDepth,
      int criticalWeight,
      int highWeight,
      int normalWeight,
      int lowWeight) {
    public static PriorityConfig standard() {
      return new PriorityConfig(true, 64, 256, 512, 128, 8, 4, 2, 1);
    }

    int depth(Priority priority) {
      return switch (priority) {
        case CRITICAL -> criticalDepth;
        case HIGH -> highDepth;
        case NORMAL -> normalDepth;
        case LOW -> lowDepth;
      };
    }

    int weight(Priority priority) {
      return switch (priority) {
        case CRITICAL -> criticalWeight;
        case HIGH -> highWeight;
        case NORMAL -> normalWeight;
        case LOW -> lowWeight;
      };
    }
  }

  /** When {@link HealthReport} says degraded or unhealthy; rates and uses are 0 to 1. */
  public record HealthConfig(
      double graftFailureRateUnhealthy,
      double graftFailureRateDegraded,
      int pendingGraftsDegraded,
      double cacheUseDegraded,
      int minPeersDegraded) {
    public static HealthConfig standard() {
      return new HealthConfig(0.8, 0.3, 50, 0.95, 3);
    }
  }

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
      return new BridgeConfig(
          true, true, List.of(), true, Duration.ofSeconds(30), Optional.empty());
    }
  }

  /**
   * How peers are compared when several announced the same message: {@code 1000 / (rtt +
   * floor)^exponent / (1 + lossRate × lossPenalty)}.
   */
  public record ScoringConfig(
      double emaAlpha,
      Duration maxSampleAge,
      Duration initialRtt,
      int minSamples,
      double lossPenalty,
      Duration failureHalfLife,
      double exponent,
      Duration floor) {
    public static ScoringConfig standard() {
      return of(0.3, 5, 100, 3, 2, 30, 10);
    }

    public static ScoringConfig lan() {
      return of(0.5, 3, 10, 2, 3, 15, 5);
    }

    public static ScoringConfig wan() {
      return of(0.2, 10, 200, 5, 1.5, 60, 20);
    }

    private static ScoringConfig of(
        double alpha, int ageMinutes, int rtt, int samples, double penalty, int half, int floor) {
      return new ScoringConfig(
          alpha,
          Duration.ofMinutes(ageMinutes),
          Duration.ofMillis(rtt),
          samples,
          penalty,
          Duration.ofMinutes(half),
          1.15,
          Duration.ofMillis(floor));
    }
  }

  /** How the size of an IHave batch follows rate, latency and the success of grafts. */
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

  /**
   * How the tables of origins and of missing messages are kept within their bounds.
   *
   * @param ttlDivisor an origin that is no member is forgotten when silent for 3 × the cache's time
   *     to live; under pressure for that divided by this
   */
  public record CleanupConfig(
      Duration baseInterval,
      Duration minInterval,
      Duration maxInterval,
      double lowUse,
      double highUse,
      double dropSome,
      double dropMost,
      double block,
      Duration target,
      int ttlDivisor) {
    public static CleanupConfig standard() {
      return new CleanupConfig(
          Duration.ofSeconds(30),
          Duration.ofSeconds(5),
          Duration.ofMinutes(2),
          0.3,
          0.8,
          0.93,
          0.96,
          0.98,
          Duration.ofMillis(50),
          4);
    }
  }
}
