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
 * The forwarding of messages: a message is pushed along its origin's tree and announced on the
 * other links. A prune removes a cycle of the tree, and {@link GraftScheduler} repairs a gap. The
 * methods are the events of "Epidemic Broadcast Trees" §3. A message without a tree is pushed along
 * the {@link OverlayPaths}. These change with the membership only, not by grafts and prunes.
 */
final class EagerPush {
  private final PlumtreeContext context;
  private final GraftScheduler graftScheduler;
  private final RateLimiter graftBytes;

  EagerPush(PlumtreeContext context, GraftScheduler graftScheduler, long now) {
    this.context = context;
    this.graftScheduler = graftScheduler;
    double rate = context.config.graftRateLimitBytes();
    this.graftBytes = new RateLimiter(rate, Math.max(rate, context.config.maxMessageSize()), now);
  }

  /** Forwards a message of this node. */
  void broadcast(Gossip message, long now) {
    forward(message, null, null, now);
  }

  /** Pushes on the eager links and announces on the others, except on the one it came from. */
  private void forward(
      Gossip message, @Nullable Link except, @Nullable MissingMessage known, long now) {
    Predicate<Link> isEager =
        context
            .tree(message.tree(), now)
            .<Predicate<Link>>map(tree -> tree::isEager)
            .orElseGet(() -> overlayPathLinks(message.id().origin(), except));
    long budget = context.config.peerByteBudget();
    for (Link link : context.peers.all()) {
      if (link == except) continue;
      if (known != null && known.announcers.contains(link.id)) continue;
      if (isEager.test(link) && link.hasRoomFor(message.payload().length, budget)) {
        context.push(link, message, now);
      } else {
        context.announce(link, message, now);
      }
    }
  }

  /**
   * The links on which a message without a tree is pushed: those of the overlay paths, and those
   * unknown to them, which replace failed links. A message that came off its path is pushed against
   * the paths too, as the node that should have pushed it may lack it. An unknown origin has no
   * paths, so its messages are pushed on all links.
   */
  private Predicate<Link> overlayPathLinks(NodeId origin, @Nullable Link from) {
    OverlayPaths paths = context.peers.overlayPaths();
    if (!paths.contains(origin)) return link -> true;
    NodeId self = context.self;
    boolean offPath = from != null && !paths.pushes(origin, from.id, self);
    return link ->
        !paths.hasLink(self, link.id)
            || paths.pushes(origin, self, link.id)
            || (offPath && paths.pushes(origin, link.id, self));
  }

  void onGossip(Link from, Gossip message, long now) {
    BroadcastId id = message.id();
    Optional<SpanningTree> tree = context.tree(message.tree(), now);
    acknowledge(from, id, now);
    if (!context.seen.add(id, now)) {
      context.meter.count(PlumtreeMetric.MESSAGES_DUPLICATE, 1);
      tree.ifPresent(t -> onDuplicate(t, from, message, now));
      return;
    }
    MissingMessage missing = context.missing.remove(id);
    if (missing != null) graftScheduler.onArrival(missing, from, now);
    tree.ifPresent(t -> onPushed(t, from, now));
    deliver(message);
    Gossip onward = withNextHop(message);
    boolean grafted = missing != null && missing.grafts > 0;
    context.storePayload(onward, !grafted, now);
    forward(onward, from, missing, now);
    if (missing == null) return;
    graftScheduler.acknowledgeAnnouncers(missing, from, now);
    tree.ifPresent(t -> optimise(t, from, message, missing, now));
  }

  private void onPushed(SpanningTree tree, Link from, long now) {
    boolean inFlight = tree.wasPrunedRecently(from, now, PlumtreeContext.PRUNE_WINDOW_MILLIS);
    if (!inFlight && context.promote(tree, from)) tree.setParent(from);
  }

  /** Handles a message from anti-entropy: a new one is forwarded, but changes no tree. */
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

  /** The message as it is forwarded: its hop is the number of links that it crossed before. */
  private static Gossip withNextHop(Gossip message) {
    int hop = Math.min(message.hop() + 1, PlumtreeCodec.MAX_HOPS);
    return new Gossip(message.tree(), message.id(), hop, message.payload());
  }

  private void deliver(Gossip message) {
    context.emit(new Deliver(message.id(), message.payload(), message.hop() + 1));
    context.meter.count(PlumtreeMetric.MESSAGES_DELIVERED, 1);
    context.meter.sample(PlumtreeMetric.MESSAGE_HOPS, message.hop() + 1);
  }

  /** Acknowledges a message, unless a push or announcement of it to the neighbour does so. */
  private void acknowledge(Link from, BroadcastId id, long now) {
    long since = from.markReceived(id);
    if (since == Link.NEVER_SENT) from.acknowledge(id, now, context.flushDelay());
    else from.score.recordSuccess(now - since, now);
  }

  private void onDuplicate(SpanningTree tree, Link from, Gossip message, long now) {
    boolean needless =
        tree.isParent(from)
            || tree.wasPrunedRecently(from, now, PlumtreeContext.PRUNE_WINDOW_MILLIS);
    // Two pushes of one message show a cycle; a message that came outside the tree shows none.
    if (needless || (context.cache.cameOutsideTree(message.id()) && tree.isEager(from))) return;
    context.prune(tree, from, now);
  }

  /**
   * Replaces the link that the payload came over by one to an announcer on a path shorter by the
   * threshold (paper, §3.8). A tree repaired by grafts has detours. Several replacements at once
   * can cut the tree (riak_core #395), so the whole network makes about one per second.
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
    // No further eager link is allowed: the payload now, only announcements from now on.
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

  /** Demotes the link, unless it is the tree's last eager one: a broadcast must push somewhere. */
  void onPrune(Link from, Prune message) {
    context
        .trees
        .find(message.tree())
        .filter(tree -> tree.eagerCount() > 1)
        .ifPresent(tree -> context.demote(tree, from));
  }
}
