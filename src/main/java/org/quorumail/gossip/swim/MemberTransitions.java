package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.Suspect;
import org.quorumail.gossip.swim.SwimMessage.Update;

/**
 * The transitions of members' states, whatever their source: gossip, push/pull, an own probe. The
 * legal ones are listed at {@link Swim}. Only this class writes the table.
 */
final class MemberTransitions {
  /** A suspect that answers this node gets this many more minimal waits before it is dead. */
  private static final int MAX_EXTENSIONS = 3;

  /** A bystander, which only received the suspicion, leaves the accusers this much more time. */
  private static final int BYSTANDER_MARGIN_MILLIS = 2_000;

  /**
   * About this many of the bystanders probe the suspect out of turn. In a large cluster the next
   * regular probe may be seconds away, and an unconfirmed suspicion is long.
   */
  private static final int WITNESSES = 6;

  /** Conflicts remembered, so that each is reported once and not per packet. */
  private static final int MAX_CONFLICTS = 64;

  private final SwimContext context;
  private final LocalMember localMember;
  private final Listener listener;
  private final Map<NodeId, Suspicion> suspicions = new HashMap<>();
  private final Map<NodeId, NodeAddress> conflicts = new HashMap<>();
  private final Tombstones tombstones = new Tombstones();

  /** The parts that act on transitions. */
  interface Listener {
    /** A dead or left member is alive again. */
    void onMemberReturned();

    /** A member's metadata is too long for gossip and has to be fetched. */
    void onMetadataMissing(SwimMember member, NodeAddress informant);

    /** This bystander was drawn as a witness. */
    void onWitnessNeeded(SwimMember suspect);

    /** The suspicion expires: probe the suspect once more. The result says whether it answered. */
    void onFinalProbeNeeded(SwimMember suspect, Consumer<Boolean> result);
  }

  MemberTransitions(SwimContext context, LocalMember localMember, Listener listener) {
    this.context = context;
    this.localMember = localMember;
    this.listener = listener;
  }

  Tombstones tombstones() {
    return tombstones;
  }

  /** Adds a member without asking it, unless it is known or the table is full. */
  void addKnown(SwimMember member) {
    if (context.isSelf(member.id()) || context.table.find(member.id()) != null || isFull()) return;
    put(member, MemberState.ALIVE);
  }

  private boolean isFull() {
    return context.table.rows() >= context.config.maxMembers();
  }

  private void put(SwimMember member, MemberState state) {
    if (context.isSelf(member.id())) {
      throw new IllegalStateException("a node is no member of its own view: " + member.id());
    }
    SwimMember known = context.table.find(member.id());
    if (known != null && member.incarnation() < known.incarnation()) {
      throw new IllegalStateException(
          "the incarnation of a member only grows: " + member + " after " + known);
    }
    context.table.put(member, state, context.random);
  }

  /**
   * The member states that it is alive.
   *
   * @param informant the sender of the message, which may pass it on for the member
   */
  void onAlive(SwimMember received, NodeAddress informant) {
    if (context.isSelf(received.id())) {
      if (received.address().equals(context.self.address())) localMember.onOwnAlive(received);
      else reportConflict(context.self, received.address());
      return;
    }
    SwimMember known = context.table.find(received.id());
    MemberState state = context.table.state(received.id());
    if (known == null || state == null) {
      addMember(received, informant);
      return;
    }
    if (state.isMember() && !known.address().equals(received.address())) {
      reportConflict(known, received.address());
      return;
    }
    if (!MemberState.ALIVE.supersedes(received.incarnation(), state, known.incarnation())) return;
    SwimMember member =
        known.metadata().sameContent(received.metadata())
            ? received.withMetadata(known.metadata())
            : received;
    put(member, MemberState.ALIVE);
    context.updates.offer(new Alive(member));
    endSuspicion(member.id());
    emitAliveTransition(member, known, state);
    if (!member.metadata().isPresent()) listener.onMetadataMissing(member, informant);
  }

  private void addMember(SwimMember newcomer, NodeAddress informant) {
    if (isFull()) return;
    put(newcomer, MemberState.ALIVE);
    context.updates.offer(new Alive(newcomer));
    context.emit(new SwimEffect.MemberUp(newcomer));
    if (!newcomer.metadata().isPresent()) listener.onMetadataMissing(newcomer, informant);
  }

  private void emitAliveTransition(SwimMember member, SwimMember known, MemberState before) {
    switch (before) {
      case DEAD, LEFT -> {
        context.emit(new SwimEffect.MemberUp(member));
        listener.onMemberReturned();
        return;
      }
      case SUSPECT -> context.emit(new SwimEffect.MemberTrusted(member));
      case ALIVE -> {}
    }
    if (!known.metadata().sameContent(member.metadata())) {
      context.emit(new SwimEffect.MemberUpdated(member));
    }
  }

  void onSuspect(Suspect update) {
    if (context.isSelf(update.subject())) {
      localMember.onAccusation(update.incarnation());
      return;
    }
    SwimMember known = context.table.find(update.subject());
    MemberState state = context.table.state(update.subject());
    if (known == null || state == null) return;
    if (state == MemberState.SUSPECT && update.incarnation() == known.incarnation()) {
      confirm(update);
    } else if (MemberState.SUSPECT.supersedes(update.incarnation(), state, known.incarnation())) {
      beginSuspicion(known.withIncarnation(update.incarnation()), update.accuser());
    }
  }

  /**
   * Answers a suspicion of a member that this node knows to be gone. The accuser may be the only
   * node that saw its return, and would wait alone for confirmations that never come.
   */
  void correctStaleSuspicion(Suspect update, NodeAddress informant) {
    SwimMember known = context.table.find(update.subject());
    MemberState state = context.table.state(update.subject());
    if (known == null || update.incarnation() > known.incarnation()) return;
    if (state == MemberState.DEAD) {
      context.send(informant, new Dead(known.id(), known.incarnation(), context.self.id()));
    } else if (state == MemberState.LEFT) {
      context.send(informant, new Left(known.id(), known.incarnation()));
    }
  }

  void onDead(Dead update) {
    onGone(update);
  }

  void onLeft(Left update) {
    onGone(update);
  }

  private void onGone(Update update) {
    if (context.isSelf(update.subject())) {
      localMember.onAccusation(update.incarnation());
      return;
    }
    SwimMember known = context.table.find(update.subject());
    MemberState before = context.table.state(update.subject());
    if (known == null || before == null) return;
    if (!update.state().supersedes(update.incarnation(), before, known.incarnation())) return;
    SwimMember gone = known.withIncarnation(update.incarnation());
    put(gone, update.state());
    endSuspicion(gone.id());
    context.updates.offer(update);
    if (!before.isMember()) return;
    tombstones.add(gone.id(), context.now);
    context.emit(
        update.state() == MemberState.LEFT
            ? new SwimEffect.MemberLeft(gone)
            : new SwimEffect.MemberDown(gone));
  }

  // ---- suspicion

  /** An own probe failed: this node becomes an accuser, unless it is sick. */
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
    if (context.isSelf(accuser)) suspicion.markFirstHand();
    put(suspect, MemberState.SUSPECT);
    suspicions.put(suspect.id(), suspicion);
    context.updates.offer(new Suspect(suspect.id(), suspect.incarnation(), accuser));
    context.emit(new SwimEffect.MemberSuspect(suspect));
    scheduleExpiry(suspect.id(), suspicion);
    if (!suspicion.isFirstHand() && context.random.nextInt(members) < WITNESSES) {
      listener.onWitnessNeeded(suspect);
    }
  }

  private void confirm(Suspect update) {
    Suspicion suspicion = suspicions.get(update.subject());
    if (suspicion == null || !suspicion.confirm(update.accuser())) return;
    context.updates.offer(update);
    scheduleExpiry(update.subject(), suspicion);
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
    listener.onFinalProbeNeeded(
        suspect,
        answered -> {
          if (suspicions.get(id) != suspicion) return;
          if (answered && suspicion.extend() <= MAX_EXTENSIONS) extendSuspicion(id, suspicion);
          else declareDead(suspect, suspicion);
        });
  }

  /** The suspect answered this node, so it has received the accusation and will refute it. */
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

  /** A member's long metadata was fetched. */
  void completeMetadata(NodeId id, NodeMetadata metadata) {
    SwimMember known = context.table.find(id);
    MemberState state = context.table.state(id);
    if (known == null || state == null || known.metadata().isPresent()) return;
    if (!metadata.sameContent(known.metadata())) return;
    SwimMember complete = known.withMetadata(metadata);
    put(complete, state);
    if (state.isMember()) context.emit(new SwimEffect.MemberUpdated(complete));
  }

  private void reportConflict(SwimMember known, NodeAddress claimed) {
    if (claimed.equals(conflicts.get(known.id()))) return;
    if (conflicts.size() >= MAX_CONFLICTS) conflicts.clear();
    conflicts.put(known.id(), claimed);
    context.emit(new SwimEffect.Conflict(known, claimed));
  }

  // ---- invariants

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    String inTable = context.table.violation();
    if (inTable != null) return inTable;
    if (context.table.find(context.self.id()) != null) return "a node lists itself";
    Set<NodeId> gone = tombstones.ids();
    Set<NodeId> suspects = new HashSet<>();
    List<String> found = new ArrayList<>();
    context.table.forEach(
        (member, state) -> {
          if (state == MemberState.SUSPECT) suspects.add(member.id());
          if (!state.isMember() && !gone.contains(member.id())) {
            found.add(member.id() + " is " + state + " without a tombstone");
          }
        });
    if (!suspects.equals(suspicions.keySet())) {
      found.add("suspects " + suspects + " with suspicions of " + suspicions.keySet());
    }
    return found.isEmpty() ? null : found.getFirst();
  }
}
