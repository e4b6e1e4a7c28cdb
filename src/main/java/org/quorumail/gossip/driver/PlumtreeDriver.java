package org.quorumail.gossip.driver;

import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastHealth;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeEffect;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.swim.SwimMember;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The driver of the broadcast core: decodes its messages and performs its effects. Used by the
 * gossip thread; {@code now} is in milliseconds.
 */
final class PlumtreeDriver {
  private static final Logger LOG = LoggerFactory.getLogger(PlumtreeDriver.class);

  private final Plumtree plumtree;
  private final NeighbourConnections neighbours;
  private final BroadcastFormat format;
  private final MemberDirectory members;
  private final GossipMetrics metrics;
  private final DelegateDispatcher delegate;
  private final Function<byte[], String> zoneOf;
  private final Level linkChangeLevel;

  /**
   * @param zoneOf reads a member's zone from its metadata
   * @param logChanges whether changes of neighbours are logged at level INFO
   */
  PlumtreeDriver(
      Plumtree plumtree,
      NeighbourConnections neighbours,
      BroadcastFormat format,
      MemberDirectory members,
      GossipMetrics metrics,
      DelegateDispatcher delegate,
      Function<byte[], String> zoneOf,
      boolean logChanges) {
    this.plumtree = plumtree;
    this.neighbours = neighbours;
    this.format = format;
    this.members = members;
    this.metrics = metrics;
    this.delegate = delegate;
    this.zoneOf = zoneOf;
    this.linkChangeLevel = logChanges ? Level.INFO : Level.DEBUG;
  }

  long nextDeadline() {
    return plumtree.nextDeadline();
  }

  void tick(long now) {
    perform(plumtree.tick(now), now);
  }

  void handle(byte[] message, long now) {
    NodeId sender = BroadcastFormat.claimedSender(message).orElse(null);
    if (sender == null) {
      metrics.countMalformed("no sender");
      return;
    }
    if (members.peer(sender).isEmpty()) return; // not a member; membership notifies it
    switch (format.decode(message)) {
      case PlumtreeCodec.Message m -> perform(plumtree.onMessage(sender, m.message(), now), now);
      case PlumtreeCodec.Malformed m -> metrics.countMalformed(m.reason());
    }
  }

  /** Reports a member, whose address may have changed. */
  void memberUp(SwimMember node, long now) {
    neighbours.reconnectIfMoved(node.id());
    String zone = zoneOf.apply(node.metadata().bytes());
    perform(plumtree.neighbourUp(node.id(), zone, now), now);
  }

  void memberDown(NodeId id, long now) {
    perform(plumtree.neighbourDown(id, now), now);
  }

  /** Reports a broken or failed connection: the core takes another neighbour at once. */
  void unreachable(NodeId id, long now) {
    perform(plumtree.sendFailed(id, now), now);
  }

  BroadcastResult broadcast(byte[] payload, long now) {
    BroadcastResult result = plumtree.broadcast(payload, now);
    perform(result.effects(), now);
    return result;
  }

  boolean coalesce(String key, byte[] value, long now) {
    return plumtree.coalesce(key, value, now);
  }

  Set<NodeId> neighbours() {
    return plumtree.neighbours();
  }

  BroadcastHealth health(long now) {
    return plumtree.health(now);
  }

  /** Accepts no more broadcasts; accepted ones are repeated until they are acknowledged. */
  void close() {
    plumtree.close();
  }

  boolean isDrained() {
    return plumtree.isDrained();
  }

  void shutdown(long now) {
    perform(plumtree.shutdown(), now);
  }

  void updateGauges(long now) {
    for (PlumtreeMetric metric : PlumtreeMetric.values()) {
      plumtree.gauge(metric, now).ifPresent(value -> metrics.setGauge(metric, value));
    }
  }

  private void perform(List<PlumtreeEffect> effects, long now) {
    for (PlumtreeEffect effect : effects) {
      switch (effect) {
        case PlumtreeEffect.Send send -> neighbours.send(send.to(), send.message(), now);
        case PlumtreeEffect.Deliver delivered ->
            delegate.dispatch(
                d -> d.onDeliver(delivered.id(), delivered.payload()), delivered.payload().length);
        case PlumtreeEffect.EagerPromotion promotion ->
            delegate.dispatch(d -> d.onEagerPromotion(promotion.peer()));
        case PlumtreeEffect.LazyDemotion demotion ->
            delegate.dispatch(d -> d.onLazyDemotion(demotion.peer()));
        case PlumtreeEffect.GraftSent sent ->
            delegate.dispatch(d -> d.onGraftSent(sent.peer(), sent.id()));
        case PlumtreeEffect.PruneSent sent -> delegate.dispatch(d -> d.onPruneSent(sent.peer()));
        case PlumtreeEffect.GraftFailed failed ->
            delegate.dispatch(d -> d.onGraftFailed(failed.id(), failed.peer()));
        case PlumtreeEffect.NeighbourAdded added -> {
          neighbours.connect(added.peer());
          LOG.atLevel(linkChangeLevel).log("event=gossip_neighbour_added node={}", added.peer());
        }
        case PlumtreeEffect.NeighbourRemoved removed -> {
          neighbours.disconnect(removed.peer());
          LOG.atLevel(linkChangeLevel)
              .log(
                  "event=gossip_neighbour_removed node={} reason={}",
                  removed.peer(),
                  removed.reason());
        }
      }
    }
  }
}
