package org.quorumail.gossip.plumtree;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.MissingTable.MissingMessage;
import org.quorumail.gossip.plumtree.PlumtreeEffect.GraftFailed;
import org.quorumail.gossip.plumtree.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;

/**
 * The grafts for messages that were announced but not pushed. A message is grafted after T1 from
 * one announcer, and after each further T2 from the next one. The links of the grafts join the tree
 * again ("Epidemic Broadcast Trees" §3.6).
 */
final class GraftScheduler {
  private final PlumtreeContext context;

  GraftScheduler(PlumtreeContext context) {
    this.context = context;
  }

  /** A neighbour announces a message that this node lacks. */
  void onAnnouncement(Link from, Announcement line, long now) {
    MissingMessage missing = context.missing.get(line.id());
    if (missing == null) {
      if (isShed(line.id()) || context.missing.isShareExhausted(from.id)) {
        context.meter.count(PlumtreeMetric.IHAVE_IGNORED, 1);
        return;
      }
      boolean orphan = context.trees.find(line.tree()).map(SpanningTree::isOrphan).orElse(false);
      long timeout = orphan ? context.config.graftRetryMillis() : context.graftTimeout();
      missing = context.missing.add(line.id(), line.tree(), from.id, now + timeout);
    }
    missing.announcedBy(from.id, line.hop());
  }

  /** As the table fills, first some, then most, then all further announcements are ignored. */
  private boolean isShed(BroadcastId id) {
    double use = context.missing.fillRatio();
    CleanupConfig cleanup = context.config.cleanup();
    if (use >= Math.min(1, cleanup.block())) return true;
    if (use < cleanup.dropSome()) return false;
    return (id.hashCode() & 3) < (use >= cleanup.dropMost() ? 3 : 1);
  }

  /** Grafts the messages whose time-out is over. */
  void graftDue(long now) {
    for (MissingMessage due = context.missing.pollDue(now);
        due != null;
        due = context.missing.pollDue(now)) {
      graftNext(due, now);
    }
  }

  private void graftNext(MissingMessage missing, long now) {
    if (missing.graftedPeer != null) {
      Link silent = context.peers.get(missing.graftedPeer);
      if (silent != null) silent.score.recordFailure(now);
    }
    Link next = best(missing, now);
    if (next == null || missing.grafts >= context.config.graftMaxRetries()) {
      giveUp(missing, now);
      return;
    }
    // At the end of the queue it is grafted again after all others.
    missing.announcers.remove(next.id);
    missing.announcers.add(next.id);
    missing.graftedPeer = next.id;
    missing.graftedAt = now;
    if (missing.grafts++ > 0) context.meter.count(PlumtreeMetric.GRAFT_RETRIES, 1);
    context.trees.find(missing.tree).ifPresent(tree -> addEagerLink(tree, next));
    sendGraft(missing.tree, next, Optional.of(missing.id));
    context.emit(new GraftSent(next.id, missing.id));
    context.missing.schedule(missing, now + context.config.graftRetryMillis());
  }

  /** The best-scored announcer not grafted yet; after all were, the one grafted longest ago. */
  private @Nullable Link best(MissingMessage missing, long now) {
    int fresh = Math.max(1, missing.announcers.size() - missing.grafts);
    List<Link> links =
        missing.announcers.stream()
            .limit(fresh)
            .map(context.peers::get)
            .filter(Objects::nonNull)
            .toList();
    Link best = null;
    double bestScore = -1;
    for (Link link : links) {
      double score = link.score.score(now);
      if (score > bestScore) {
        best = link;
        bestScore = score;
      }
    }
    return best;
  }

  /** Makes the link of a graft eager; returns false when the tree has its most eager links. */
  boolean addEagerLink(SpanningTree tree, Link link) {
    tree.clearPrune(link);
    return context.promote(tree, link);
  }

  /** Sends a graft for a message, or for the link alone. */
  void sendGraft(TreeId tree, Link link, Optional<BroadcastId> id) {
    context.send(link.id, new Graft(tree, id));
    context.meter.count(PlumtreeMetric.GRAFT_SENT, 1);
  }

  private void giveUp(MissingMessage missing, long now) {
    context.missing.remove(missing.id);
    context.graftStatistics.recordFailure(now);
    context.meter.count(PlumtreeMetric.GRAFT_FAILED, 1);
    NodeId last = missing.graftedPeer == null ? context.self : missing.graftedPeer;
    context.emit(new GraftFailed(missing.id, last));
  }

  /** The announcer no longer has the message: grafts it from the next one at once. */
  void onNotFound(Link from, NotFound message, long now) {
    MissingMessage missing = context.missing.get(message.id());
    if (missing == null) return;
    missing.removeAnnouncer(from.id);
    if (!from.id.equals(missing.graftedPeer)) return;
    missing.graftedPeer = null;
    if (missing.announcers.isEmpty()) giveUp(missing, now);
    else graftNext(missing, now);
  }

  /** A missing message arrived; records how its graft went, if there was one. */
  void onArrival(MissingMessage missing, Link from, long now) {
    if (missing.grafts == 0) return;
    context.graftStatistics.recordSuccess(now);
    context.meter.count(PlumtreeMetric.GRAFT_SUCCESS, 1);
    if (from.id.equals(missing.graftedPeer)) {
      context.meter.sample(
          PlumtreeMetric.GRAFT_LATENCY_SECONDS, (now - missing.graftedAt) / 1_000.0);
      from.score.recordSuccess(now - missing.graftedAt, now);
    }
  }

  /** Acknowledges the message to all its announcers, which repeat it until then. */
  void acknowledgeAnnouncers(MissingMessage missing, Link from, long now) {
    for (NodeId announcer : missing.announcers) {
      Link link = context.peers.get(announcer);
      if (link != null && link != from) link.acknowledge(missing.id, now, context.flushDelay());
    }
  }
}
