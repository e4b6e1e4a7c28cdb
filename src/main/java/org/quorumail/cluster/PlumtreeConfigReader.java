package org.quorumail.cluster;

import java.time.Duration;
import org.quorumail.config.Section;
import org.quorumail.config.Units;
import org.quorumail.gossip.plumtree.BatcherConfig;
import org.quorumail.gossip.plumtree.CleanupConfig;
import org.quorumail.gossip.plumtree.HealthThresholds;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeConfigBuilder;
import org.quorumail.gossip.plumtree.ScoringConfig;
import org.quorumail.gossip.plumtree.StorageConfig;
import org.quorumail.gossip.plumtree.SyncConfig;

/** The reader of {@code [cluster.gossip]}: each written key replaces the value of the preset. */
final class PlumtreeConfigReader {
  private static final int LINKS = 64;

  private final Section gossip;

  PlumtreeConfigReader(Section gossip) {
    this.gossip = gossip;
  }

  PlumtreeConfig over(PlumtreeConfig preset) {
    return preset.with(
        c -> {
          overlay(c);
          announcements(c);
          cache(c);
          grafts(c);
          upkeep(c);
          c.enableMetrics = flag("enable_metrics", c.enableMetrics, "keep the plumtree_ series");
          c.sync = sync(gossip.section("sync"), c.sync);
          c.storage = storage(gossip.section("storage"), c.storage);
          c.health = health(gossip.section("health"), c.health);
          c.bridge = GossipDriverConfigReader.bridge(gossip.section("bridge"), c.bridge);
          c.scoring = scoring(gossip.section("scoring"), c.scoring);
          c.batcher = batcher(gossip.section("batcher"), c.batcher);
          c.cleanup = cleanup(gossip.section("cleanup"), c.cleanup);
          c.compression =
              GossipDriverConfigReader.compression(gossip.section("compression"), c.compression);
          c.priority = GossipDriverConfigReader.priority(gossip.section("priority"), c.priority);
        });
  }

  private void overlay(PlumtreeConfigBuilder c) {
    c.eagerFanout =
        count("eager_fanout", c.eagerFanout, 1, 16, "links on which a new tree pushes at first");
    c.lazyFanout =
        count("lazy_fanout", c.lazyFanout, 0, 16, "links on which it only announces at first");
    c.maxPeers = count("max_peers", c.maxPeers, 0, LINKS, "links at most; 0: three times both");
    c.maxEagerPeers =
        count("max_eager_peers", c.maxEagerPeers, 0, LINKS, "eager links per tree; 0: no bound");
    c.maxLazyPeers =
        count("max_lazy_peers", c.maxLazyPeers, 0, LINKS, "links beyond these; 0: no bound");
    c.useHashRing =
        flag("use_hash_ring", c.useHashRing, "link to the next two on either side of one ring");
    c.protectRingNeighbors =
        flag("protect_ring_neighbors", c.protectRingNeighbors, "never evict ring neighbours");
    c.maxProtectedNeighbors =
        count("max_protected_neighbors", c.maxProtectedNeighbors, 0, LINKS, "how many of them");
    c.maxTrees = count("max_trees", c.maxTrees, 0, 1_000_000, "origins with a tree of their own");
    c.optimizationThreshold =
        count(
            "optimization_threshold",
            c.optimizationThreshold,
            0,
            1_024,
            "hops that a shorter way must save to change a tree; 0: never");
  }

  private void announcements(PlumtreeConfigBuilder c) {
    c.ihaveInterval =
        time("ihave_interval", c.ihaveInterval, "1ms", "1m", "wait of announcements for company");
    c.ihaveBatchSize =
        count("ihave_batch_size", c.ihaveBatchSize, 1, 64, "announcements that do not wait");
    c.peerByteBudget =
        bytes(
            "peer_byte_budget",
            c.peerByteBudget,
            "1KB",
            "1GB",
            "unacknowledged bytes above which a neighbour only gets announcements");
  }

  private void cache(PlumtreeConfigBuilder c) {
    c.messageCacheTtl =
        time("message_cache_ttl", c.messageCacheTtl, "1s", "1d", "payloads are kept for grafts");
    c.messageCacheMaxSize =
        count("message_cache_max_size", c.messageCacheMaxSize, 1, 10_000_000, "payloads kept");
    c.messageCacheMaxBytes =
        bytes(
            "message_cache_max_bytes",
            c.messageCacheMaxBytes,
            "64KB",
            "64GB",
            "bytes of payloads kept");
    c.maxMessageSize =
        (int)
            bytes(
                "max_message_size",
                c.maxMessageSize,
                "1KB",
                "2MB",
                "largest payload, also after inflation");
  }

  private void grafts(PlumtreeConfigBuilder c) {
    c.graftTimeout =
        time("graft_timeout", c.graftTimeout, "2ms", "10m", "from an announcement to a graft");
    c.graftMaxRetries =
        count("graft_max_retries", c.graftMaxRetries, 1, 1_000, "grafts for one message");
    c.graftRateLimitPerSecond =
        count(
            "graft_rate_limit_per_second",
            c.graftRateLimitPerSecond,
            1,
            1_000_000,
            "grafts answered per neighbour");
    c.graftRateLimitBurst =
        count("graft_rate_limit_burst", c.graftRateLimitBurst, 1, 1_000_000, "of these at once");
    c.graftRateLimitBytes =
        bytes(
            "graft_rate_limit_bytes",
            c.graftRateLimitBytes,
            "64KB",
            "64GB",
            "payload per second that grafts of all neighbours may cost");
  }

  private void upkeep(PlumtreeConfigBuilder c) {
    c.maintenanceInterval =
        time("maintenance_interval", c.maintenanceInterval, "0s", "1d", "upkeep; 0s: never");
    c.maintenanceJitter =
        time("maintenance_jitter", c.maintenanceJitter, "0s", "1d", "random part added to it");
  }

  private static SyncConfig sync(Section s, SyncConfig d) {
    return new SyncConfig(
        s.flag("enabled", d.enabled(), "anti-entropy"),
        s.duration(
            "sync_interval", Units.format(d.syncInterval()), "100ms", "1d", "between comparisons"),
        s.duration(
            "sync_window",
            Units.format(d.syncWindow()),
            "1s",
            "1d",
            "origins silent for longer are not compared"),
        s.integer("max_batch_size", d.maxBatchSize(), 1, 100, "ids in one request"));
  }

  private static StorageConfig storage(Section s, StorageConfig d) {
    s.unavailable("path", "\"\"", "a store on disk; it is in memory");
    return new StorageConfig(
        s.flag("enabled", d.enabled(), "keep payloads for anti-entropy beyond the cache"),
        s.integer("max_messages", d.maxMessages(), 1, 10_000_000, "payloads kept"),
        s.duration("retention", Units.format(d.retention()), "1s", "1d", "for how long"),
        d.path());
  }

  private static HealthThresholds health(Section s, HealthThresholds d) {
    return new HealthThresholds(
        s.decimal(
            "graft_failure_rate_unhealthy",
            d.graftFailureRateUnhealthy(),
            0,
            1,
            "share of failing grafts that is unhealthy"),
        s.decimal(
            "graft_failure_rate_degraded", d.graftFailureRateDegraded(), 0, 1, "and degraded"),
        s.integer(
            "pending_grafts_degraded",
            d.pendingGraftsDegraded(),
            0,
            1_000_000,
            "missing messages that are degraded"),
        s.decimal("cache_use_degraded", d.cacheUseDegraded(), 0, 1, "use of the cache that is"),
        s.integer("min_peers_degraded", d.minPeersDegraded(), 0, LINKS, "links that are too few"));
  }

  private static ScoringConfig scoring(Section s, ScoringConfig d) {
    return new ScoringConfig(
        s.decimal("ema_alpha", d.emaAlpha(), 0.01, 1, "weight of the newest round trip"),
        s.duration(
            "max_sample_age", Units.format(d.maxSampleAge()), "1s", "1d", "older ones are none"),
        s.duration("initial_rtt", Units.format(d.initialRtt()), "1ms", "1m", "without samples"),
        s.integer("min_samples", d.minSamples(), 1, 1_000, "fewer are none"),
        s.decimal("loss_penalty", d.lossPenalty(), 0, 100, "weight of failures"),
        s.duration(
            "failure_half_life", Units.format(d.failureHalfLife()), "1s", "1d", "failures fade"),
        s.decimal("exponent", d.exponent(), 0.1, 10, "of the round trip"),
        s.duration("floor", Units.format(d.floor()), "1ms", "1m", "added to the round trip"));
  }

  private static BatcherConfig batcher(Section s, BatcherConfig d) {
    int min = s.integer("min_batch", d.minBatch(), 1, 64, "smallest IHave batch");
    int target = s.integer("target_batch", d.targetBatch(), 1, 64, "at the high rate");
    int max = s.integer("max_batch", d.maxBatch(), 1, 64, "largest");
    if (min > max) s.problem("max_batch", "is less than min_batch");
    return new BatcherConfig(
        min,
        target,
        Math.max(min, max),
        s.duration("low_latency", Units.format(d.lowLatency()), "1ms", "1m", "small batches below"),
        s.duration(
            "high_latency", Units.format(d.highLatency()), "1ms", "1m", "large batches above"),
        s.decimal("min_graft_success", d.minGraftSuccess(), 0, 1, "smallest batches below"),
        s.decimal("high_rate", d.highRate(), 1, 1_000_000, "messages per second"),
        s.duration("recalculation", Units.format(d.recalculation()), "100ms", "1d", "how often"),
        s.duration(
            "window", Units.format(d.window()), "1s", "1d", "a longer pause resets the averages"),
        s.decimal("ema", d.ema(), 0.01, 1, "weight of the newest sample"),
        s.decimal("momentum", d.momentum(), 0, 0.99, "share of the last step in the next"),
        s.decimal("hysteresis", d.hysteresis(), 0, 1, "smaller changes are not made"));
  }

  private static CleanupConfig cleanup(Section s, CleanupConfig d) {
    s.unavailable("target", "\"50ms\"", "a clean-up is one pass; it has no time limit");
    return new CleanupConfig(
        s.duration(
            "base_interval", Units.format(d.baseInterval()), "1s", "1d", "origins forgotten"),
        s.duration("min_interval", Units.format(d.minInterval()), "1s", "1d", "when nearly full"),
        s.duration("max_interval", Units.format(d.maxInterval()), "1s", "1d", "when nearly empty"),
        s.decimal("low_use", d.lowUse(), 0, 1, "nearly empty"),
        s.decimal("high_use", d.highUse(), 0, 1, "nearly full"),
        s.decimal("drop_some", d.dropSome(), 0, 1, "use at which a quarter of announcements wait"),
        s.decimal("drop_most", d.dropMost(), 0, 1, "three quarters"),
        s.decimal("block", d.block(), 0, 1, "all"),
        d.target(),
        s.integer("ttl_divisor", d.ttlDivisor(), 1, 100, "origins live so much shorter when full"));
  }

  private int count(String key, int preset, int min, int max, String meaning) {
    return gossip.integer(key, preset, min, max, meaning);
  }

  private boolean flag(String key, boolean preset, String meaning) {
    return gossip.flag(key, preset, meaning);
  }

  private Duration time(String key, Duration preset, String min, String max, String meaning) {
    return gossip.duration(key, Units.format(preset), min, max, meaning);
  }

  private long bytes(String key, long preset, String min, String max, String meaning) {
    return gossip.size(key, Units.format(preset), min, max, meaning);
  }
}
