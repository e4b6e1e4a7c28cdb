package org.quorumail.gossip.net;

import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.quorumail.gossip.BroadcastResult;
import org.quorumail.gossip.HealthReport;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Plumtree;
import org.quorumail.gossip.PlumtreeCodec;
import org.quorumail.gossip.PlumtreeEffect;
import org.quorumail.gossip.PlumtreeMetric;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Runs the core of broadcasts: reads what arrives for it and carries out what it says. Used by the
 * gossip thread; {@code now} is milliseconds.
 */
final class PlumtreeDriver {
  private static final Logger log = LoggerFactory.getLogger(PlumtreeDriver.class);

  private final Plumtree plumtree;
  private final Neighbours neighbours;
  private final BroadcastFormat format;
  private final MemberBook book;
  private final GossipMetrics metrics;
  private final DelegateThread delegate;
  private final Function<byte[], String> zoneOf;
  private final Level changes;

  /**
   * @param zoneOf reads a member's zone out of its metadata
   * @param logChanges whether links that come and go are logged where everybody sees it
   */
  PlumtreeDriver(
      Plumtree plumtree,
      Neighbours neighbours,
      BroadcastFormat format,
      MemberBook book,
      GossipMetrics metrics,
      DelegateThread delegate,
      Function<byte[], String> zoneOf,
      boolean logChanges) {
    this.plumtree = plumtree;
    this.neighbours = neighbours;
    this.format = format;
    this.book = book;
    this.metrics = metrics;
    this.delegate = delegate;
    this.zoneOf = zoneOf;
    this.changes = logChanges ? Level.INFO : Level.DEBUG;
  }

  long nextDeadline() {
    return plumtree.nextDeadline();
  }

  void tick(long now) {
    carryOut(plumtree.tick(now), now);
  }

  void handle(byte[] message, long now) {
    NodeId sender = BroadcastFormat.sender(message).orElse(null);
    if (sender == null) {
      metrics.malformed("no sender");
      return;
    }
    if (book.peer(sender).isEmpty()) return; // not a member (any more): it will be told
    switch (format.message(message)) {
      case PlumtreeCodec.Message m -> carryOut(plumtree.onMessage(sender, m.message(), now), now);
      case PlumtreeCodec.Malformed m -> metrics.malformed(m.reason());
    }
  }

  /** A member is there; it may be at another address than before. */
  void memberThere(Node node, long now) {
    neighbours.moved(node.id());
    String zone = zoneOf.apply(node.meta().bytes());
    carryOut(plumtree.neighbourUp(node.id(), zone, now), now);
  }

  void memberGone(NodeId id, long now) {
    carryOut(plumtree.neighbourDown(id, now), now);
  }

  /** A connection broke or could not be made: the core takes another neighbour at once. */
  void unreachable(NodeId id, long now) {
    carryOut(plumtree.sendFailed(id, now), now);
  }

  BroadcastResult broadcast(byte[] payload, long now) {
    BroadcastResult result = plumtree.broadcast(payload, now);
    carryOut(result.effects(), now);
    return result;
  }

  boolean coalesce(String key, byte[] value, long now) {
    return plumtree.coalesce(key, value, now);
  }

  Set<NodeId> neighbours() {
    return plumtree.neighbours();
  }

  HealthReport health(long now) {
    return plumtree.health(now);
  }

  /** Takes no more broadcasts; those that were taken are repeated until acknowledged. */
  void close() {
    plumtree.close();
  }

  boolean isDrained() {
    return plumtree.isDrained();
  }

  void shutdown(long now) {
    carryOut(plumtree.shutdown(), now);
  }

  void measure(long now) {
    for (PlumtreeMetric metric : PlumtreeMetric.values()) {
      plumtree.gauge(metric, now).ifPresent(value -> metrics.gauge(metric, value));
    }
  }

  private void carryOut(List<PlumtreeEffect> effects, long now) {
    for (PlumtreeEffect effect : effects) {
      switch (effect) {
        case PlumtreeEffect.Send send -> neighbours.send(send.to(), send.message(), now);
        case PlumtreeEffect.Deliver delivered ->
            delegate.tell(
                d -> d.onDeliver(delivered.id(), delivered.payload()), delivered.payload().length);
        case PlumtreeEffect.EagerPromotion promotion ->
            delegate.tell(d -> d.onEagerPromotion(promotion.peer()));
        case PlumtreeEffect.LazyDemotion demotion ->
            delegate.tell(d -> d.onLazyDemotion(demotion.peer()));
        case PlumtreeEffect.GraftSent sent ->
            delegate.tell(d -> d.onGraftSent(sent.peer(), sent.id()));
        case PlumtreeEffect.PruneSent sent -> delegate.tell(d -> d.onPruneSent(sent.peer()));
        case PlumtreeEffect.GraftFailed failed ->
            delegate.tell(d -> d.onGraftFailed(failed.id(), failed.peer()));
        case PlumtreeEffect.NeighbourAdded added -> {
          neighbours.added(added.peer());
          log.atLevel(changes).log("gossip_neighbour_added node={}", added.peer());
        }
        case PlumtreeEffect.NeighbourRemoved removed -> {
          neighbours.removed(removed.peer());
          log.atLevel(changes)
              .log("gossip_neighbour_removed node={} reason={}", removed.peer(), removed.reason());
        }
      }
    }
  }
}
