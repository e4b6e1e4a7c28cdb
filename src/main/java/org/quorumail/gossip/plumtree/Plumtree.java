package org.quorumail.gossip.plumtree;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Reason;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Disconnect;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRequest;

/**
 * The broadcast core: messages reach all members over spanning trees that build and repair
 * themselves (Leitão, Pereira, Rodrigues: "Epidemic Broadcast Trees", SRDS 2007). The overlay is
 * chosen from the full membership.
 *
 * <p>It is pure: each method is one event with its time ({@code now}: milliseconds on a monotonic
 * clock) and returns the effects for the driver. One owner calls it; it has no thread, socket or
 * clock. The driver calls {@link #tick} at {@link #nextDeadline}, and {@link #sendFailed} as soon
 * as a connection breaks.
 *
 * <p>A link is, per tree, in one of two states:
 *
 * <pre>
 *   eager → lazy   a duplicate came over it (PRUNE is sent), or a PRUNE came,
 *                  or another link is on a path that is shorter by the threshold
 *   lazy → eager   a new payload came over it, a GRAFT came, or a GRAFT was sent on it
 *   (new)→ eager   a neighbour came up; the first {@code eager_fanout} of a new tree
 * </pre>
 *
 * Only an origin that broadcasts more than once a minute has a tree. The messages of all others
 * need no state: their paths are computed from the membership ({@link OverlayPaths}).
 *
 * <p>A message is, per node: unknown → announced (T1 runs) → grafted (T2 runs, next announcer, up
 * to {@code graft_max_retries}) → delivered. Or it is given up until it is announced again or
 * anti-entropy brings it. Per link it is repeated until acknowledged ({@link Link}).
 *
 * <p>Parts: {@link Broadcaster} (own messages), {@link EagerPush} and {@link GraftScheduler} (the
 * paper's events), {@link OverlayMaintenance} and {@link PeerSet} (the overlay), {@link
 * SpanningTrees}, {@link OverlayPaths}, {@link AntiEntropy}, {@link PeriodicMaintenance}; {@link
 * PlumtreeContext} is what they share.
 */
public final class Plumtree {
  private final PlumtreeContext context;
  private final PeerSet peers;
  private final GraftScheduler graftScheduler;
  private final EagerPush eagerPush;
  private final AntiEntropy antiEntropy;
  private final OverlayMaintenance overlay;
  private final Broadcaster broadcaster;
  private final PeriodicMaintenance maintenance;
  private final CoalescingBuffer coalescing = new CoalescingBuffer();
  private boolean closing;
  private boolean shutdown;

  /**
   * @param incarnation a number that this node never had before, such as the time of its start
   */
  public Plumtree(
      NodeId self,
      String zone,
      long incarnation,
      PlumtreeConfig config,
      RandomGenerator random,
      PlumtreeMeter meter,
      long now) {
    this.context = new PlumtreeContext(self, zone, config, meter, now);
    this.peers = context.peers;
    this.graftScheduler = new GraftScheduler(context);
    this.eagerPush = new EagerPush(context, graftScheduler, now);
    this.antiEntropy = new AntiEntropy(context, eagerPush, random, now);
    this.overlay = new OverlayMaintenance(context, antiEntropy);
    this.broadcaster = new Broadcaster(context, eagerPush, overlay, incarnation);
    this.maintenance = new PeriodicMaintenance(context, overlay, random, now);
  }

  /** Broadcasts to all members; the payload is not delivered to this node. */
  public BroadcastResult broadcast(byte[] payload, long now) {
    if (closing) return new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN);
    return broadcaster.broadcast(payload, now);
  }

  /**
   * Broadcasts a value of which only the last matters, such as a load or a counter. It is sent
   * after a short delay, unless another value for its key replaces it before.
   *
   * @return false when there are too many keys or the value is too large
   */
  public boolean coalesce(String key, byte[] value, long now) {
    if (closing || value.length > context.config.maxMessageSize()) return false;
    return coalescing.put(key, value, now + context.flushDelay());
  }

  /** Handles a message from a node whose identity the transport has checked. */
  public List<PlumtreeEffect> onMessage(NodeId from, PlumtreeMessage message, long now) {
    if (shutdown || from.equals(context.self)) return List.of();
    overlay.apply(peers.messageReceived(from, now), now);
    Link link = peers.get(from);
    if (link == null) {
      if (message instanceof Disconnect) return context.takeEffects();
      overlay.apply(peers.admit(from, now), now);
      link = peers.get(from);
      if (link == null) {
        refuse(from, message);
        return context.takeEffects();
      }
    }
    link.lastHeard = now;
    dispatch(link, message, now);
    overlay.flushFull(link, now);
    return context.takeEffects();
  }

  /** Refuses a link for which there is no room; a dropped payload will be announced again. */
  private void refuse(NodeId from, PlumtreeMessage message) {
    if (!(message instanceof Prune)) context.send(from, new Disconnect());
  }

  private void dispatch(Link link, PlumtreeMessage message, long now) {
    switch (message) {
      case Gossip m -> {
        broadcaster.onIdSeen(m.id());
        eagerPush.onGossip(link, m, now);
      }
      case IHave m -> {
        m.announcements().forEach(line -> broadcaster.onIdSeen(line.id()));
        eagerPush.onIHave(link, m, now);
      }
      case IHaveAck m -> {
        for (BroadcastId id : m.ids()) acknowledged(link, id, now);
      }
      case Graft m -> eagerPush.onGraft(link, m, now);
      case Prune m -> eagerPush.onPrune(link, m);
      case NotFound m -> graftScheduler.onNotFound(link, m, now);
      case Neighbour m -> {
        if (m.answer()) return;
        overlay.apply(peers.admit(link.id, now), now);
        context.send(link.id, new Neighbour(true));
      }
      case Disconnect m -> overlay.apply(peers.linkFailed(link.id, Reason.DISCONNECTED, now), now);
      case SyncRequest m -> antiEntropy.onRequest(link, m, now);
      case SyncDigest m -> antiEntropy.onDigest(link, m, now);
      case SyncPull m -> antiEntropy.onPull(link, m, now);
      case SyncPush m -> {
        m.messages().forEach(pushed -> broadcaster.onIdSeen(pushed.id()));
        antiEntropy.onPush(link, m, now);
      }
    }
  }

  private void acknowledged(Link link, BroadcastId id, long now) {
    long since = link.markReceived(id);
    if (since == Link.NEVER_SENT) return;
    link.score.recordSuccess(now - since, now);
    context.batchSizer.sampleLatency(now - since);
  }

  /** A member is alive (again): a candidate for the overlay, in a zone ("" when unknown). */
  public List<PlumtreeEffect> neighbourUp(NodeId id, String zone, long now) {
    if (shutdown || id.equals(context.self)) return List.of();
    overlay.apply(peers.memberUp(id, zone, now), now);
    return context.takeEffects();
  }

  /** A member is dead or has left. */
  public List<PlumtreeEffect> neighbourDown(NodeId id, long now) {
    if (shutdown || id.equals(context.self)) return List.of();
    overlay.apply(peers.memberDown(id, now), now);
    return context.takeEffects();
  }

  /** Replaces the whole membership: other members are removed, new ones are added. */
  public List<PlumtreeEffect> reconcile(HashRing members, long now) {
    if (shutdown) return List.of();
    overlay.apply(peers.replaceMembers(members, now), now);
    return context.takeEffects();
  }

  /** A connection broke or failed: the link is replaced now, whatever the membership reports. */
  public List<PlumtreeEffect> sendFailed(NodeId id, long now) {
    if (shutdown || peers.get(id) == null) return List.of();
    overlay.apply(peers.linkFailed(id, Reason.UNREACHABLE, now), now);
    return context.takeEffects();
  }

  /** Does everything that is due. */
  public List<PlumtreeEffect> tick(long now) {
    if (shutdown) return List.of();
    overlay.apply(peers.tick(now), now);
    broadcastCoalesced(now);
    graftScheduler.graftDue(now);
    overlay.flush(now);
    overlay.dropSilent(now);
    antiEntropy.tick(now);
    maintenance.tick(now);
    return context.takeEffects();
  }

  private void broadcastCoalesced(long now) {
    for (byte[] value : coalescing.takeDue(now)) {
      // A rejected value is lost, but the next value of its key replaces it.
      for (PlumtreeEffect effect : broadcaster.broadcast(value, now).effects())
        context.emit(effect);
    }
  }

  /** The time of the next {@link #tick}; {@code Long.MAX_VALUE} after the shutdown. */
  public long nextDeadline() {
    if (shutdown) return Long.MAX_VALUE;
    long next = Math.min(maintenance.deadline(), coalescing.deadline());
    next = Math.min(next, Math.min(overlay.deadline(), antiEntropy.deadline()));
    return Math.min(next, context.missing.deadline());
  }

  /** Rejects further own broadcasts, but repeats the accepted ones until acknowledged. */
  public void close() {
    closing = true;
  }

  /**
   * Returns whether every neighbour has acknowledged all broadcasts of this node, so that it may
   * leave without loss. Other nodes hold the messages of other origins too.
   */
  public boolean isDrained() {
    return coalescing.isEmpty()
        && peers.all().stream().noneMatch(link -> link.hasUnacknowledgedFrom(context.self));
  }

  /** Ends all work; the neighbours receive a disconnect. */
  public List<PlumtreeEffect> shutdown() {
    if (shutdown) return List.of();
    closing = true;
    shutdown = true;
    for (Link link : peers.all()) context.send(link.id, new Disconnect());
    return context.takeEffects();
  }

  /** The neighbours in the overlay, to which the driver keeps connections. */
  public Set<NodeId> neighbours() {
    Set<NodeId> ids = new LinkedHashSet<>();
    for (Link link : peers.all()) ids.add(link.id);
    return ids;
  }

  /** The number of known members without this node. */
  public int peerCount() {
    return Math.max(0, peers.hashRing().size() - 1);
  }

  /** The value of a gauge; empty for counters and histograms. */
  public OptionalLong gauge(PlumtreeMetric metric, long now) {
    return PlumtreeGauges.read(context, metric, now);
  }

  /**
   * A sentence about the first invariant of this core that does not hold; empty when all hold. It
   * looks at every table, so it is for tests and simulations.
   */
  public Optional<String> violation() {
    return Stream.<Supplier<@Nullable String>>of(
            peers::violation,
            () -> context.trees.violation(peers.usedSlots()),
            context.missing::violation,
            context.cache::violation,
            context.store::violation,
            context.seen::violation)
        .map(check -> Optional.ofNullable(check.get()))
        .flatMap(Optional::stream)
        .findFirst();
  }

  public BroadcastHealth health(long now) {
    return PlumtreeGauges.health(context, shutdown, now);
  }
}
