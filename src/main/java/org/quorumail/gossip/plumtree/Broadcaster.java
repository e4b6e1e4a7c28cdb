package org.quorumail.gossip.plumtree;

import java.util.List;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;

/** This node's own broadcasts: their ids, their trees, and their rejection under load. */
final class Broadcaster {
  private final PlumtreeContext context;
  private final EagerPush eagerPush;
  private final OverlayMaintenance overlay;
  private long incarnation;
  private long sequence;
  private long lastBroadcast = Long.MIN_VALUE / 2;

  Broadcaster(
      PlumtreeContext context, EagerPush eagerPush, OverlayMaintenance overlay, long incarnation) {
    this.context = context;
    this.eagerPush = eagerPush;
    this.overlay = overlay;
    this.incarnation = incarnation;
  }

  /** Broadcasts a payload to all members. */
  BroadcastResult broadcast(byte[] payload, long now) {
    if (payload.length > context.config.maxMessageSize()) {
      return new BroadcastResult.Rejected(BroadcastResult.Refusal.MESSAGE_TOO_LARGE);
    }
    if (allQueuesFull()) {
      return new BroadcastResult.Rejected(BroadcastResult.Refusal.QUEUE_FULL);
    }
    BroadcastId id = new BroadcastId(context.self, incarnation, ++sequence);
    TreeId treeId = chooseTree(now);
    Gossip message = new Gossip(treeId, id, 0, payload);
    context.seen.add(id, now);
    context.storePayload(message, true, now);
    context.meter.count(PlumtreeMetric.MESSAGES_BROADCAST, 1);
    eagerPush.broadcast(message, now);
    overlay.flush(now);
    List<PlumtreeEffect> effects = context.takeEffects();
    if (context.peers.size() == 0) {
      return new BroadcastResult.Degraded(id, BroadcastResult.Pressure.NO_NEIGHBOURS, effects);
    }
    if (context.peers.all().stream().anyMatch(this::isLagging)) {
      return new BroadcastResult.Degraded(id, BroadcastResult.Pressure.NEIGHBOUR_LAGS, effects);
    }
    if (context.cache.fillRatio() >= context.config.health().cacheUseDegraded()) {
      return new BroadcastResult.Degraded(id, BroadcastResult.Pressure.CACHE_FILLS, effects);
    }
    return new BroadcastResult.Accepted(id, effects);
  }

  private boolean allQueuesFull() {
    return context.peers.size() > 0
        && context.peers.all().stream()
            .allMatch(link -> link.outstanding() >= Link.MAX_OUTSTANDING);
  }

  private boolean isLagging(Link link) {
    return link.outstanding() > Link.MAX_OUTSTANDING / 2
        || !link.hasRoomFor(context.config.maxMessageSize(), context.config.peerByteBudget());
  }

  /** A node that broadcasts twice within a minute uses a tree of its own, while there is room. */
  private TreeId chooseTree(long now) {
    boolean active = now - lastBroadcast < SpanningTrees.ACTIVE_MILLIS;
    lastBroadcast = now;
    TreeId own = TreeId.of(context.self);
    return active && (context.trees.has(own) || context.trees.hasRoom(now))
        ? own
        : TreeId.OVERLAY_PATHS;
  }

  /**
   * Checks a received id for one of this node that it never sent. The node was restarted with the
   * same incarnation, or the id was forged. Receivers would take the next broadcasts for old ones,
   * so they get a new incarnation, one with no messages known here.
   */
  void onIdSeen(BroadcastId id) {
    if (!id.origin().equals(context.self) || id.incarnation() != incarnation) return;
    if (id.sequence() <= sequence) return;
    do incarnation++;
    while (context.seen.hasSource(new BroadcastSource(context.self, incarnation)));
    sequence = 0;
  }
}
