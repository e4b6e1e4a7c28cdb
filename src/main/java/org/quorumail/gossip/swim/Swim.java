package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
 * Who is there: SWIM with Lifeguard, as a state machine for one owner thread. Every method is an
 * event and returns what to do, in order; {@code now} is in milliseconds and never goes back; at
 * {@link #nextDeadline} the driver calls {@link #tick}, or a little later.
 *
 * <p>Legal transitions of a member, i and j incarnations:
 *
 * <pre>
 *   unknown      → alive@i               its own word, passed on
 *   alive@i      → alive@j, j &gt; i        it published something, or refuted unheard
 *   alive@i      → suspect@j, j &gt;= i     a probe failed: direct, through helpers, over a stream
 *   suspect@i    → alive@j, j &gt; i        it refuted; nobody else can raise its incarnation
 *   suspect@i    → dead@i                the suspicion ran out and the last question too
 *   alive|suspect@i → dead@j, j &gt;= i     another decided so
 *   alive|suspect|dead@i → left@j, j &gt;= i   its own good-bye
 *   dead|left@i  → alive@j, j &gt; i        it came back, or was never gone
 *   dead|left    → unknown               the tombstone expired
 * </pre>
 *
 * <p>Nothing else: of two statements the one with the higher incarnation counts, at equal height
 * the later of alive, suspect, dead, left ({@link MemberState}). A member that is there stays at
 * its address: the same name from elsewhere is a conflict, told once, and changes nothing.
 *
 * <p>Where this goes beyond memberlist: every second probe goes to the next member on a ring, the
 * others to all in shuffled rounds, so that a death waits two intervals for its first probe, unless
 * that neighbour is gone too, and not as long as chance has it; a probe repeats its datagrams
 * before it fails; a suspicion calls a few witnesses, which probe out of turn; the accusers ask the
 * suspect once more before they hold it dead; views are compared by digests; a death known from
 * hearsay alone is checked with the member; the dead are tried again, faster while that finds some
 * alive; a process that overslept its deadlines forgives everybody the time.
 */
public final class Swim {
  private static final int TOMBSTONE_PRUNE_MILLIS = 60_000;

  private final SwimContext context;
  private final LocalMember localMember;
  private final MemberTransitions transitions;
  private final Prober prober;
  private final PushPull pushPull;
  private final DeadMemberProber deadMemberProber;
  private final MetadataFetcher metadataFetcher;
  private final Dissemination dissemination;

  private long nextProbe;

  /** Whether the last probe went to the next on the ring rather than to whose turn it was. */
  private boolean lastProbeOnRing;

  private long nextPrune;

  /** The driver was to call by then. */
  private long expectedTick;

  private @Nullable GracefulLeave gracefulLeave;

  /** Alone until {@link #join}ed or called upon. The first tick is due within a probe interval. */
  public Swim(SwimConfig config, SwimMember self, RandomGenerator random, long now) {
    this.context = new SwimContext(config, self, random, now);
    this.dissemination = new Dissemination(context);
    this.localMember = new LocalMember(context, dissemination::hasten);
    this.transitions = new MemberTransitions(context, localMember);
    this.prober = new Prober(context, transitions, localMember);
    this.pushPull = new PushPull(context, transitions, prober);
    this.deadMemberProber = new DeadMemberProber(context, transitions, prober, pushPull);
    this.metadataFetcher = new MetadataFetcher(context, transitions);
    transitions.wire(
        (suspect, verdict) ->
            prober.probeDirectly(suspect, config.probeWindow(), verdict::answered),
        new MemberTransitions.Listener() {
          @Override
          public void onMemberReturned(SwimMember back) {
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
        });
    nextProbe = now + random.nextInt(config.probeInterval());
    nextPrune = now + TOMBSTONE_PRUNE_MILLIS;
    expectedTick = nextDeadline();
  }

  // ---- events

  /**
   * Names the addresses to start from; replaces an earlier list (names are resolved again by the
   * driver). The own address may be among them.
   */
  public List<SwimEffect> join(Collection<NodeAddress> seeds, long now) {
    begin(now);
    deadMemberProber.seeds(seeds);
    deadMemberProber.tick();
    return end();
  }

  /**
   * Takes members as known, without asking: a stored peer list, or a simulation that starts warm.
   * They are probed like all others.
   */
  public void addKnownMembers(Collection<SwimMember> members, long now) {
    begin(now);
    for (SwimMember member : members) {
      if (member.id().equals(context.self.id()) || context.table.find(member.id()) != null)
        continue;
      if (context.table.rows() >= context.config.maxMembers()) return;
      context.table.put(member, MemberState.ALIVE, context.random);
    }
    expectedTick = Math.max(context.now, nextDeadline());
  }

  /**
   * A packet has come.
   *
   * @param from where answers go: the datagram's sender, or the stream's other end
   * @param reliable it came by a stream
   */
  public List<SwimEffect> handle(NodeAddress from, SwimPacket packet, boolean reliable, long now) {
    begin(now);
    if (gracefulLeave != null && gracefulLeave.isOver()) return List.of();
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
        if (m.source().id().equals(context.self.id())) return;
        pushPull.onResponse(m, from);
        deadMemberProber.answered(from, m.source());
      }
      case PushPullRows m -> pushPull.rows(m, from);
      case MetadataRequest m -> metadataFetcher.onRequest(m, from);
      case MetadataResponse m -> metadataFetcher.onResponse(m);
    }
  }

  /** Does what is due. */
  public List<SwimEffect> tick(long now) {
    begin(now);
    if (gracefulLeave != null && gracefulLeave.isOver()) return List.of();
    context.timers.run(now);
    if (gracefulLeave == null) {
      if (now >= nextProbe) probeNext();
      pushPull.tick();
      deadMemberProber.tick();
    }
    dissemination.tick();
    if (now >= nextPrune) {
      transitions.tombstones().prune(context.table, context.config, now);
      nextPrune = now + TOMBSTONE_PRUNE_MILLIS;
    }
    return end();
  }

  /** When something is due next; far in the future once this node has left. */
  public long nextDeadline() {
    if (gracefulLeave != null && gracefulLeave.isOver()) return Long.MAX_VALUE;
    long next = Math.min(context.timers.deadline(), nextPrune);
    next = Math.min(next, dissemination.deadline());
    if (gracefulLeave != null) return next;
    next = Math.min(next, nextProbe);
    next = Math.min(next, pushPull.deadline());
    return Math.min(next, deadMemberProber.deadline());
  }

  /** Publishes other metadata of this node. */
  public List<SwimEffect> updateMetadata(NodeMetadata meta, long now) {
    begin(now);
    SwimMember self = context.self;
    if (gracefulLeave == null
        && !self.metadata().equals(meta)
        && self.incarnation() < SwimMember.MAX_INCARNATION) {
      localMember.publish(self.withMetadata(meta).withIncarnation(self.incarnation() + 1));
      dissemination.hasten();
    }
    return end();
  }

  /** Says good-bye; done with {@link SwimEffect.LeaveCompleted}. */
  public List<SwimEffect> leave(long now) {
    begin(now);
    if (gracefulLeave == null) {
      gracefulLeave = new GracefulLeave(context, localMember.startLeaving());
      gracefulLeave.pingWitnesses();
      dissemination.hasten();
    }
    return end();
  }

  /** The driver's verdict on itself; while it is sick, this node accuses nobody. */
  public void setSick(boolean isSick, long now) {
    begin(now);
    context.health.setSick(isSick);
    expectedTick = Math.max(context.now, nextDeadline());
  }

  // ---- questions

  public SwimMember self() {
    return context.self;
  }

  /** Alive and suspect members, without this node. */
  public List<SwimMember> members() {
    List<SwimMember> members = new ArrayList<>(context.table.live());
    context.table.forEachLive(members::add);
    return members;
  }

  /** Alive and suspect members and this node. */
  public int clusterSize() {
    return context.clusterSize();
  }

  /** Empty for a name never heard, or forgotten. */
  public Optional<MemberState> state(NodeId id) {
    return Optional.ofNullable(context.table.state(id));
  }

  /** A member or one that is gone, as it was last known. */
  public Optional<SwimMember> find(NodeId id) {
    return Optional.ofNullable(context.table.find(id));
  }

  /** 0 is well, 7 as bad as it gets. */
  public int healthScore() {
    return context.health.score();
  }

  /** A digest of the live view, this node included: equal views have equal digests. */
  public long viewDigest() {
    return context.table.digests(1)[0] ^ MemberTable.digest(context.self);
  }

  /** Updates that still wait to be passed on. */
  public int pendingUpdates() {
    return context.updates.size();
  }

  // ---- time

  private void begin(long now) {
    long late = now - expectedTick;
    context.now = Math.max(context.now, now);
    if (late > context.config.probeTimeout()) compensateForPause(late);
  }

  /** What became due during this event counts from now on. */
  private List<SwimEffect> end() {
    expectedTick = Math.max(context.now, nextDeadline());
    return context.takeEffects();
  }

  /**
   * This process stood still: stopped, starved or collecting garbage. What waits in its sockets has
   * not been read yet, so nobody else is to blame for the silence.
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
