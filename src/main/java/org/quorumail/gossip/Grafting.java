package org.quorumail.gossip;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.MissingTable.Missing;
import org.quorumail.gossip.PlumtreeEffect.GraftFailed;
import org.quorumail.gossip.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.PlumtreeMessage.Announcement;
import org.quorumail.gossip.PlumtreeMessage.Graft;
import org.quorumail.gossip.PlumtreeMessage.NotFound;

/**
 * What was announced and does not come: it is waited for until T1, then asked for from one
 * announcer after another, each for T2, and the links over which that happens join the tree again
 * ("Epidemic Broadcast Trees" §3.6).
 */
final class Grafting {
  private final PlumtreeState state;

  Grafting(PlumtreeState state) {
    this.state = state;
  }

  /** A neighbour has what we have not. */
  void announced(Link from, Announcement line, long now) {
    Missing missing = state.missing.get(line.id());
    if (missing == null) {
      if (isTooMuch(line.id()) || state.missing.isShareUsed(from.id)) {
        state.meter.count(PlumtreeMetric.IHAVE_IGNORED, 1);
        return;
      }
      boolean orphan = state.trees.find(line.tree()).map(SpanningTree::isOrphan).orElse(false);
      long patience = orphan ? state.config.graftRetryMillis() : state.graftTimeout();
      missing = state.missing.add(line.id(), line.tree(), from.id, now + patience);
    }
    missing.announcedBy(from.id, line.hop());
  }

  /** A table that fills lets some, then most, then all further announcements be repeated later. */
  private boolean isTooMuch(MessageId id) {
    double use = state.missing.use();
    CleanupConfig cleanup = state.config.cleanup();
    if (use < cleanup.dropSome()) return false;
    if (use >= cleanup.block()) return true;
    return (id.hashCode() & 3) < (use >= cleanup.dropMost() ? 3 : 1);
  }

  /** Asks for what did not come in time. */
  void graftDue(long now) {
    for (Missing due = state.missing.pollDue(now); due != null; due = state.missing.pollDue(now)) {
      askNext(due, now);
    }
  }

  private void askNext(Missing missing, long now) {
    if (missing.asked != null) {
      Link silent = state.links.get(missing.asked);
      if (silent != null) silent.score.failed(now);
    }
    Link next = best(missing, now);
    if (next == null || missing.tries >= state.config.graftMaxRetries()) {
      giveUp(missing, now);
      return;
    }
    // To the back: it is asked again when all others have been.
    missing.announcers.remove(next.id);
    missing.announcers.add(next.id);
    missing.asked = next.id;
    missing.askedAt = now;
    if (missing.tries++ > 0) state.meter.count(PlumtreeMetric.GRAFT_RETRIES, 1);
    state.trees.find(missing.tree).ifPresent(tree -> takeIn(tree, next));
    ask(missing.tree, next, Optional.of(missing.id));
    state.emit(new GraftSent(next.id, missing.id));
    state.missing.wake(missing, now + state.config.graftRetryMillis());
  }

  /** Of those not asked yet the one with the best score; when all were asked, the longest ago. */
  private @Nullable Link best(Missing missing, long now) {
    int fresh = Math.max(1, missing.announcers.size() - missing.tries);
    List<Link> links =
        missing.announcers.stream()
            .limit(fresh)
            .map(state.links::get)
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
  boolean takeIn(SpanningTree tree, Link link) {
    tree.grafted(link);
    return state.promote(tree, link);
  }

  /** Asks for a message, or for the link alone. */
  void ask(TreeId tree, Link link, Optional<MessageId> id) {
    state.send(link.id, new Graft(tree, id));
    state.meter.count(PlumtreeMetric.GRAFT_SENT, 1);
  }

  private void giveUp(Missing missing, long now) {
    state.missing.remove(missing.id);
    state.grafts.failed(now);
    state.meter.count(PlumtreeMetric.GRAFT_FAILED, 1);
    NodeId last = missing.asked == null ? state.self : missing.asked;
    state.emit(new GraftFailed(missing.id, last));
  }

  /** The announcer has it no more: the next one, at once. */
  void onNotFound(Link from, NotFound message, long now) {
    Missing missing = state.missing.get(message.id());
    if (missing == null) return;
    missing.forget(from.id);
    if (!from.id.equals(missing.asked)) return;
    missing.asked = null;
    if (missing.announcers.isEmpty()) giveUp(missing, now);
    else askNext(missing, now);
  }

  /** What had been asked for has come. */
  void arrivedLate(Missing missing, Link from, long now) {
    if (missing.tries == 0) return;
    state.grafts.succeeded(now);
    state.meter.count(PlumtreeMetric.GRAFT_SUCCESS, 1);
    if (from.id.equals(missing.asked)) {
      state.meter.sample(PlumtreeMetric.GRAFT_LATENCY_SECONDS, (now - missing.askedAt) / 1_000.0);
      from.score.answered(now - missing.askedAt, now);
    }
  }

  /** Those who announced it wait for a word from us. */
  void tellAnnouncers(Missing missing, Link from, long now) {
    for (NodeId announcer : missing.announcers) {
      Link link = state.links.get(announcer);
      if (link != null && link != from) link.acknowledge(missing.id, now, state.flushDelay());
    }
  }
}
