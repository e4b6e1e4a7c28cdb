package org.quorumail.gossip.plumtree;

import java.util.Comparator;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.MissingTable.MissingMessage;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Deliver;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;

/**
 * How a message travels: pushed along its origin's tree, announced beside it, pruned where the tree
 * has a cycle; {@link GraftScheduler} mends it where it is broken. The methods are the events of
 * "Epidemic Broadcast Trees" §3. Where there is no tree it is pushed along the ways of the {@link
 * Chart}, which no graft and no prune changes: they are computed anew as soon as the membership is
 * another one.
 */
final class EagerPush {
  private final PlumtreeContext context;
  private final GraftScheduler graftScheduler;
  private final RateLimiter graftBytes;

  EagerPush(PlumtreeContext state, GraftScheduler grafting, long now) {
    this.context = state;
    this.graftScheduler = grafting;
    double rate = state.config.graftRateLimitBytes();
    this.graftBytes = new RateLimiter(rate, Math.max(rate, state.config.maxMessageSize()), now);
  }

  /** Of the node's own. */
  void broadcast(Gossip message, long now) {
    forward(message, null, null, now);
  }

  /** Pushes on its way's links and announces on the others, except where it came from. */
  private void forward(
      Gossip message, @Nullable Link except, @Nullable MissingMessage known, long now) {
    Predicate<Link> way =
        context
            .tree(message.tree(), now)
            .<Predicate<Link>>map(tree -> tree::isEager)
            .orElseGet(() -> overlayPathLinks(message.id().origin(), except));
    long budget = context.config.peerByteBudget();
    for (Link link : context.peers.all()) {
      if (link == except) continue;
      if (known != null && known.announcers.contains(link.id)) continue;
      if (way.test(link) && link.hasRoomFor(message.payload().length, budget)) {
        context.push(link, message, now);
      } else {
        context.announce(link, message, now);
      }
    }
  }

  /**
   * On which links a message without a tree is pushed: on those of its charted ways, and on those
   * that the chart has not, which stand in for some that failed. What came by no charted way itself
   * goes against the ways too, as whoever should have pushed it may not have it. An origin that is
   * not known here yet has no ways.
   */
  private Predicate<Link> overlayPathLinks(NodeId origin, @Nullable Link from) {
    OverlayPaths chart = context.peers.overlayPaths();
    if (!chart.contains(origin)) return link -> true;
    NodeId self = context.self;
    boolean astray = from != null && !chart.pushes(origin, from.id, self);
    return link ->
        !chart.hasLink(self, link.id)
            || chart.pushes(origin, self, link.id)
            || (astray && chart.pushes(origin, link.id, self));
  }

  void onGossip(Link from, Gossip message, long now) {
    BroadcastId id = message.id();
    Optional<SpanningTree> tree = context.tree(message.tree(), now);
    acknowledge(from, id, now);
    if (!context.seen.add(id, now)) {
      context.meter.count(PlumtreeMetric.MESSAGES_DUPLICATE, 1);
      tree.ifPresent(cyclic -> onDuplicate(cyclic, from, message, now));
      return;
    }
    MissingMessage missing = context.missing.remove(id);
    if (missing != null) graftScheduler.onArrival(missing, from, now);
    tree.ifPresent(quickest -> onPushed(quickest, from, now));
    deliver(message);
    Gossip onward = withNextHop(message);
    boolean asked = missing != null && missing.grafts > 0;
    context.storePayload(onward, !asked, now);
    forward(onward, from, missing, now);
    if (missing == null) return;
    graftScheduler.acknowledgeAnnouncers(missing, from, now);
    tree.ifPresent(longer -> optimise(longer, from, message, missing, now));
  }

  private void onPushed(SpanningTree tree, Link from, long now) {
    boolean inFlight = tree.wasPrunedRecently(from, now, PlumtreeContext.PRUNE_WINDOW_MILLIS);
    if (!inFlight && context.promote(tree, from)) tree.setParent(from);
  }

  /** What anti-entropy brought: new for us, so it goes on; how it came changes no tree. */
  void onSynced(Link from, Gossip message, long now) {
    from.markReceived(message.id());
    if (!context.seen.add(message.id(), now)) return;
    MissingMessage missing = context.missing.remove(message.id());
    context.meter.count(PlumtreeMetric.SYNC_MESSAGES, 1);
    deliver(message);
    Gossip onward = withNextHop(message);
    context.storePayload(onward, false, now);
    forward(onward, from, missing, now);
    if (missing != null) graftScheduler.acknowledgeAnnouncers(missing, from, now);
  }

  /** The hop of a message is the number of links it has crossed before the one at hand. */
  private static Gossip withNextHop(Gossip message) {
    int hop = Math.min(message.hop() + 1, PlumtreeCodec.MAX_HOPS);
    return new Gossip(message.tree(), message.id(), hop, message.payload());
  }

  private void deliver(Gossip message) {
    context.emit(new Deliver(message.id(), message.payload(), message.hop() + 1));
    context.meter.count(PlumtreeMetric.MESSAGES_DELIVERED, 1);
    context.meter.sample(PlumtreeMetric.MESSAGE_HOPS, message.hop() + 1);
  }

  /**
   * The neighbour has it. If our own word about it is under way to the neighbour, that word says
   * what an acknowledgement would.
   */
  private void acknowledge(Link from, BroadcastId id, long now) {
    long since = from.markReceived(id);
    if (since == Link.NEVER_SENT) from.acknowledge(id, now, context.flushDelay());
    else from.score.recordSuccess(now - since, now);
  }

  private void onDuplicate(SpanningTree tree, Link from, Gossip message, long now) {
    boolean needless =
        tree.isParent(from)
            || tree.wasPrunedRecently(from, now, PlumtreeContext.PRUNE_WINDOW_MILLIS);
    // A cycle is two pushes of one message; what we asked for aside from the tree proves none.
    if (needless || (context.cache.cameOutsideTree(message.id()) && tree.isEager(from))) return;
    context.prune(tree, from, now);
  }

  /**
   * A way that is shorter by the threshold replaces the one that the payload came by (paper, §3.8):
   * a tree that grafts have mended has detours. Several exchanges at once can cut it (riak_core
   * #395), so about one per second in the whole network.
   */
  private void optimise(
      SpanningTree tree, Link from, Gossip message, MissingMessage missing, long now) {
    int threshold = context.config.optimizationThreshold();
    if (threshold == 0) return;
    Optional<NodeId> shortest =
        missing.announcers.stream().min(Comparator.comparingInt(missing::hop));
    Link better = shortest.map(context.peers::get).orElse(null);
    if (better == null || better == from) return;
    if (message.hop() - missing.hop(better.id) < threshold) return;
    long window = Math.max(10_000, 1_000L * context.peers.hashRing().size());
    if (!tree.mayOptimise(now, window, context.self.hash64())) return;
    graftScheduler.addEagerLink(tree, better);
    graftScheduler.sendGraft(message.tree(), better, Optional.empty());
    context.prune(tree, from, now);
  }

  void onIHave(Link from, IHave message, long now) {
    for (Announcement line : message.announcements()) {
      if (context.seen.contains(line.id())) {
        acknowledge(from, line.id(), now);
      } else {
        graftScheduler.onAnnouncement(from, line, now);
      }
    }
  }

  void onGraft(Link from, Graft message, long now) {
    boolean full =
        context
            .trees
            .find(message.tree())
            .map(tree -> !graftScheduler.addEagerLink(tree, from))
            .orElse(false);
    // More eager links than we may have: the payload this time, announcements from now on.
    if (full) context.send(from.id, new Prune(message.tree()));
    if (message.id().isEmpty()) return;
    BroadcastId id = message.id().get();
    Optional<Gossip> found = context.findStored(id);
    if (found.isEmpty()) {
      from.markReceived(id);
      context.send(from.id, new NotFound(id));
      return;
    }
    Gossip payload = found.get();
    if (!from.graftLimit.tryTake(1, now) || !graftBytes.tryTake(payload.payload().length, now)) {
      context.meter.count(PlumtreeMetric.GRAFTS_REFUSED, 1);
      return;
    }
    context.push(from, payload, now);
  }

  /** A tree keeps one eager link, or a broadcast would start with nothing but announcements. */
  void onPrune(Link from, Prune message) {
    context
        .trees
        .find(message.tree())
        .filter(tree -> tree.eagerCount() > 1)
        .ifPresent(tree -> context.demote(tree, from));
  }
}
