package org.quorumail.gossip;

import java.util.Comparator;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.MissingTable.Missing;
import org.quorumail.gossip.PlumtreeEffect.Deliver;
import org.quorumail.gossip.PlumtreeMessage.Announcement;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.Graft;
import org.quorumail.gossip.PlumtreeMessage.IHave;
import org.quorumail.gossip.PlumtreeMessage.NotFound;
import org.quorumail.gossip.PlumtreeMessage.Prune;

/**
 * How a message travels: pushed along its origin's tree, announced beside it, pruned where the tree
 * has a cycle; {@link Grafting} mends it where it is broken. The methods are the events of
 * "Epidemic Broadcast Trees" §3. Where there is no tree it is pushed along the ways of the {@link
 * Chart}, which no graft and no prune changes: they are computed anew as soon as the membership is
 * another one.
 */
final class Spreading {
  private final PlumtreeState state;
  private final Grafting grafting;
  private final RateLimit graftBytes;

  Spreading(PlumtreeState state, Grafting grafting, long now) {
    this.state = state;
    this.grafting = grafting;
    double rate = state.config.graftRateLimitBytes();
    this.graftBytes = new RateLimit(rate, Math.max(rate, state.config.maxMessageSize()), now);
  }

  /** Of the node's own. */
  void broadcast(Gossip message, long now) {
    forward(message, null, null, now);
  }

  /** Pushes on its way's links and announces on the others, except where it came from. */
  private void forward(Gossip message, @Nullable Link except, @Nullable Missing known, long now) {
    Predicate<Link> way =
        state
            .tree(message.tree(), now)
            .<Predicate<Link>>map(tree -> tree::isEager)
            .orElseGet(() -> charted(message.id().origin(), except));
    long budget = state.config.peerByteBudget();
    for (Link link : state.links.all()) {
      if (link == except) continue;
      if (known != null && known.announcers.contains(link.id)) continue;
      if (way.test(link) && link.hasRoomFor(message.payload().length, budget)) {
        state.push(link, message, now);
      } else {
        state.announce(link, message, now);
      }
    }
  }

  /**
   * On which links a message without a tree is pushed: on those of its charted ways, and on those
   * that the chart has not, which stand in for some that failed. What came by no charted way itself
   * goes against the ways too, as whoever should have pushed it may not have it. An origin that is
   * not known here yet has no ways.
   */
  private Predicate<Link> charted(NodeId origin, @Nullable Link from) {
    Chart chart = state.links.chart();
    if (!chart.contains(origin)) return link -> true;
    NodeId self = state.self;
    boolean astray = from != null && !chart.pushes(origin, from.id, self);
    return link ->
        !chart.hasLink(self, link.id)
            || chart.pushes(origin, self, link.id)
            || (astray && chart.pushes(origin, link.id, self));
  }

  void onGossip(Link from, Gossip message, long now) {
    MessageId id = message.id();
    Optional<SpanningTree> tree = state.tree(message.tree(), now);
    acknowledge(from, id, now);
    if (!state.seen.add(id, now)) {
      state.meter.count(PlumtreeMetric.MESSAGES_DUPLICATE, 1);
      tree.ifPresent(cyclic -> duplicate(cyclic, from, message, now));
      return;
    }
    Missing missing = state.missing.remove(id);
    if (missing != null) grafting.arrivedLate(missing, from, now);
    tree.ifPresent(quickest -> pushed(quickest, from, now));
    take(message);
    Gossip onward = onward(message);
    boolean asked = missing != null && missing.tries > 0;
    state.keep(onward, !asked, now);
    forward(onward, from, missing, now);
    if (missing == null) return;
    grafting.tellAnnouncers(missing, from, now);
    tree.ifPresent(longer -> optimise(longer, from, message, missing, now));
  }

  private void pushed(SpanningTree tree, Link from, long now) {
    boolean inFlight = tree.prunedLately(from, now, PlumtreeState.PRUNE_WINDOW_MILLIS);
    if (!inFlight && state.promote(tree, from)) tree.becomesParent(from);
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
    forward(onward, from, missing, now);
    if (missing != null) grafting.tellAnnouncers(missing, from, now);
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
    boolean needless =
        tree.isParent(from) || tree.prunedLately(from, now, PlumtreeState.PRUNE_WINDOW_MILLIS);
    // A cycle is two pushes of one message; what we asked for aside from the tree proves none.
    if (needless || (state.cache.cameAside(message.id()) && tree.isEager(from))) return;
    state.prune(tree, from, now);
  }

  /**
   * A way that is shorter by the threshold replaces the one that the payload came by (paper, §3.8):
   * a tree that grafts have mended has detours. Several exchanges at once can cut it (riak_core
   * #395), so about one per second in the whole network.
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
    grafting.takeIn(tree, better);
    grafting.ask(message.tree(), better, Optional.empty());
    state.prune(tree, from, now);
  }

  void onIHave(Link from, IHave message, long now) {
    for (Announcement line : message.announcements()) {
      if (state.seen.contains(line.id())) {
        acknowledge(from, line.id(), now);
      } else {
        grafting.announced(from, line, now);
      }
    }
  }

  void onGraft(Link from, Graft message, long now) {
    boolean full =
        state.trees.find(message.tree()).map(tree -> !grafting.takeIn(tree, from)).orElse(false);
    // More eager links than we may have: the payload this time, announcements from now on.
    if (full) state.send(from.id, new Prune(message.tree()));
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

  /** A tree keeps one eager link, or a broadcast would start with nothing but announcements. */
  void onPrune(Link from, Prune message) {
    state
        .trees
        .find(message.tree())
        .filter(tree -> tree.eagerCount() > 1)
        .ifPresent(tree -> state.demote(tree, from));
  }
}
