package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.SwimMessage.Ack;
import org.quorumail.gossip.SwimMessage.Alive;
import org.quorumail.gossip.SwimMessage.Dead;
import org.quorumail.gossip.SwimMessage.Left;
import org.quorumail.gossip.SwimMessage.MetaReply;
import org.quorumail.gossip.SwimMessage.MetaRequest;
import org.quorumail.gossip.SwimMessage.Nack;
import org.quorumail.gossip.SwimMessage.Ping;
import org.quorumail.gossip.SwimMessage.PingReq;
import org.quorumail.gossip.SwimMessage.PushPullRequest;
import org.quorumail.gossip.SwimMessage.PushPullResponse;
import org.quorumail.gossip.SwimMessage.PushPullRows;
import org.quorumail.gossip.SwimMessage.Suspect;

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
  private static final int PRUNE_MILLIS = 60_000;

  private final SwimNode node;
  private final OwnWord ownWord;
  private final Views views;
  private final Probing probing;
  private final ViewExchange exchange;
  private final Revival revival;
  private final MetaPulls metaPulls;
  private final Dissemination dissemination;

  private long nextProbe;

  /** Whether the last probe went to the next on the ring rather than to whose turn it was. */
  private boolean watches;

  private long nextPrune;

  /** The driver was to call by then. */
  private long promised;

  private @Nullable Farewell farewell;

  /** Alone until {@link #join}ed or called upon. The first tick is due within a probe interval. */
  public Swim(SwimConfig config, Node self, RandomGenerator random, long now) {
    this.node = new SwimNode(config, self, random, now);
    this.dissemination = new Dissemination(node);
    this.ownWord = new OwnWord(node, dissemination::hasten);
    this.views = new Views(node, ownWord);
    this.probing = new Probing(node, views, ownWord);
    this.exchange = new ViewExchange(node, views, probing);
    this.revival = new Revival(node, views, probing, exchange);
    this.metaPulls = new MetaPulls(node, views);
    views.wire(
        (suspect, verdict) -> probing.ask(suspect, config.probeWindow(), verdict::answered),
        new Views.Listener() {
          @Override
          public void resurrected(Node back) {
            revival.resurrected();
          }

          @Override
          public void metadataIsElsewhere(Node member, Address informant) {
            metaPulls.want(member, informant);
          }

          @Override
          public void witnessWanted(Node suspect) {
            if (farewell == null) probing.probe(suspect, null);
          }
        });
    nextProbe = now + random.nextInt(config.probeInterval());
    nextPrune = now + PRUNE_MILLIS;
    promised = nextDeadline();
  }

  // ---- events

  /**
   * Names the addresses to start from; replaces an earlier list (names are resolved again by the
   * driver). The own address may be among them.
   */
  public List<SwimEffect> join(Collection<Address> seeds, long now) {
    begin(now);
    revival.seeds(seeds);
    revival.tick();
    return end();
  }

  /**
   * Takes members as known, without asking: a stored peer list, or a simulation that starts warm.
   * They are probed like all others.
   */
  public void assume(Collection<Node> members, long now) {
    begin(now);
    for (Node member : members) {
      if (member.id().equals(node.self.id()) || node.table.find(member.id()) != null) continue;
      if (node.table.rows() >= node.config.maxMembers()) return;
      node.table.put(member, MemberState.ALIVE, node.random);
    }
    promised = Math.max(node.now, nextDeadline());
  }

  /**
   * A packet has come.
   *
   * @param from where answers go: the datagram's sender, or the stream's other end
   * @param reliable it came by a stream
   */
  public List<SwimEffect> handle(Address from, SwimPacket packet, boolean reliable, long now) {
    begin(now);
    if (farewell != null && farewell.isOver()) return List.of();
    for (SwimMessage message : packet.messages()) dispatch(message, from, reliable);
    return end();
  }

  private void dispatch(SwimMessage message, Address from, boolean reliable) {
    switch (message) {
      case Ping m -> probing.ping(m, from, reliable);
      case PingReq m -> probing.pingReq(m, from);
      case Ack m -> {
        if (farewell == null || !farewell.ack(m.sequence())) probing.ack(m);
      }
      case Nack m -> probing.nack(m, from);
      case Alive m -> views.alive(m.node(), from);
      case Suspect m -> {
        views.suspect(m);
        if (!reliable) views.doubted(m, from);
      }
      case Dead m -> views.dead(m);
      case Left m -> views.left(m);
      case PushPullRequest m -> exchange.request(m, from);
      case PushPullResponse m -> {
        if (m.source().id().equals(node.self.id())) return;
        exchange.response(m, from);
        revival.answered(from, m.source());
      }
      case PushPullRows m -> exchange.rows(m, from);
      case MetaRequest m -> metaPulls.request(m, from);
      case MetaReply m -> metaPulls.reply(m);
    }
  }

  /** Does what is due. */
  public List<SwimEffect> tick(long now) {
    begin(now);
    if (farewell != null && farewell.isOver()) return List.of();
    node.timers.run(now);
    if (farewell == null) {
      if (now >= nextProbe) probeNext();
      exchange.tick();
      revival.tick();
    }
    dissemination.tick();
    if (now >= nextPrune) {
      views.tombstones().prune(node.table, node.config, now);
      nextPrune = now + PRUNE_MILLIS;
    }
    return end();
  }

  /** When something is due next; far in the future once this node has left. */
  public long nextDeadline() {
    if (farewell != null && farewell.isOver()) return Long.MAX_VALUE;
    long next = Math.min(node.timers.next(), nextPrune);
    next = Math.min(next, dissemination.next());
    if (farewell != null) return next;
    next = Math.min(next, nextProbe);
    next = Math.min(next, exchange.next());
    return Math.min(next, revival.next());
  }

  /** Publishes other metadata of this node. */
  public List<SwimEffect> updateMeta(Meta meta, long now) {
    begin(now);
    Node self = node.self;
    if (farewell == null
        && !self.meta().equals(meta)
        && self.incarnation() < Node.MAX_INCARNATION) {
      ownWord.announce(self.withMeta(meta).withIncarnation(self.incarnation() + 1));
      dissemination.hasten();
    }
    return end();
  }

  /** Says good-bye; done with {@link SwimEffect.LeaveCompleted}. */
  public List<SwimEffect> leave(long now) {
    begin(now);
    if (farewell == null) {
      farewell = new Farewell(node, ownWord.sayGoodbye());
      farewell.ask();
      dissemination.hasten();
    }
    return end();
  }

  /** The driver's verdict on itself; while it is sick, this node accuses nobody. */
  public void sick(boolean isSick, long now) {
    begin(now);
    node.health.declare(isSick);
    promised = Math.max(node.now, nextDeadline());
  }

  // ---- questions

  public Node self() {
    return node.self;
  }

  /** Alive and suspect members, without this node. */
  public List<Node> members() {
    List<Node> members = new ArrayList<>(node.table.live());
    node.table.forEachLive(members::add);
    return members;
  }

  /** Alive and suspect members and this node. */
  public int clusterSize() {
    return node.clusterSize();
  }

  /** Empty for a name never heard, or forgotten. */
  public Optional<MemberState> state(NodeId id) {
    return Optional.ofNullable(node.table.state(id));
  }

  /** A member or one that is gone, as it was last known. */
  public Optional<Node> find(NodeId id) {
    return Optional.ofNullable(node.table.find(id));
  }

  /** 0 is well, 7 as bad as it gets. */
  public int healthScore() {
    return node.health.score();
  }

  /** A digest of the live view, this node included: equal views have equal digests. */
  public long viewDigest() {
    return node.table.digests(1)[0] ^ MemberTable.digest(node.self);
  }

  /** Updates that still wait to be passed on. */
  public int pendingUpdates() {
    return node.updates.size();
  }

  // ---- time

  private void begin(long now) {
    long late = now - promised;
    node.now = Math.max(node.now, now);
    if (late > node.config.probeTimeout()) overslept(late);
  }

  /** What became due during this event counts from now on. */
  private List<SwimEffect> end() {
    promised = Math.max(node.now, nextDeadline());
    return node.takeEffects();
  }

  /**
   * This process stood still: stopped, starved or collecting garbage. What waits in its sockets has
   * not been read yet, so nobody else is to blame for the silence.
   */
  private void overslept(long late) {
    node.timers.postpone(late);
    nextProbe += late;
    exchange.postpone(late);
    node.scoreHealth(1);
  }

  private void probeNext() {
    int interval = node.config.probeInterval(node.clusterSize());
    nextProbe = node.now + node.health.times(interval);
    watches = !watches;
    Node member = watches ? node.table.nextOnRing() : node.table.nextInRound(node.random);
    if (member != null) probing.probe(member, null);
  }
}
