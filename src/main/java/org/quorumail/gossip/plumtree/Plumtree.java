package org.quorumail.gossip.plumtree;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;
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
 * Tells everyone: broadcast over spanning trees that build and heal themselves (Leitão, Pereira,
 * Rodrigues: "Epidemic Broadcast Trees", SRDS 2007), on an overlay chosen from the full membership.
 *
 * <p>Pure: each method is one event with the time at which it happens ({@code now}: milliseconds on
 * a monotonic clock) and returns what the driver has to do. One owner; no thread, socket or clock.
 * The driver calls {@link #tick} when {@link #nextDeadline} has come, and {@link #sendFailed} as
 * soon as a connection breaks.
 *
 * <p>A link is, per tree, in one of two states:
 *
 * <pre>
 *   eager → lazy   a duplicate came over it (PRUNE is sent), or a PRUNE came,
 *                  or a way was found that is shorter by the threshold
 *   lazy → eager   a new payload came over it, a GRAFT came, or a GRAFT was sent for what is missing
 *   (new)→ eager   a neighbour came up; the first {@code eager_fanout} of a new tree
 * </pre>
 *
 * Only an origin that broadcasts more than once a minute has a tree. The messages of all others
 * need no state: their way is computed from the membership ({@link OverlayPaths}).
 *
 * <p>A message is, per node: unknown → announced (T1 runs) → asked for (T2 runs, next announcer, up
 * to {@code graft_max_retries}) → delivered; or given up, until it is announced again or
 * anti-entropy brings it. Per link it is told until acknowledged ({@link Link}).
 *
 * <p>Parts: {@link Broadcaster} (what it says itself), {@link EagerPush} and {@link GraftScheduler}
 * (the paper's events), {@link OverlayMaintenance} and {@link PeerSet} (the overlay), {@link
 * SpanningTrees}, {@link OverlayPaths}, {@link AntiEntropy}; {@link PlumtreeContext} is what they
 * share.
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
   * @param incarnation of this life of the node: one that it never had before, as the time of its
   *     start
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

  /** Sends to all members. The node itself is not told. */
  public BroadcastResult broadcast(byte[] payload, long now) {
    if (closing) return new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN);
    return broadcaster.broadcast(payload, now);
  }

  /**
   * For a value of which only the last matters (a load, a counter): it is broadcast at the next
   * tick, unless another one for its key replaces it before.
   *
   * @return false when there are too many keys or the value is too large
   */
  public boolean coalesce(String key, byte[] value, long now) {
    if (closing || value.length > context.config.maxMessageSize()) return false;
    return coalescing.put(key, value, now + context.flushDelay());
  }

  /** A message from a node whose identity the transport has checked. */
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

  /**
   * No room for a link: it may look elsewhere. What it pushed is lost here and will be announced.
   */
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

  /** A member is there (again): a candidate for the overlay, in a zone ("" when unknown). */
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

  /** The whole membership: what is here and not there goes, what is there and not here comes. */
  public List<PlumtreeEffect> reconcile(HashRing members, long now) {
    if (shutdown) return List.of();
    overlay.apply(peers.replaceMembers(members, now), now);
    return context.takeEffects();
  }

  /** A connection broke or could not be made: replaced now, whatever the membership thinks. */
  public List<PlumtreeEffect> sendFailed(NodeId id, long now) {
    if (shutdown || peers.get(id) == null) return List.of();
    overlay.apply(peers.linkFailed(id, Reason.UNREACHABLE, now), now);
    return context.takeEffects();
  }

  /** What is due. */
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
      // A refusal loses nothing that lasts: the next value of the key replaces it.
      for (PlumtreeEffect effect : broadcaster.broadcast(value, now).effects())
        context.emit(effect);
    }
  }

  /** When {@link #tick} has something to do; {@code Long.MAX_VALUE}: never. */
  public long nextDeadline() {
    if (shutdown) return Long.MAX_VALUE;
    long next = Math.min(maintenance.deadline(), coalescing.deadline());
    next = Math.min(next, Math.min(overlay.deadline(), antiEntropy.deadline()));
    return Math.min(next, context.missing.deadline());
  }

  /** Takes no more broadcasts of its own, but goes on repeating those it took. */
  public void close() {
    closing = true;
  }

  /**
   * Whether every neighbour has acknowledged all broadcasts of this node: then it may leave without
   * loss. What it passes on for others they have from elsewhere too.
   */
  public boolean isDrained() {
    return coalescing.isEmpty()
        && peers.all().stream().noneMatch(link -> link.hasUnacknowledgedFrom(context.self));
  }

  /** Takes nothing more and asks for nothing more. Neighbours are told. */
  public List<PlumtreeEffect> shutdown() {
    if (shutdown) return List.of();
    closing = true;
    shutdown = true;
    for (Link link : peers.all()) context.send(link.id, new Disconnect());
    return context.takeEffects();
  }

  /** The links of the overlay: the driver keeps connections to these. */
  public Set<NodeId> neighbours() {
    Set<NodeId> ids = new java.util.LinkedHashSet<>();
    for (Link link : peers.all()) ids.add(link.id);
    return ids;
  }

  /** Members that this node knows of, itself not counted. */
  public int peerCount() {
    return Math.max(0, peers.hashRing().size() - 1);
  }

  /** The value of a gauge; of the others nothing. */
  public OptionalLong gauge(PlumtreeMetric metric, long now) {
    return PlumtreeGauges.read(context, metric, now);
  }

  public BroadcastHealth health(long now) {
    return PlumtreeGauges.health(context, shutdown, now);
  }
}
