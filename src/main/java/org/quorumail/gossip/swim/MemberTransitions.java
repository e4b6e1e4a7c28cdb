package org.quorumail.gossip.swim;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.Suspect;

/**
 * The transitions of members' states, whatever the source of the news: gossip, an exchange of
 * views, an own probe. The only place that writes the table.
 */
final class MemberTransitions {
  /** A suspect that answers this node gets so many more minimal waits before others decide. */
  private static final int MAX_EXTENSIONS = 3;

  /** Nodes that only heard of a suspicion leave the verdict to its accusers for so much longer. */
  private static final int BYSTANDER_MARGIN_MILLIS = 2_000;

  /**
   * So many of those who hear of a suspicion probe the suspect out of turn. In a large cluster the
   * next probe by chance may be seconds away, and an unconfirmed suspicion is long.
   */
  private static final int WITNESSES = 6;

  /** Enough to say it once; the operator's log is no place for a repetition per packet. */
  private static final int MAX_CONFLICTS = 64;

  private final SwimContext context;
  private final LocalMember localMember;
  private final Map<NodeId, Suspicion> suspicions = new HashMap<>();
  private final Map<NodeId, NodeAddress> conflicts = new HashMap<>();
  private final Tombstones tombstones = new Tombstones();
  private FinalProbe finalProbe = (suspect, verdict) -> verdict.answered(false);
  private Listener listener = new Listener() {};

  /** Asks a suspect once more before it is held dead. */
  interface FinalProbe {
    void ask(SwimMember suspect, Verdict verdict);
  }

  /** Hears whether the suspect answered. */
  interface Verdict {
    void answered(boolean yes);
  }

  /** The parts that act on transitions. */
  interface Listener {
    default void onMemberReturned(SwimMember back) {}

    default void onMetadataMissing(SwimMember member, NodeAddress informant) {}

    default void onWitnessNeeded(SwimMember suspect) {}
  }

  MemberTransitions(SwimContext node, LocalMember ownWord) {
    this.context = node;
    this.localMember = ownWord;
  }

  void wire(FinalProbe probe, Listener hearer) {
    this.finalProbe = probe;
    this.listener = hearer;
  }

  Tombstones tombstones() {
    return tombstones;
  }

  /** The member, or somebody for it, says that it is there. */
  void onAlive(SwimMember said, NodeAddress informant) {
    if (said.id().equals(context.self.id())) {
      if (!said.address().equals(context.self.address()))
        reportConflict(context.self, said.address());
      else localMember.onOwnAlive(said);
      return;
    }
    SwimMember known = context.table.find(said.id());
    MemberState state = context.table.state(said.id());
    if (known == null || state == null) {
      addMember(said, informant);
      return;
    }
    if (state.isMember() && !known.address().equals(said.address())) {
      reportConflict(known, said.address());
      return;
    }
    if (!MemberState.ALIVE.supersedes(said.incarnation(), state, known.incarnation())) return;
    if (known.metadata().sameContent(said.metadata())) said = said.withMetadata(known.metadata());
    context.table.put(said, MemberState.ALIVE, context.random);
    context.updates.offer(new Alive(said));
    endSuspicion(said.id());
    emitAliveTransition(said, known, state);
    if (!said.metadata().isPresent()) listener.onMetadataMissing(said, informant);
  }

  private void addMember(SwimMember newcomer, NodeAddress informant) {
    if (context.table.rows() >= context.config.maxMembers()) return;
    context.table.put(newcomer, MemberState.ALIVE, context.random);
    context.updates.offer(new Alive(newcomer));
    context.emit(new SwimEffect.MemberUp(newcomer));
    if (!newcomer.metadata().isPresent()) listener.onMetadataMissing(newcomer, informant);
  }

  private void emitAliveTransition(SwimMember said, SwimMember known, MemberState before) {
    switch (before) {
      case DEAD, LEFT -> {
        context.emit(new SwimEffect.MemberUp(said));
        listener.onMemberReturned(said);
        return;
      }
      case SUSPECT -> context.emit(new SwimEffect.MemberTrusted(said));
      case ALIVE -> {}
    }
    if (!known.metadata().sameContent(said.metadata()))
      context.emit(new SwimEffect.MemberUpdated(said));
  }

  void onSuspect(Suspect said) {
    if (said.subject().equals(context.self.id())) {
      localMember.onAccusation(said.incarnation());
      return;
    }
    SwimMember known = context.table.find(said.subject());
    MemberState state = context.table.state(said.subject());
    if (known == null || state == null) return;
    if (state == MemberState.SUSPECT && said.incarnation() == known.incarnation()) {
      confirm(said);
    } else if (MemberState.SUSPECT.supersedes(said.incarnation(), state, known.incarnation())) {
      beginSuspicion(known.withIncarnation(said.incarnation()), said.accuser());
    }
  }

  /**
   * Somebody passes on doubts of a member that this node knows is gone: it may be the only one that
   * saw its return, and would wait alone for confirmations that never come.
   */
  void correctStaleSuspicion(Suspect said, NodeAddress informant) {
    SwimMember known = context.table.find(said.subject());
    MemberState state = context.table.state(said.subject());
    if (known == null || said.incarnation() > known.incarnation()) return;
    if (state == MemberState.DEAD) {
      context.send(informant, new Dead(known.id(), known.incarnation(), context.self.id()));
    } else if (state == MemberState.LEFT) {
      context.send(informant, new Left(known.id(), known.incarnation()));
    }
  }

  void onDead(Dead said) {
    if (said.subject().equals(context.self.id())) {
      localMember.onAccusation(said.incarnation());
      return;
    }
    boolean isNews = markGone(said.subject(), said.incarnation(), MemberState.DEAD);
    if (isNews) context.updates.offer(said);
  }

  void onLeft(Left said) {
    if (said.subject().equals(context.self.id())) {
      localMember.onAccusation(said.incarnation());
      return;
    }
    boolean isNews = markGone(said.subject(), said.incarnation(), MemberState.LEFT);
    if (isNews) context.updates.offer(said);
  }

  /** Whether this statement is news of the member. */
  private boolean markGone(NodeId id, long incarnation, MemberState as) {
    SwimMember known = context.table.find(id);
    MemberState state = context.table.state(id);
    if (known == null || state == null) return false;
    if (!as.supersedes(incarnation, state, known.incarnation())) return false;
    SwimMember gone = known.withIncarnation(incarnation);
    context.table.put(gone, as, context.random);
    endSuspicion(id);
    if (state.isMember()) {
      tombstones.add(id, context.now);
      context.emit(
          as == MemberState.LEFT
              ? new SwimEffect.MemberLeft(gone)
              : new SwimEffect.MemberDown(gone));
    }
    return true;
  }

  // ---- suspicion

  /** An own probe found nobody. */
  void onProbeFailed(NodeId id) {
    SwimMember known = context.table.find(id);
    MemberState state = context.table.state(id);
    if (known == null || state == null || !state.isMember() || !context.health.mayAccuse()) return;
    onSuspect(new Suspect(id, known.incarnation(), context.self.id()));
    Suspicion suspicion = suspicions.get(id);
    if (suspicion != null && !suspicion.isFirstHand()) {
      suspicion.markFirstHand();
      scheduleExpiry(id, suspicion);
    }
  }

  @Nullable Suspect accusationOf(SwimMember member) {
    if (!suspicions.containsKey(member.id())) return null;
    return new Suspect(member.id(), member.incarnation(), context.self.id());
  }

  private void beginSuspicion(SwimMember suspect, NodeId accuser) {
    endSuspicion(suspect.id());
    int members = context.clusterSize();
    int wanted = Math.clamp(members - 2, 0, context.config.suspicionConfirmations());
    Suspicion suspicion =
        new Suspicion(
            accuser,
            context.now,
            context.config.suspicionMin(members),
            context.config.suspicionMaxFactor(),
            wanted);
    if (accuser.equals(context.self.id())) suspicion.markFirstHand();
    context.table.put(suspect, MemberState.SUSPECT, context.random);
    suspicions.put(suspect.id(), suspicion);
    context.updates.offer(new Suspect(suspect.id(), suspect.incarnation(), accuser));
    context.emit(new SwimEffect.MemberSuspect(suspect));
    scheduleExpiry(suspect.id(), suspicion);
    if (!suspicion.isFirstHand() && context.random.nextInt(members) < WITNESSES) {
      listener.onWitnessNeeded(suspect);
    }
  }

  private void confirm(Suspect said) {
    Suspicion suspicion = suspicions.get(said.subject());
    if (suspicion == null || !suspicion.confirm(said.accuser())) return;
    context.updates.offer(said);
    scheduleExpiry(said.subject(), suspicion);
  }

  private void scheduleExpiry(NodeId id, Suspicion suspicion) {
    long at =
        suspicion.isFirstHand()
            ? suspicion.expiry() - context.config.probeWindow()
            : suspicion.expiry() + BYSTANDER_MARGIN_MILLIS;
    scheduleExpiryAt(at, id, suspicion);
  }

  private void scheduleExpiryAt(long at, NodeId id, Suspicion suspicion) {
    if (suspicion.expiryTimer != null) context.timers.cancel(suspicion.expiryTimer);
    suspicion.expiryTimer =
        context.timers.set(Math.max(at, context.now), () -> onSuspicionExpired(id, suspicion));
  }

  private void onSuspicionExpired(NodeId id, Suspicion suspicion) {
    SwimMember suspect = context.table.find(id);
    if (suspect == null || suspicions.get(id) != suspicion) return;
    if (!suspicion.isFirstHand()) {
      declareDead(suspect, suspicion);
      return;
    }
    finalProbe.ask(
        suspect,
        answered -> {
          if (suspicions.get(id) != suspicion) return;
          if (answered && suspicion.extend() <= MAX_EXTENSIONS) extendSuspicion(id, suspicion);
          else declareDead(suspect, suspicion);
        });
  }

  /** It lives for this node: it has heard the accusation just now and will refute it. */
  private void extendSuspicion(NodeId id, Suspicion suspicion) {
    scheduleExpiryAt(
        context.now + context.config.suspicionMin(context.clusterSize()), id, suspicion);
  }

  private void declareDead(SwimMember suspect, Suspicion suspicion) {
    if (!context.health.mayAccuse()) {
      extendSuspicion(suspect.id(), suspicion);
      return;
    }
    onDead(new Dead(suspect.id(), suspect.incarnation(), context.self.id()));
  }

  private void endSuspicion(NodeId id) {
    Suspicion ended = suspicions.remove(id);
    if (ended != null && ended.expiryTimer != null) context.timers.cancel(ended.expiryTimer);
  }

  /** A member's long metadata has come. */
  void completeMetadata(NodeId id, NodeMetadata meta) {
    SwimMember known = context.table.find(id);
    MemberState state = context.table.state(id);
    if (known == null || state == null || known.metadata().isPresent()) return;
    if (!meta.sameContent(known.metadata())) return;
    SwimMember complete = known.withMetadata(meta);
    context.table.put(complete, state, context.random);
    if (state.isMember()) context.emit(new SwimEffect.MemberUpdated(complete));
  }

  private void reportConflict(SwimMember known, NodeAddress claimed) {
    if (claimed.equals(conflicts.get(known.id()))) return;
    if (conflicts.size() >= MAX_CONFLICTS) conflicts.clear();
    conflicts.put(known.id(), claimed);
    context.emit(new SwimEffect.Conflict(known, claimed));
  }
}
