package org.quorumail.gossip;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.SwimMessage.Alive;
import org.quorumail.gossip.SwimMessage.Dead;
import org.quorumail.gossip.SwimMessage.Left;
import org.quorumail.gossip.SwimMessage.Suspect;

/**
 * The transitions of members' states, whatever the source of the news: gossip, an exchange of
 * views, an own probe. The only place that writes the table.
 */
final class Views {
  /** A suspect that answers this node gets so many more minimal waits before others decide. */
  private static final int MAX_HOLDS = 3;

  /** Nodes that only heard of a suspicion leave the verdict to its accusers for so much longer. */
  private static final int BYSTANDER_MARGIN_MILLIS = 2_000;

  /**
   * So many of those who hear of a suspicion probe the suspect out of turn. In a large cluster the
   * next probe by chance may be seconds away, and an unconfirmed suspicion is long.
   */
  private static final int WITNESSES = 6;

  /** Enough to say it once; the operator's log is no place for a repetition per packet. */
  private static final int MAX_CONFLICTS = 64;

  private final SwimNode node;
  private final OwnWord ownWord;
  private final Map<NodeId, Suspicion> suspicions = new HashMap<>();
  private final Map<NodeId, Address> conflicts = new HashMap<>();
  private final Tombstones tombstones = new Tombstones();
  private FinalProbe finalProbe = (suspect, verdict) -> verdict.answered(false);
  private Listener listener = new Listener() {};

  /** Asks a suspect once more before it is held dead. */
  interface FinalProbe {
    void ask(Node suspect, Verdict verdict);
  }

  /** Hears whether the suspect answered. */
  interface Verdict {
    void answered(boolean yes);
  }

  /** The parts that act on transitions. */
  interface Listener {
    default void resurrected(Node back) {}

    default void metadataIsElsewhere(Node member, Address informant) {}

    default void witnessWanted(Node suspect) {}
  }

  Views(SwimNode node, OwnWord ownWord) {
    this.node = node;
    this.ownWord = ownWord;
  }

  void wire(FinalProbe probe, Listener hearer) {
    this.finalProbe = probe;
    this.listener = hearer;
  }

  Tombstones tombstones() {
    return tombstones;
  }

  /** The member, or somebody for it, says that it is there. */
  void alive(Node said, Address informant) {
    if (said.id().equals(node.self.id())) {
      if (!said.address().equals(node.self.address())) conflict(node.self, said.address());
      else ownWord.heard(said);
      return;
    }
    Node known = node.table.find(said.id());
    MemberState state = node.table.state(said.id());
    if (known == null || state == null) {
      welcome(said, informant);
      return;
    }
    if (state.isMember() && !known.address().equals(said.address())) {
      conflict(known, said.address());
      return;
    }
    if (!MemberState.ALIVE.supersedes(said.incarnation(), state, known.incarnation())) return;
    if (known.meta().sameContent(said.meta())) said = said.withMeta(known.meta());
    node.table.put(said, MemberState.ALIVE, node.random);
    node.updates.offer(new Alive(said));
    endSuspicion(said.id());
    tellOfReturn(said, known, state);
    if (!said.meta().isPresent()) listener.metadataIsElsewhere(said, informant);
  }

  private void welcome(Node newcomer, Address informant) {
    if (node.table.rows() >= node.config.maxMembers()) return;
    node.table.put(newcomer, MemberState.ALIVE, node.random);
    node.updates.offer(new Alive(newcomer));
    node.effect(new SwimEffect.MemberUp(newcomer));
    if (!newcomer.meta().isPresent()) listener.metadataIsElsewhere(newcomer, informant);
  }

  private void tellOfReturn(Node said, Node known, MemberState before) {
    switch (before) {
      case DEAD, LEFT -> {
        node.effect(new SwimEffect.MemberUp(said));
        listener.resurrected(said);
        return;
      }
      case SUSPECT -> node.effect(new SwimEffect.MemberTrusted(said));
      case ALIVE -> {}
    }
    if (!known.meta().sameContent(said.meta())) node.effect(new SwimEffect.MemberUpdated(said));
  }

  void suspect(Suspect said) {
    if (said.subject().equals(node.self.id())) {
      ownWord.accused(said.incarnation());
      return;
    }
    Node known = node.table.find(said.subject());
    MemberState state = node.table.state(said.subject());
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
  void doubted(Suspect said, Address informant) {
    Node known = node.table.find(said.subject());
    MemberState state = node.table.state(said.subject());
    if (known == null || said.incarnation() > known.incarnation()) return;
    if (state == MemberState.DEAD) {
      node.send(informant, new Dead(known.id(), known.incarnation(), node.self.id()));
    } else if (state == MemberState.LEFT) {
      node.send(informant, new Left(known.id(), known.incarnation()));
    }
  }

  void dead(Dead said) {
    if (said.subject().equals(node.self.id())) {
      ownWord.accused(said.incarnation());
      return;
    }
    boolean isNews = bury(said.subject(), said.incarnation(), MemberState.DEAD);
    if (isNews) node.updates.offer(said);
  }

  void left(Left said) {
    if (said.subject().equals(node.self.id())) {
      ownWord.accused(said.incarnation());
      return;
    }
    boolean isNews = bury(said.subject(), said.incarnation(), MemberState.LEFT);
    if (isNews) node.updates.offer(said);
  }

  /** Whether this statement is news of the member. */
  private boolean bury(NodeId id, long incarnation, MemberState as) {
    Node known = node.table.find(id);
    MemberState state = node.table.state(id);
    if (known == null || state == null) return false;
    if (!as.supersedes(incarnation, state, known.incarnation())) return false;
    Node gone = known.withIncarnation(incarnation);
    node.table.put(gone, as, node.random);
    endSuspicion(id);
    if (state.isMember()) {
      tombstones.add(id, node.now);
      node.effect(
          as == MemberState.LEFT
              ? new SwimEffect.MemberLeft(gone)
              : new SwimEffect.MemberDown(gone));
    }
    return true;
  }

  // ---- suspicion

  /** An own probe found nobody. */
  void accuse(NodeId id) {
    Node known = node.table.find(id);
    MemberState state = node.table.state(id);
    if (known == null || state == null || !state.isMember() || !node.health.mayAccuse()) return;
    suspect(new Suspect(id, known.incarnation(), node.self.id()));
    Suspicion suspicion = suspicions.get(id);
    if (suspicion != null && !suspicion.isFirstHand()) {
      suspicion.seenFirstHand();
      armVerdict(id, suspicion);
    }
  }

  @Nullable Suspect accusationOf(Node member) {
    if (!suspicions.containsKey(member.id())) return null;
    return new Suspect(member.id(), member.incarnation(), node.self.id());
  }

  private void beginSuspicion(Node suspect, NodeId accuser) {
    endSuspicion(suspect.id());
    int members = node.clusterSize();
    int wanted = Math.clamp(members - 2, 0, node.config.suspicionConfirmations());
    Suspicion suspicion =
        new Suspicion(
            accuser,
            node.now,
            node.config.suspicionMin(members),
            node.config.suspicionMaxFactor(),
            wanted);
    if (accuser.equals(node.self.id())) suspicion.seenFirstHand();
    node.table.put(suspect, MemberState.SUSPECT, node.random);
    suspicions.put(suspect.id(), suspicion);
    node.updates.offer(new Suspect(suspect.id(), suspect.incarnation(), accuser));
    node.effect(new SwimEffect.MemberSuspect(suspect));
    armVerdict(suspect.id(), suspicion);
    if (!suspicion.isFirstHand() && node.random.nextInt(members) < WITNESSES) {
      listener.witnessWanted(suspect);
    }
  }

  private void confirm(Suspect said) {
    Suspicion suspicion = suspicions.get(said.subject());
    if (suspicion == null || !suspicion.confirm(said.accuser())) return;
    node.updates.offer(said);
    armVerdict(said.subject(), suspicion);
  }

  private void armVerdict(NodeId id, Suspicion suspicion) {
    long at =
        suspicion.isFirstHand()
            ? suspicion.end() - node.config.probeWindow()
            : suspicion.end() + BYSTANDER_MARGIN_MILLIS;
    verdictAt(at, id, suspicion);
  }

  private void verdictAt(long at, NodeId id, Suspicion suspicion) {
    if (suspicion.verdict != null) node.timers.cancel(suspicion.verdict);
    suspicion.verdict = node.timers.set(Math.max(at, node.now), () -> suspicionEnds(id, suspicion));
  }

  private void suspicionEnds(NodeId id, Suspicion suspicion) {
    Node suspect = node.table.find(id);
    if (suspect == null || suspicions.get(id) != suspicion) return;
    if (!suspicion.isFirstHand()) {
      declareDead(suspect, suspicion);
      return;
    }
    finalProbe.ask(
        suspect,
        answered -> {
          if (suspicions.get(id) != suspicion) return;
          if (answered && suspicion.hold() <= MAX_HOLDS) holdBack(id, suspicion);
          else declareDead(suspect, suspicion);
        });
  }

  /** It lives for this node: it has heard the accusation just now and will refute it. */
  private void holdBack(NodeId id, Suspicion suspicion) {
    verdictAt(node.now + node.config.suspicionMin(node.clusterSize()), id, suspicion);
  }

  private void declareDead(Node suspect, Suspicion suspicion) {
    if (!node.health.mayAccuse()) {
      holdBack(suspect.id(), suspicion);
      return;
    }
    dead(new Dead(suspect.id(), suspect.incarnation(), node.self.id()));
  }

  private void endSuspicion(NodeId id) {
    Suspicion ended = suspicions.remove(id);
    if (ended != null && ended.verdict != null) node.timers.cancel(ended.verdict);
  }

  /** A member's long metadata has come. */
  void completeMeta(NodeId id, Meta meta) {
    Node known = node.table.find(id);
    MemberState state = node.table.state(id);
    if (known == null || state == null || known.meta().isPresent()) return;
    if (!meta.sameContent(known.meta())) return;
    Node complete = known.withMeta(meta);
    node.table.put(complete, state, node.random);
    if (state.isMember()) node.effect(new SwimEffect.MemberUpdated(complete));
  }

  private void conflict(Node known, Address claimed) {
    if (claimed.equals(conflicts.get(known.id()))) return;
    if (conflicts.size() >= MAX_CONFLICTS) conflicts.clear();
    conflicts.put(known.id(), claimed);
    node.effect(new SwimEffect.Conflict(known, claimed));
  }
}
