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
 * The changes of links, and the regular messages on each link: greetings, and batches of
 * acknowledgements and announcements. A neighbour that answers none of them counts as gone.
 */
final class OverlayMaintenance {
  /** Unacknowledged attempts after which a neighbour counts as gone. */
  private static final int MAX_UNACKNOWLEDGED_ATTEMPTS = 8;

  /** The time between two greetings to a chosen neighbour. */
  private static final long GREETING_MILLIS = 60_000;

  /** Unanswered greetings after which a neighbour counts as gone. */
  private static final int MAX_UNANSWERED_GREETINGS = 3;

  /** The newest messages, of the last seconds, are announced to a new neighbour at once. */
  private static final int RECENT_MESSAGES = 64;

  private static final long RECENT_MILLIS = 10_000;

  /** The bound of batches to one neighbour in one flush, and so of the effects of one tick. */
  private static final int MAX_BATCHES = 16;

  private final PlumtreeContext context;
  private final PeerSet peers;
  private final AntiEntropy antiEntropy;

  OverlayMaintenance(PlumtreeContext context, AntiEntropy antiEntropy) {
    this.context = context;
    this.peers = context.peers;
    this.antiEntropy = antiEntropy;
  }

  /** Applies added and removed links to the trees, and reports them as effects. */
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

  /** Sends all due messages and full batches. */
  void flush(long now) {
    for (Link link : peers.all()) {
      boolean full = link.hasFullBatch(context.batchSizer.batchSize());
      if (link.deadline() <= now || full) flush(link, now, full);
    }
  }

  /** Sends to the neighbour if it has a full batch. */
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

  /** Replaces the neighbours that acknowledge nothing. */
  void dropSilent(long now) {
    List<NodeId> silent = new ArrayList<>();
    for (Link link : peers.all())
      if (link.isSilent(MAX_UNACKNOWLEDGED_ATTEMPTS)) silent.add(link.id);
    for (NodeId id : silent) apply(peers.linkFailed(id, Reason.SILENT, now), now);
  }

  /** Sends due greetings, and replaces the neighbours that did not answer earlier ones. */
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
