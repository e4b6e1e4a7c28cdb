package org.quorumail.gossip;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.quorumail.gossip.PlumtreeEffect.Reason;
import org.quorumail.gossip.PlumtreeMessage.Disconnect;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.Graft;
import org.quorumail.gossip.PlumtreeMessage.IHave;
import org.quorumail.gossip.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.PlumtreeMessage.NotFound;
import org.quorumail.gossip.PlumtreeMessage.Prune;
import org.quorumail.gossip.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.PlumtreeMessage.SyncRequest;

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
 * need no state: their way is computed from the membership ({@link Chart}).
 *
 * <p>A message is, per node: unknown → announced (T1 runs) → asked for (T2 runs, next announcer, up
 * to {@code graft_max_retries}) → delivered; or given up, until it is announced again or
 * anti-entropy brings it. Per link it is told until acknowledged ({@link Link}).
 *
 * <p>Parts: {@link Voice} (what it says itself), {@link Spreading} and {@link Grafting} (the
 * paper's events), {@link Neighbourhood} and {@link Links} (the overlay), {@link SpanningTrees},
 * {@link Chart}, {@link AntiEntropy}; {@link PlumtreeState} is what they share.
 */
public final class Plumtree {
  private final PlumtreeState state;
  private final Links links;
  private final Grafting grafting;
  private final Spreading spreading;
  private final AntiEntropy antiEntropy;
  private final Neighbourhood neighbourhood;
  private final Voice voice;
  private final Upkeep upkeep;
  private final Coalescing coalescing = new Coalescing();
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
    this.state = new PlumtreeState(self, zone, config, meter, now);
    this.links = state.links;
    this.grafting = new Grafting(state);
    this.spreading = new Spreading(state, grafting, now);
    this.antiEntropy = new AntiEntropy(state, spreading, random, now);
    this.neighbourhood = new Neighbourhood(state, antiEntropy);
    this.voice = new Voice(state, spreading, neighbourhood, incarnation);
    this.upkeep = new Upkeep(state, neighbourhood, random, now);
  }

  /** Sends to all members. The node itself is not told. */
  public BroadcastResult broadcast(byte[] payload, long now) {
    if (closing) return new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN);
    return voice.tell(payload, now);
  }

  /**
   * For a value of which only the last matters (a load, a counter): it is broadcast at the next
   * tick, unless another one for its key replaces it before.
   *
   * @return false when there are too many keys or the value is too large
   */
  public boolean coalesce(String key, byte[] value, long now) {
    if (closing || value.length > state.config.maxMessageSize()) return false;
    return coalescing.put(key, value, now + state.flushDelay());
  }

  /** A message from a node whose identity the transport has checked. */
  public List<PlumtreeEffect> onMessage(NodeId from, PlumtreeMessage message, long now) {
    if (shutdown || from.equals(state.self)) return List.of();
    neighbourhood.apply(links.heard(from, now), now);
    Link link = links.get(from);
    if (link == null) {
      if (message instanceof Disconnect) return state.takeEffects();
      neighbourhood.apply(links.accept(from, now), now);
      link = links.get(from);
      if (link == null) {
        refuse(from, message);
        return state.takeEffects();
      }
    }
    link.lastHeard = now;
    dispatch(link, message, now);
    neighbourhood.flushFull(link, now);
    return state.takeEffects();
  }

  /**
   * No room for a link: it may look elsewhere. What it pushed is lost here and will be announced.
   */
  private void refuse(NodeId from, PlumtreeMessage message) {
    if (!(message instanceof Prune)) state.send(from, new Disconnect());
  }

  private void dispatch(Link link, PlumtreeMessage message, long now) {
    switch (message) {
      case Gossip m -> {
        voice.learn(m.id());
        spreading.onGossip(link, m, now);
      }
      case IHave m -> {
        m.announcements().forEach(line -> voice.learn(line.id()));
        spreading.onIHave(link, m, now);
      }
      case IHaveAck m -> {
        for (MessageId id : m.ids()) acknowledged(link, id, now);
      }
      case Graft m -> spreading.onGraft(link, m, now);
      case Prune m -> spreading.onPrune(link, m);
      case NotFound m -> grafting.onNotFound(link, m, now);
      case Neighbour m -> {
        if (m.answer()) return;
        neighbourhood.apply(links.accept(link.id, now), now);
        state.send(link.id, new Neighbour(true));
      }
      case Disconnect m ->
          neighbourhood.apply(links.failed(link.id, Reason.DISCONNECTED, now), now);
      case SyncRequest m -> antiEntropy.onRequest(link, m, now);
      case SyncDigest m -> antiEntropy.onDigest(link, m, now);
      case SyncPull m -> antiEntropy.onPull(link, m, now);
      case SyncPush m -> {
        m.messages().forEach(pushed -> voice.learn(pushed.id()));
        antiEntropy.onPush(link, m, now);
      }
    }
  }

  private void acknowledged(Link link, MessageId id, long now) {
    long since = link.has(id);
    if (since == Link.UNTOLD) return;
    link.score.answered(now - since, now);
    state.batcher.latency(now - since);
  }

  /** A member is there (again): a candidate for the overlay, in a zone ("" when unknown). */
  public List<PlumtreeEffect> neighbourUp(NodeId id, String zone, long now) {
    if (shutdown || id.equals(state.self)) return List.of();
    neighbourhood.apply(links.up(id, zone, now), now);
    return state.takeEffects();
  }

  /** A member is dead or has left. */
  public List<PlumtreeEffect> neighbourDown(NodeId id, long now) {
    if (shutdown || id.equals(state.self)) return List.of();
    neighbourhood.apply(links.down(id, now), now);
    return state.takeEffects();
  }

  /** The whole membership: what is here and not there goes, what is there and not here comes. */
  public List<PlumtreeEffect> reconcile(Roster members, long now) {
    if (shutdown) return List.of();
    neighbourhood.apply(links.replace(members, now), now);
    return state.takeEffects();
  }

  /** A connection broke or could not be made: replaced now, whatever the membership thinks. */
  public List<PlumtreeEffect> sendFailed(NodeId id, long now) {
    if (shutdown || links.get(id) == null) return List.of();
    neighbourhood.apply(links.failed(id, Reason.UNREACHABLE, now), now);
    return state.takeEffects();
  }

  /** What is due. */
  public List<PlumtreeEffect> tick(long now) {
    if (shutdown) return List.of();
    neighbourhood.apply(links.tick(now), now);
    broadcastCoalesced(now);
    grafting.graftDue(now);
    neighbourhood.flush(now);
    neighbourhood.dropSilent(now);
    antiEntropy.tick(now);
    upkeep.tick(now);
    return state.takeEffects();
  }

  private void broadcastCoalesced(long now) {
    for (byte[] value : coalescing.takeDue(now)) {
      // A refusal loses nothing that lasts: the next value of the key replaces it.
      for (PlumtreeEffect effect : voice.tell(value, now).effects()) state.emit(effect);
    }
  }

  /** When {@link #tick} has something to do; {@code Long.MAX_VALUE}: never. */
  public long nextDeadline() {
    if (shutdown) return Long.MAX_VALUE;
    long next = Math.min(upkeep.deadline(), coalescing.deadline());
    next = Math.min(next, Math.min(neighbourhood.deadline(), antiEntropy.deadline()));
    return Math.min(next, state.missing.deadline());
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
    return coalescing.isEmpty() && links.all().stream().noneMatch(link -> link.owes(state.self));
  }

  /** Takes nothing more and asks for nothing more. Neighbours are told. */
  public List<PlumtreeEffect> shutdown() {
    if (shutdown) return List.of();
    closing = true;
    shutdown = true;
    for (Link link : links.all()) state.send(link.id, new Disconnect());
    return state.takeEffects();
  }

  /** The links of the overlay: the driver keeps connections to these. */
  public Set<NodeId> neighbours() {
    Set<NodeId> ids = new java.util.LinkedHashSet<>();
    for (Link link : links.all()) ids.add(link.id);
    return ids;
  }

  /** Members that this node knows of, itself not counted. */
  public int peerCount() {
    return Math.max(0, links.roster().size() - 1);
  }

  /** The value of a gauge; of the others nothing. */
  public OptionalLong gauge(PlumtreeMetric metric, long now) {
    return PlumtreeGauges.read(state, metric, now);
  }

  public HealthReport health(long now) {
    return PlumtreeGauges.health(state, shutdown, now);
  }
}
