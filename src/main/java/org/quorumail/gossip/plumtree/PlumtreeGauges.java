package org.quorumail.gossip.plumtree;

import java.util.OptionalLong;
import org.quorumail.gossip.plumtree.BroadcastHealth.Status;

/** The gauges and the health report of one {@link Plumtree}. */
final class PlumtreeGauges {
  /** A greeting every minute, and some seconds for its answer. */
  private static final long HEARD_INTERVAL_MILLIS = 70_000;

  private PlumtreeGauges() {}

  static OptionalLong read(PlumtreeContext context, PlumtreeMetric metric, long now) {
    return switch (metric) {
      case EAGER_PEERS -> OptionalLong.of(eager(context));
      case LAZY_PEERS -> OptionalLong.of(context.peers.size() - eager(context));
      case PEER_COUNT -> OptionalLong.of(context.peers.size());
      case PEERS_HEALTHY -> OptionalLong.of(heard(context, 0, 1, now));
      case PEERS_DEGRADED -> OptionalLong.of(heard(context, 1, 3, now));
      case PEERS_ZOMBIE -> OptionalLong.of(heard(context, 3, Long.MAX_VALUE, now));
      case CACHE_SIZE -> OptionalLong.of(context.cache.size());
      case SEEN_MAP_SIZE -> OptionalLong.of(context.seen.size());
      case IHAVE_QUEUE_SIZE ->
          OptionalLong.of(context.peers.all().stream().mapToLong(Link::outstanding).sum());
      case PENDING_GRAFTS -> OptionalLong.of(context.missing.countGrafted());
      default -> OptionalLong.empty();
    };
  }

  /** The links that push in the tree used last; without a tree any link may be on a path. */
  private static int eager(PlumtreeContext context) {
    return context.trees.latest().map(SpanningTree::eagerCount).orElseGet(context.peers::size);
  }

  /** The links whose last message is that many intervals old; a neighbour sends one in each. */
  private static long heard(PlumtreeContext context, long from, long to, long now) {
    return context.peers.all().stream()
        .mapToLong(link -> (now - link.lastHeard) / HEARD_INTERVAL_MILLIS)
        .filter(intervals -> intervals >= from && intervals < to)
        .count();
  }

  static BroadcastHealth health(PlumtreeContext context, boolean shutdown, long now) {
    int total = context.peers.size();
    int eager = eager(context);
    int pending = context.missing.countGrafted();
    double failures = context.graftStatistics.failureRate(now);
    BroadcastHealth.Peers peers =
        new BroadcastHealth.Peers(total, eager, total - eager, context.config.eagerFanout());
    BroadcastHealth.Delivery delivery =
        new BroadcastHealth.Delivery(
            pending,
            failures,
            context.graftStatistics.totalSuccesses(),
            context.graftStatistics.totalFailures());
    BroadcastHealth.Cache cache =
        new BroadcastHealth.Cache(
            context.cache.size(),
            context.config.messageCacheMaxSize(),
            context.config.messageCacheTtl());
    Finding finding = judge(context, shutdown, peers, delivery);
    return new BroadcastHealth(
        finding.status, finding.message, peers, delivery, cache, shutdown, now);
  }

  private record Finding(Status status, String message) {}

  /** Returns the first finding that applies, the worst first. */
  private static Finding judge(
      PlumtreeContext context,
      boolean shutdown,
      BroadcastHealth.Peers peers,
      BroadcastHealth.Delivery delivery) {
    HealthThresholds limits = context.config.health();
    double rate = delivery.graftFailureRate();
    String failing = Math.round(rate * 100) + " % of the grafts fail";
    if (shutdown) return new Finding(Status.UNHEALTHY, "shut down");
    if (peers.total() == 0) return new Finding(Status.UNHEALTHY, "no peers");
    if (rate > limits.graftFailureRateUnhealthy()) return new Finding(Status.UNHEALTHY, failing);
    if (peers.eager() == 0) return new Finding(Status.DEGRADED, "no eager peers");
    if (rate > limits.graftFailureRateDegraded()) return new Finding(Status.DEGRADED, failing);
    if (delivery.pendingGrafts() > limits.pendingGraftsDegraded()) {
      return new Finding(Status.DEGRADED, delivery.pendingGrafts() + " messages are missing");
    }
    if (context.cache.fillRatio() > limits.cacheUseDegraded()) {
      return new Finding(Status.DEGRADED, "the message cache is full");
    }
    // In a cluster of three no node has three peers.
    int possible = Math.min(limits.minPeersDegraded(), context.peers.hashRing().size() - 1);
    if (peers.total() < possible) {
      return new Finding(Status.DEGRADED, "only " + peers.total() + " peers");
    }
    return new Finding(Status.HEALTHY, "healthy");
  }
}
