package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourAdded;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourRemoved;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Reason;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;

/**
 * The links as they come and go, and what is said over each of its own accord: a greeting now and
 * then, acknowledgements and announcements in batches. Who does not react to that is gone.
 */
final class OverlayMaintenance {
  /** Words in vain after which a neighbour counts as gone. */
  private static final int MAX_UNACKNOWLEDGED_ATTEMPTS = 8;

  /** How often a chosen neighbour hears that it is one. */
  private static final long GREETING_MILLIS = 60_000;

  /** Greetings without an answer after which a neighbour counts as gone. */
  private static final int MAX_UNANSWERED_GREETINGS = 3;

  /** What a new neighbour is told of at once: the newest few, of the last seconds. */
  private static final int RECENT_MESSAGES = 64;

  private static final long RECENT_MILLIS = 10_000;

  /** Batches to one neighbour in one go: a bound on the effects of one tick. */
  private static final int MAX_BATCHES = 16;

  private final PlumtreeContext context;
  private final PeerSet peers;
  private final AntiEntropy antiEntropy;

  OverlayMaintenance(PlumtreeContext state, AntiEntropy antiEntropy) {
    this.context = state;
    this.peers = state.peers;
    this.antiEntropy = antiEntropy;
  }

  /** Tells the trees and the application what has become of links. */
  void apply(List<PeerSet.LinkChange> changes, long now) {
    for (PeerSet.LinkChange change : changes) {
      if (change.removedFor() == null) onLinkAdded(change.link(), now);
      else onLinkRemoved(change.link(), change.removedFor(), now);
    }
  }

  private void onLinkAdded(Link link, long now) {
    context.emit(new NeighbourAdded(link.id));
    context.meter.count(PlumtreeMetric.PEER_ADDED, 1);
    if (link.chosen) greet(link, now);
    if (link.startsEager && context.config.bridge().autoPromote()) {
      context.trees.forEach(tree -> context.promote(tree, link));
    }
    for (Gossip recent : context.cache.since(now - RECENT_MILLIS, RECENT_MESSAGES).reversed()) {
      context.announce(link, recent, now);
    }
    if (context.seen.size() > 0) antiEntropy.compareSoon(link.id);
  }

  private void greet(Link link, long now) {
    link.lastGreeted = now;
    context.send(link.id, new Neighbour(false));
  }

  private void onLinkRemoved(Link link, Reason reason, long now) {
    context.emit(new NeighbourRemoved(link.id, reason));
    context.meter.count(PlumtreeMetric.PEER_REMOVED, 1);
    context.trees.forEach(tree -> tree.removeLink(link));
    context.missing.removeAnnouncer(link.id, now);
  }

  /** Says what is due, and what has become a full batch. */
  void flush(long now) {
    for (Link link : peers.all()) {
      boolean full = link.hasFullBatch(context.batchSizer.batchSize());
      if (link.deadline() <= now || full) flush(link, now, full);
    }
  }

  /** To a neighbour that has a full batch. */
  void flushFull(Link link, long now) {
    if (link.hasFullBatch(context.batchSizer.batchSize())) flush(link, now, true);
  }

  private void flush(Link link, long now, boolean atOnce) {
    List<BroadcastId> acks = link.takeAcks();
    for (int i = 0; i < acks.size(); i += PlumtreeCodec.MAX_IDS) {
      int end = Math.min(acks.size(), i + PlumtreeCodec.MAX_IDS);
      context.send(link.id, new IHaveAck(List.copyOf(acks.subList(i, end))));
    }
    int size = context.batchSizer.batchSize();
    for (int batch = 0; batch < MAX_BATCHES; batch++) {
      List<Announcement> lines =
          link.takeAnnouncements(
              size, now, context.graftTimeout(), context.availabilityMillis(), atOnce);
      if (lines.isEmpty()) break;
      context.send(link.id, new IHave(lines));
      context.meter.count(PlumtreeMetric.IHAVE_SENT, 1);
      context.meter.sample(PlumtreeMetric.IHAVE_BATCH_SIZE, lines.size());
    }
  }

  /** Replaces those who acknowledge nothing. */
  void dropSilent(long now) {
    List<NodeId> silent = new ArrayList<>();
    for (Link link : peers.all())
      if (link.isSilent(MAX_UNACKNOWLEDGED_ATTEMPTS)) silent.add(link.id);
    for (NodeId id : silent) apply(peers.linkFailed(id, Reason.SILENT, now), now);
  }

  /** Greets whom it is time to greet, and replaces those who do not answer that. */
  void maintain(long now) {
    apply(peers.maintain(now), now);
    List<NodeId> lost = new ArrayList<>();
    for (Link link : peers.all()) {
      if (!link.chosen) continue;
      if (now - link.lastHeard > MAX_UNANSWERED_GREETINGS * GREETING_MILLIS + GREETING_MILLIS / 2) {
        lost.add(link.id);
      } else if (now - link.lastGreeted >= GREETING_MILLIS) {
        greet(link, now);
      }
    }
    for (NodeId id : lost) apply(peers.linkFailed(id, Reason.SILENT, now), now);
  }

  long deadline() {
    long next = peers.deadline();
    for (Link link : peers.all()) next = Math.min(next, link.deadline());
    return next;
  }
}
