package org.quorumail.gossip.plumtree;

import java.util.List;
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
 * What was announced and does not come: it is waited for until T1, then asked for from one
 * announcer after another, each for T2, and the links over which that happens join the tree again
 * ("Epidemic Broadcast Trees" §3.6).
 */
final class GraftScheduler {
  private final PlumtreeContext context;

  GraftScheduler(PlumtreeContext state) {
    this.context = state;
  }

  /** A neighbour has what we have not. */
  void onAnnouncement(Link from, Announcement line, long now) {
    MissingMessage missing = context.missing.get(line.id());
    if (missing == null) {
      if (isShed(line.id()) || context.missing.isShareExhausted(from.id)) {
        context.meter.count(PlumtreeMetric.IHAVE_IGNORED, 1);
        return;
      }
      boolean orphan = context.trees.find(line.tree()).map(SpanningTree::isOrphan).orElse(false);
      long patience = orphan ? context.config.graftRetryMillis() : context.graftTimeout();
      missing = context.missing.add(line.id(), line.tree(), from.id, now + patience);
    }
    missing.announcedBy(from.id, line.hop());
  }

  /** A table that fills lets some, then most, then all further announcements be repeated later. */
  private boolean isShed(BroadcastId id) {
    double use = context.missing.fillRatio();
    CleanupConfig cleanup = context.config.cleanup();
    if (use < cleanup.dropSome()) return false;
    if (use >= cleanup.block()) return true;
    return (id.hashCode() & 3) < (use >= cleanup.dropMost() ? 3 : 1);
  }

  /** Asks for what did not come in time. */
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
    // To the back: it is asked again when all others have been.
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

  /** Of those not asked yet the one with the best score; when all were asked, the longest ago. */
  private @Nullable Link best(MissingMessage missing, long now) {
    int fresh = Math.max(1, missing.announcers.size() - missing.grafts);
    List<Link> links =
        missing.announcers.stream()
            .limit(fresh)
            .map(context.peers::get)
            .filter(java.util.Objects::nonNull)
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

  /** A graft makes a link eager; false when there are as many as there may be. */
  boolean addEagerLink(SpanningTree tree, Link link) {
    tree.clearPrune(link);
    return context.promote(tree, link);
  }

  /** Asks for a message, or for the link alone. */
  void sendGraft(TreeId tree, Link link, Optional<BroadcastId> id) {
    context.send(link.id, new Graft(tree, id));
    context.meter.count(PlumtreeMetric.GRAFT_SENT, 1);
  }

  private void giveUp(MissingMessage missing, long now) {
    context.missing.remove(missing.id);
    context.graftStatistics.failed(now);
    context.meter.count(PlumtreeMetric.GRAFT_FAILED, 1);
    NodeId last = missing.graftedPeer == null ? context.self : missing.graftedPeer;
    context.emit(new GraftFailed(missing.id, last));
  }

  /** The announcer has it no more: the next one, at once. */
  void onNotFound(Link from, NotFound message, long now) {
    MissingMessage missing = context.missing.get(message.id());
    if (missing == null) return;
    missing.removeAnnouncer(from.id);
    if (!from.id.equals(missing.graftedPeer)) return;
    missing.graftedPeer = null;
    if (missing.announcers.isEmpty()) giveUp(missing, now);
    else graftNext(missing, now);
  }

  /** What had been asked for has come. */
  void onArrival(MissingMessage missing, Link from, long now) {
    if (missing.grafts == 0) return;
    context.graftStatistics.succeeded(now);
    context.meter.count(PlumtreeMetric.GRAFT_SUCCESS, 1);
    if (from.id.equals(missing.graftedPeer)) {
      context.meter.sample(
          PlumtreeMetric.GRAFT_LATENCY_SECONDS, (now - missing.graftedAt) / 1_000.0);
      from.score.recordSuccess(now - missing.graftedAt, now);
    }
  }

  /** Those who announced it wait for a word from us. */
  void acknowledgeAnnouncers(MissingMessage missing, Link from, long now) {
    for (NodeId announcer : missing.announcers) {
      Link link = context.peers.get(announcer);
      if (link != null && link != from) link.acknowledge(missing.id, now, context.flushDelay());
    }
  }
}
