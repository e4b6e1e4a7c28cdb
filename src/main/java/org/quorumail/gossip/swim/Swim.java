package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Ack;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.MetadataRequest;
import org.quorumail.gossip.swim.SwimMessage.MetadataResponse;
import org.quorumail.gossip.swim.SwimMessage.Nack;
import org.quorumail.gossip.swim.SwimMessage.Ping;
import org.quorumail.gossip.swim.SwimMessage.PingReq;
import org.quorumail.gossip.swim.SwimMessage.PushPullRequest;
import org.quorumail.gossip.swim.SwimMessage.PushPullResponse;
import org.quorumail.gossip.swim.SwimMessage.PushPullRows;
import org.quorumail.gossip.swim.SwimMessage.Suspect;

/**
 * The membership core: SWIM with Lifeguard, as a state machine for one owner thread. Every method
 * is an event and returns the effects to carry out, in order. {@code now} is in milliseconds and
 * never goes back. At {@link #nextDeadline}, or a little later, the driver calls {@link #tick}.
 *
 * <p>Legal transitions of a member, i and j incarnations:
 *
 * <pre>
 *   unknown      → alive@i               its own update, passed on
 *   alive@i      → alive@j, j &gt; i        it published metadata, or refuted an unknown accusation
 *   alive@i      → suspect@j, j &gt;= i     a probe failed: direct, through helpers, over a stream
 *   suspect@i    → alive@j, j &gt; i        it refuted; no other node can raise its incarnation
 *   suspect@i    → dead@i                the suspicion expired and the final probe failed
 *   alive|suspect@i → dead@j, j &gt;= i     another node declared it dead
 *   alive|suspect|dead@i → left@j, j &gt;= i   it left gracefully
 *   dead|left@i  → alive@j, j &gt; i        it came back, or was never gone
 *   dead|left    → unknown               the tombstone expired
 * </pre>
 *
 * <p>There are no others. Of two updates the one with the higher incarnation wins; at equal
 * incarnations the later of alive, suspect, dead, left wins ({@link MemberState}). A live member
 * stays at its address: the same name at another address is a conflict, which is reported once and
 * changes nothing.
 *
 * <p>Beyond memberlist:
 *
 * <ul>
 *   <li>Every second probe goes to the next member on a ring, the others to all members in shuffled
 *       rounds. So a death waits at most two intervals for its first probe, unless that neighbour
 *       is dead too.
 *   <li>A probe repeats its datagrams before it fails.
 *   <li>A suspicion calls a few witnesses, which probe out of turn, and the accusers probe the
 *       suspect once more before they declare it dead.
 *   <li>Views are compared by digests. A death known only from push/pull is verified with the
 *       member.
 *   <li>Dead members are probed again, more often while some of them return.
 *   <li>A process that was paused extends all its deadlines by the pause.
 * </ul>
 *
 * <p>Parts: {@link MemberTransitions} (states), {@link Prober} (failure detection), {@link
 * Dissemination} and {@link PushPull} (spreading), {@link SeedJoiner}, {@link DeadMemberProber},
 * {@link MetadataFetcher}, {@link GracefulLeave}; {@link SwimContext} is what they share.
 */
public final class Swim {
  private static final int TOMBSTONE_PRUNE_MILLIS = 60_000;

  private final SwimContext context;
  private final LocalMember localMember;
  private final MemberTransitions transitions;
  private final Prober prober;
  private final PushPull pushPull;
  private final SeedJoiner seedJoiner;
  private final DeadMemberProber deadMemberProber;
  private final MetadataFetcher metadataFetcher;
  private final Dissemination dissemination;

  private long nextProbe;

  /** True if the last probe went to the next member on the ring rather than of the round. */
  private boolean lastProbeOnRing;

  private long nextPrune;

  /** The time by which the driver should have called {@link #tick}. */
  private long expectedTick;

  private @Nullable GracefulLeave gracefulLeave;

  /** Knows no other node until {@link #join}. The first probe is due within a probe interval. */
  public Swim(SwimConfig config, SwimMember self, RandomGenerator random, long now) {
    this.context = new SwimContext(config, self, random, now);
    this.dissemination = new Dissemination(context);
    this.localMember = new LocalMember(context, dissemination::hasten);
    this.transitions = new MemberTransitions(context, localMember, new Reactions());
    this.prober = new Prober(context, transitions, localMember);
    this.pushPull = new PushPull(context, transitions, prober);
    this.seedJoiner = new SeedJoiner(context, pushPull);
    this.deadMemberProber = new DeadMemberProber(context, transitions.tombstones(), prober);
    this.metadataFetcher = new MetadataFetcher(context, transitions);
    nextProbe = now + random.nextInt(config.probeInterval());
    nextPrune = now + TOMBSTONE_PRUNE_MILLIS;
    expectedTick = nextDeadline();
  }

  /** The actions of the other parts on transitions. */
  private final class Reactions implements MemberTransitions.Listener {
    @Override
    public void onMemberReturned() {
      pushPull.hasten();
      deadMemberProber.onMemberReturned();
    }

    @Override
    public void onMetadataMissing(SwimMember member, NodeAddress informant) {
      metadataFetcher.fetch(member, informant);
    }

    @Override
    public void onWitnessNeeded(SwimMember suspect) {
      if (gracefulLeave == null) prober.probe(suspect, null);
    }

    @Override
    public void onFinalProbeNeeded(SwimMember suspect, Consumer<Boolean> result) {
      prober.probeDirectly(suspect, context.config.probeWindow(), result);
    }
  }

  // ---- events

  /**
   * Joins the cluster through the seeds; replaces an earlier list, as the driver resolves names
   * again. The own address may be among the seeds.
   */
  public List<SwimEffect> join(Collection<NodeAddress> seeds, long now) {
    begin(now);
    seedJoiner.setSeeds(seeds);
    seedJoiner.tick();
    deadMemberProber.tick();
    return end();
  }

  /**
   * Adds members as alive without asking them, from a stored peer list or for a simulation that
   * starts warm. They are probed like all others.
   */
  public void addKnownMembers(Collection<SwimMember> members, long now) {
    begin(now);
    members.forEach(transitions::addKnown);
    expectedTick = Math.max(context.now, nextDeadline());
  }

  /**
   * Handles a received packet.
   *
   * @param from the address for answers: the datagram's sender, or the stream's other end
   * @param reliable whether the packet came over a stream
   */
  public List<SwimEffect> handle(NodeAddress from, SwimPacket packet, boolean reliable, long now) {
    begin(now);
    if (hasLeft()) return List.of();
    for (SwimMessage message : packet.messages()) dispatch(message, from, reliable);
    return end();
  }

  private void dispatch(SwimMessage message, NodeAddress from, boolean reliable) {
    switch (message) {
      case Ping m -> prober.onPing(m, from, reliable);
      case PingReq m -> prober.onPingReq(m, from);
      case Ack m -> {
        if (gracefulLeave == null || !gracefulLeave.onAck(m.sequence())) prober.onAck(m);
      }
      case Nack m -> prober.onNack(m, from);
      case Alive m -> transitions.onAlive(m.member(), from);
      case Suspect m -> {
        transitions.onSuspect(m);
        if (!reliable) transitions.correctStaleSuspicion(m, from);
      }
      case Dead m -> transitions.onDead(m);
      case Left m -> transitions.onLeft(m);
      case PushPullRequest m -> pushPull.onRequest(m, from);
      case PushPullResponse m -> {
        if (context.isSelf(m.source().id())) return;
        pushPull.onResponse(m, from);
        seedJoiner.onResponse(from, m.source());
      }
      case PushPullRows m -> pushPull.onRows(m, from);
      case MetadataRequest m -> metadataFetcher.onRequest(m, from);
      case MetadataResponse m -> metadataFetcher.onResponse(m);
    }
  }

  /** Does everything that is due. */
  public List<SwimEffect> tick(long now) {
    begin(now);
    if (hasLeft()) return List.of();
    context.timers.run(now);
    if (gracefulLeave == null) {
      if (now >= nextProbe) probeNext();
      pushPull.tick();
      seedJoiner.tick();
      deadMemberProber.tick();
    }
    dissemination.tick();
    if (now >= nextPrune) {
      transitions.tombstones().prune(context.table, context.config, now);
      nextPrune = now + TOMBSTONE_PRUNE_MILLIS;
    }
    return end();
  }

  /** The time of the next {@link #tick}; {@code Long.MAX_VALUE} once this node has left. */
  public long nextDeadline() {
    if (hasLeft()) return Long.MAX_VALUE;
    long next = Math.min(context.timers.deadline(), nextPrune);
    next = Math.min(next, dissemination.deadline());
    if (gracefulLeave != null) return next;
    next = Math.min(next, nextProbe);
    next = Math.min(next, pushPull.deadline());
    next = Math.min(next, seedJoiner.deadline());
    return Math.min(next, deadMemberProber.deadline());
  }

  private boolean hasLeft() {
    return gracefulLeave != null && gracefulLeave.isOver();
  }

  /** Publishes other metadata of this node. */
  public List<SwimEffect> updateMetadata(NodeMetadata metadata, long now) {
    begin(now);
    SwimMember self = context.self;
    if (gracefulLeave == null
        && !self.metadata().equals(metadata)
        && self.incarnation() < SwimMember.MAX_INCARNATION) {
      localMember.publish(self.withMetadata(metadata).withIncarnation(self.incarnation() + 1));
      dissemination.hasten();
    }
    return end();
  }

  /** Leaves gracefully; {@link SwimEffect.LeaveCompleted} reports the end. */
  public List<SwimEffect> leave(long now) {
    begin(now);
    if (gracefulLeave == null) {
      gracefulLeave = new GracefulLeave(context, localMember.startLeaving());
      gracefulLeave.pingWitnesses();
      dissemination.hasten();
    }
    return end();
  }

  /** Sets the driver's verdict on its own process; a sick node accuses no member. */
  public void setSick(boolean isSick, long now) {
    begin(now);
    context.health.setSick(isSick);
    expectedTick = Math.max(context.now, nextDeadline());
  }

  // ---- queries

  public SwimMember self() {
    return context.self;
  }

  /** The alive and suspect members, without this node. */
  public List<SwimMember> members() {
    List<SwimMember> members = new ArrayList<>(context.table.live());
    context.table.forEachLive(members::add);
    return members;
  }

  /** The number of alive and suspect members, this node included. */
  public int clusterSize() {
    return context.clusterSize();
  }

  /** The state of a member; empty for an unknown or forgotten name. */
  public Optional<MemberState> state(NodeId id) {
    return Optional.ofNullable(context.table.state(id));
  }

  /** The last known description of a live or gone member. */
  public Optional<SwimMember> find(NodeId id) {
    return Optional.ofNullable(context.table.find(id));
  }

  /** The local health score: 0 is healthy, 7 the worst. */
  public int healthScore() {
    return context.health.score();
  }

  /** A digest of the live view, this node included; equal views have equal digests. */
  public long viewDigest() {
    return context.table.digests(1)[0] ^ MemberTable.digest(context.self);
  }

  /** The number of updates that are still to be passed on. */
  public int pendingUpdates() {
    return context.updates.size();
  }

  /**
   * A sentence about the first invariant of this core that does not hold; empty when all hold. It
   * looks at every row, so it is for tests and simulations.
   */
  public Optional<String> violation() {
    return Optional.ofNullable(transitions.violation());
  }

  // ---- time

  private void begin(long now) {
    long late = now - expectedTick;
    context.now = Math.max(context.now, now);
    if (late > context.config.probeTimeout()) compensateForPause(late);
  }

  /** Lateness of what became due during this event counts from now on. */
  private List<SwimEffect> end() {
    expectedTick = Math.max(context.now, nextDeadline());
    return context.takeEffects();
  }

  /**
   * Extends all deadlines by a pause of this process, which was stopped, starved or collecting
   * garbage. Packets in its sockets are still unread, so no member is to blame for the silence.
   */
  private void compensateForPause(long late) {
    context.timers.postpone(late);
    nextProbe += late;
    pushPull.postpone(late);
    context.adjustHealth(1);
  }

  private void probeNext() {
    int interval = context.config.probeInterval(context.clusterSize());
    nextProbe = context.now + context.health.scale(interval);
    lastProbeOnRing = !lastProbeOnRing;
    SwimMember member =
        lastProbeOnRing ? context.table.nextOnRing() : context.table.nextInRound(context.random);
    if (member != null) prober.probe(member, null);
  }
}
