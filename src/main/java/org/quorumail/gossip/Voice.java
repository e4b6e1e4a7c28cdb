package org.quorumail.gossip;

import java.util.List;
import org.quorumail.gossip.PlumtreeMessage.Gossip;

/** What this node says itself: under which ids, by which way, and when it has to be silent. */
final class Voice {
  private final PlumtreeState state;
  private final Spreading spreading;
  private final Neighbourhood neighbourhood;
  private long incarnation;
  private long sequence;
  private long lastBroadcast = Long.MIN_VALUE / 2;

  Voice(PlumtreeState state, Spreading spreading, Neighbourhood neighbourhood, long incarnation) {
    this.state = state;
    this.spreading = spreading;
    this.neighbourhood = neighbourhood;
    this.incarnation = incarnation;
  }

  /** To all members. */
  BroadcastResult tell(byte[] payload, long now) {
    if (payload.length > state.config.maxMessageSize()) {
      return new BroadcastResult.Rejected(BroadcastResult.Refusal.MESSAGE_TOO_LARGE);
    }
    if (allQueuesFull()) {
      return new BroadcastResult.Rejected(BroadcastResult.Refusal.QUEUE_FULL);
    }
    MessageId id = new MessageId(state.self, incarnation, ++sequence);
    TreeId treeId = treeForOwn(now);
    Gossip message = new Gossip(treeId, id, 0, payload);
    state.seen.add(id, now);
    state.keep(message, true, now);
    state.meter.count(PlumtreeMetric.MESSAGES_BROADCAST, 1);
    spreading.broadcast(message, now);
    neighbourhood.flush(now);
    List<PlumtreeEffect> effects = state.takeEffects();
    if (state.links.size() == 0) {
      return new BroadcastResult.Degraded(id, BroadcastResult.Pressure.NO_NEIGHBOURS, effects);
    }
    if (state.links.all().stream().anyMatch(this::lags)) {
      return new BroadcastResult.Degraded(id, BroadcastResult.Pressure.NEIGHBOUR_LAGS, effects);
    }
    if (state.cache.use() >= state.config.health().cacheUseDegraded()) {
      return new BroadcastResult.Degraded(id, BroadcastResult.Pressure.CACHE_FILLS, effects);
    }
    return new BroadcastResult.Accepted(id, effects);
  }

  private boolean allQueuesFull() {
    return state.links.size() > 0
        && state.links.all().stream().allMatch(link -> link.outstanding() >= Link.MAX_OUTSTANDING);
  }

  private boolean lags(Link link) {
    return link.outstanding() > Link.MAX_OUTSTANDING / 2
        || !link.hasRoomFor(state.config.maxMessageSize(), state.config.peerByteBudget());
  }

  /** Whoever speaks twice within a minute gets a tree of its own, while there is room. */
  private TreeId treeForOwn(long now) {
    boolean active = now - lastBroadcast < SpanningTrees.ACTIVE_MILLIS;
    lastBroadcast = now;
    TreeId own = TreeId.of(state.self);
    return active && (state.trees.has(own) || state.trees.hasRoom(now)) ? own : TreeId.CHARTED;
  }

  /**
   * The network knows a message of ours that we never sent: this node was restarted under the same
   * incarnation, or somebody made it up. Our next ones would be taken for old, so they begin
   * another life, one of which nothing is known here yet.
   */
  void learn(MessageId id) {
    if (!id.origin().equals(state.self) || id.incarnation() != incarnation) return;
    if (id.sequence() <= sequence) return;
    do incarnation++;
    while (state.seen.knows(new Source(state.self, incarnation)));
    sequence = 0;
  }
}
