package org.quorumail.gossip;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.MissingTable.Missing;
import org.quorumail.gossip.PlumtreeEffect.Deliver;
import org.quorumail.gossip.PlumtreeEffect.GraftFailed;
import org.quorumail.gossip.PlumtreeEffect.GraftSent;
import org.quorumail.gossip.PlumtreeMessage.Announcement;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.Graft;
import org.quorumail.gossip.PlumtreeMessage.IHave;
import org.quorumail.gossip.PlumtreeMessage.NotFound;
import org.quorumail.gossip.PlumtreeMessage.Prune;

/**
 * How a message travels: pushed along the tree, announced beside it, grafted where the tree is
 * broken, pruned where it has a cycle. The methods are the events of "Epidemic Broadcast Trees" §3.
 */
final class Spreading {
  private final PlumtreeState state;
  private final RateLimit graftBytes;

  Spreading(PlumtreeState state, long now) {
    this.state = state;
    double rate = state.config.graftRateLimitBytes();
    this.graftBytes = new RateLimit(rate, Math.max(rate, state.config.maxMessageSize()), now);
  }

  /** Pushes on the tree's eager links and announces on the others, except where it came from. */
  void forward(
      SpanningTree tree, Gossip message, @Nullable Link except, @Nullable Missing known, long now) {
    long budget = state.config.peerByteBudget();
    for (Link link : state.links.all()) {
      if (link == except) continue;
      if (known != null && known.announcers.contains(link.id)) continue;
      if (tree.isEager(link) && link.hasRoomFor(message.payload().length, budget)) {
        state.push(link, message, now);
      } else {
        state.announce(link, message, now);
      }
    }
  }

  void onGossip(Link from, Gossip message, long now) {
    MessageId id = message.id();
    SpanningTree tree = state.tree(message.tree(), now);
    acknowledge(from, id, now);
    if (!state.seen.add(id, now)) {
      duplicate(tree, from, message, now);
      return;
    }
    Missing missing = state.missing.remove(id);
    if (missing != null) arrivedLate(missing, from, now);
    boolean inFlight = tree.prunedLately(from, now, PlumtreeState.PRUNE_WINDOW_MILLIS);
    if (!inFlight && state.promote(tree, from)) tree.becomesParent(from);
    take(message);
    Gossip onward = onward(message);
    boolean asked = missing != null && missing.tries > 0;
    state.keep(onward, !asked, now);
    forward(tree, onward, from, missing, now);
    if (missing != null) tellAnnouncers(missing, from, now);
    if (missing != null && tree.id.isShared()) optimise(tree, from, message, missing, now);
  }

  /** What anti-entropy brought: new for us, so it goes on; how it came changes no tree. */
  void onSynced(Link from, Gossip message, long now) {
    from.has(message.id());
    if (!state.seen.add(message.id(), now)) return;
    Missing missing = state.missing.remove(message.id());
    state.meter.count(PlumtreeMetric.SYNC_MESSAGES, 1);
    take(message);
    Gossip onward = onward(message);
    state.keep(onward, false, now);
    forward(state.tree(message.tree(), now), onward, from, missing, now);
    if (missing != null) tellAnnouncers(missing, from, now);
  }

  /** The hop of a message is the number of links it has crossed before the one at hand. */
  private static Gossip onward(Gossip message) {
    int hop = Math.min(message.hop() + 1, PlumtreeCodec.MAX_HOPS);
    return new Gossip(message.tree(), message.id(), hop, message.payload());
  }

  private void take(Gossip message) {
    state.emit(new Deliver(message.id(), message.payload(), message.hop() + 1));
    state.meter.count(PlumtreeMetric.MESSAGES_DELIVERED, 1);
    state.meter.sample(PlumtreeMetric.MESSAGE_HOPS, message.hop() + 1);
  }

  /**
   * The neighbour has it. If our own word about it is under way to the neighbour, that word says
   * what an acknowledgement would.
   */
  private void acknowledge(Link from, MessageId id, long now) {
    long since = from.has(id);
    if (since == Link.UNTOLD) from.acknowledge(id, now, state.flushDelay());
    else from.score.answered(now - since, now);
  }

  private void duplicate(SpanningTree tree, Link from, Gossip message, long now) {
    state.meter.count(PlumtreeMetric.MESSAGES_DUPLICATE, 1);
    long window = PlumtreeState.PRUNE_WINDOW_MILLIS;
    boolean needless = tree.isParent(from) || tree.prunedLately(from, now, window);
    // A cycle is two pushes of one message; what we asked for aside from the tree proves none.
    if (needless || (state.cache.cameAside(message.id()) && tree.isEager(from))) return;
    if (!tree.mayCut(message.id().origin(), now, window)) return;
    state.prune(tree, message.tree(), from, now);
  }

  private void arrivedLate(Missing missing, Link from, long now) {
    if (missing.tries == 0) return;
    state.grafts.succeeded(now);
    state.meter.count(PlumtreeMetric.GRAFT_SUCCESS, 1);
    if (from.id.equals(missing.asked)) {
      state.meter.sample(PlumtreeMetric.GRAFT_LATENCY_SECONDS, (now - missing.askedAt) / 1_000.0);
      from.score.answered(now - missing.askedAt, now);
    }
  }

  /** Those who announced it wait for a word from us. */
  private void tellAnnouncers(Missing missing, Link from, long now) {
    for (NodeId announcer : missing.announcers) {
      Link link = state.links.get(announcer);
      if (link != null && link != from) link.acknowledge(missing.id, now, state.flushDelay());
    }
  }

  /**
   * A way that is shorter by the threshold replaces the one that the payload came by (paper, §3.8).
   * Only in the shared tree: an origin's own is that of the quickest ways already. Several
   * exchanges at once cut a tree, and several origins would undo each other's choices (riak_core
   * #395): so about one per second in the whole network.
   */
  private void optimise(SpanningTree tree, Link from, Gossip message, Missing missing, long now) {
    int threshold = state.config.optimizationThreshold();
    if (threshold == 0) return;
    Optional<NodeId> shortest =
        missing.announcers.stream().min(Comparator.comparingInt(missing::hop));
    Link better = shortest.map(state.links::get).orElse(null);
    if (better == null || better == from) return;
    if (message.hop() - missing.hop(better.id) < threshold) return;
    long window = Math.max(10_000, 1_000L * state.links.roster().size());
    if (!tree.mayOptimise(now, window, state.self.hash64())) return;
    graft(tree, message.tree(), better, Optional.empty());
    state.prune(tree, message.tree(), from, now);
  }

  void onIHave(Link from, IHave message, long now) {
    for (Announcement line : message.announcements()) {
      if (state.seen.contains(line.id())) {
        acknowledge(from, line.id(), now);
      } else {
        announced(from, line, now);
      }
    }
  }

  private void announced(Link from, Announcement line, long now) {
    Missing missing = state.missing.get(line.id());
    if (missing == null) {
      if (isTooMuch(line.id())) {
        state.meter.count(PlumtreeMetric.IHAVE_IGNORED, 1);
        return;
      }
      SpanningTree tree = state.tree(line.tree(), now);
      long patience = tree.isOrphan() ? state.config.graftRetryMillis() : state.graftTimeout();
      missing = state.missing.add(line.id(), line.tree(), now + patience);
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
    graft(state.tree(missing.tree, now), missing.tree, next, Optional.of(missing.id));
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

  private void graft(SpanningTree tree, TreeId named, Link link, Optional<MessageId> id) {
    tree.grafted(link);
    state.promote(tree, link);
    state.send(link.id, new Graft(named, id));
    state.meter.count(PlumtreeMetric.GRAFT_SENT, 1);
  }

  private void giveUp(Missing missing, long now) {
    state.missing.remove(missing.id);
    state.grafts.failed(now);
    state.meter.count(PlumtreeMetric.GRAFT_FAILED, 1);
    NodeId last = missing.asked == null ? state.self : missing.asked;
    state.emit(new GraftFailed(missing.id, last));
  }

  void onGraft(Link from, Graft message, long now) {
    SpanningTree tree = state.tree(message.tree(), now);
    tree.grafted(from);
    boolean promoted = state.promote(tree, from);
    // More eager links than we may have: the payload this time, announcements from now on.
    if (!promoted) state.send(from.id, new Prune(message.tree()));
    if (message.id().isEmpty()) return;
    MessageId id = message.id().get();
    Optional<Gossip> found = state.find(id);
    if (found.isEmpty()) {
      from.has(id);
      state.send(from.id, new NotFound(id));
      return;
    }
    Gossip payload = found.get();
    if (!from.grafts.take(1, now) || !graftBytes.take(payload.payload().length, now)) {
      state.meter.count(PlumtreeMetric.GRAFTS_REFUSED, 1);
      return;
    }
    state.push(from, payload, now);
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

  /** A tree keeps one eager link, or a broadcast would start with nothing but announcements. */
  void onPrune(Link from, Prune message, long now) {
    SpanningTree tree = state.tree(message.tree(), now);
    if (tree.eagerCount() > 1) state.demote(tree, from);
  }
}
