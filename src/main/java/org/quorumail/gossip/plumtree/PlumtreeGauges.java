package org.quorumail.gossip.plumtree;

import java.util.OptionalLong;
import org.quorumail.gossip.plumtree.BroadcastHealth.Status;

/** Reads a core's state for its operators: gauges and the health report. */
final class PlumtreeGauges {
  private PlumtreeGauges() {}

  static OptionalLong read(PlumtreeContext state, PlumtreeMetric metric, long now) {
    return switch (metric) {
      case EAGER_PEERS -> OptionalLong.of(eager(state));
      case LAZY_PEERS -> OptionalLong.of(state.peers.size() - eager(state));
      case PEER_COUNT -> OptionalLong.of(state.peers.size());
      case PEERS_HEALTHY -> OptionalLong.of(heard(state, 0, 1, now));
      case PEERS_DEGRADED -> OptionalLong.of(heard(state, 1, 3, now));
      case PEERS_ZOMBIE -> OptionalLong.of(heard(state, 3, Long.MAX_VALUE, now));
      case CACHE_SIZE -> OptionalLong.of(state.cache.size());
      case SEEN_MAP_SIZE -> OptionalLong.of(state.seen.size());
      case IHAVE_QUEUE_SIZE ->
          OptionalLong.of(state.peers.all().stream().mapToLong(Link::outstanding).sum());
      case PENDING_GRAFTS -> OptionalLong.of(state.missing.countGrafted());
      default -> OptionalLong.empty();
    };
  }

  /** Links that push in the tree used last. Without a tree any may be on a charted way. */
  private static int eager(PlumtreeContext state) {
    return state.trees.latest().map(SpanningTree::eagerCount).orElseGet(state.peers::size);
  }

  /** Links that were last heard that many minutes ago: a neighbour speaks at least once in one. */
  private static long heard(PlumtreeContext state, long from, long to, long now) {
    return state.peers.all().stream()
        .mapToLong(link -> (now - link.lastHeard) / 70_000)
        .filter(minutes -> minutes >= from && minutes < to)
        .count();
  }

  static BroadcastHealth health(PlumtreeContext state, boolean shutdown, long now) {
    int total = state.peers.size();
    int eager = eager(state);
    int pending = state.missing.countGrafted();
    double failures = state.graftStatistics.failureRate(now);
    BroadcastHealth.Peers peers =
        new BroadcastHealth.Peers(total, eager, total - eager, state.config.eagerFanout());
    BroadcastHealth.Delivery delivery =
        new BroadcastHealth.Delivery(
            pending, failures, state.graftStatistics.successful(), state.graftStatistics.failed());
    BroadcastHealth.Cache cache =
        new BroadcastHealth.Cache(
            state.cache.size(), state.config.messageCacheMaxSize(), state.config.messageCacheTtl());
    Finding finding = judge(state, shutdown, peers, delivery);
    return new BroadcastHealth(
        finding.status, finding.message, peers, delivery, cache, shutdown, now);
  }

  private record Finding(Status status, String message) {}

  /** The first that applies, worst first. */
  private static Finding judge(
      PlumtreeContext state,
      boolean shutdown,
      BroadcastHealth.Peers peers,
      BroadcastHealth.Delivery delivery) {
    HealthThresholds limits = state.config.health();
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
    if (state.cache.fillRatio() > limits.cacheUseDegraded()) {
      return new Finding(Status.DEGRADED, "the message cache is full");
    }
    // Of a cluster of three nobody has three peers.
    int possible = Math.min(limits.minPeersDegraded(), state.peers.hashRing().size() - 1);
    if (peers.total() < possible) {
      return new Finding(Status.DEGRADED, "only " + peers.total() + " peers");
    }
    return new Finding(Status.HEALTHY, "healthy");
  }
}
