package org.quorumail.node;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.FeatureSupport;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.GroupMembers;
import org.quorumail.cluster.LostNodeReplacement;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.NodeAdmission;
import org.quorumail.cluster.Placement;
import org.quorumail.cluster.ReplicaSpread;
import org.quorumail.cluster.SpoolDissolution;
import org.quorumail.replication.RaftStartException;
import org.quorumail.spool.Spool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reconciler of the members. Every node stores the revisions of the cluster map that the meta
 * group has committed, and opens the spools that they give it. The leader of the meta group also
 * proposes the next revision when a node asks to be added. The leader of each group then changes
 * its members to those of the map, one at a time. Gossip reports which nodes ask and which are
 * there. Called by one thread.
 */
public final class MembershipReconciler {
  private static final Logger LOG = LoggerFactory.getLogger(MembershipReconciler.class);

  /** The time between two rounds. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  /** The timeout of the entry that closes a spool; it is tried again in the next round. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final RaftGroups groups;
  private final ClusterMember member;
  private final NodeAdmission admission;
  private final LostNodeReplacement lostNodes;
  private final GroupMemberChanges changes;
  private final ReplicaSpread spread;
  private final Runnable onRemoved;
  private Optional<ReplicaSpread.Move> runningMove = Optional.empty();
  private boolean removed;
  private boolean recordsEvents;
  private String lastRefusal = "";
  private String lastNotDissolved = "";
  private String lastNotMoved = "";

  /**
   * @param onRemoved called once when the others have removed this node, which must leave then
   */
  public MembershipReconciler(RaftGroups groups, ClusterMember member, Runnable onRemoved) {
    this(groups, member, onRemoved, new ReplicaSpread(System::nanoTime));
  }

  MembershipReconciler(
      RaftGroups groups, ClusterMember member, Runnable onRemoved, ReplicaSpread spread) {
    this.spread = spread;
    this.groups = groups;
    this.member = member;
    this.onRemoved = onRemoved;
    this.lostNodes = new LostNodeReplacement(member.replaceAfter(), System::nanoTime);
    this.admission = new NodeAdmission(member.replicationFactor());
    this.changes =
        new GroupMemberChanges(groups::changeMembers, this::nodeOfPeer, System::nanoTime);
  }

  /** Runs one round. */
  public void reconcile() throws InterruptedException {
    if (leaveWhenRemoved()) return;
    recordEvents();
    changes.removeEnded();
    followAddresses();
    takeOverCommittedMap();
    deleteMovedReplicas();
    if (groups.ledMembers(Placement.META_GROUP).isEmpty()) forgetOthers();
    else if (changeAddress() || admit() || removeLostNode() || moveReplica())
      takeOverCommittedMap();
    if (isBehind()) return;
    dissolveSpools();
    changeMetaMembers();
    boolean settled = !groups.holdsMoved();
    for (String home : groups.map().spools().keySet()) settled &= changeSpoolMembers(home);
    if (settled) member.settled(groups.map().revision());
  }

  /** Has events of mail written as soon as no member would stop at the entries that have them. */
  private void recordEvents() {
    if (recordsEvents) return;
    FeatureSupport support =
        new FeatureSupport(groups.map(), member.metadata(), member.membership().members());
    recordsEvents = support.memberWithout(MemberMetadata.MAIL_EVENTS).isEmpty();
    if (recordsEvents) groups.spools().recordEvents();
  }

  /** A leader of the meta group that comes back begins its observations again. */
  private void forgetOthers() {
    lostNodes.reset();
    spread.reset();
    runningMove = Optional.empty();
  }

  private void followAddresses() {
    try {
      groups.followAddresses(member.membership().members());
    } catch (RaftStartException e) {
      LOG.error("event=addresses_not_used reason=\"{}\"", e.getMessage());
    }
  }

  /** Has the present address of a member that has moved in the map, for the next start of all. */
  private boolean changeAddress() {
    ClusterMap map = groups.map();
    MemberMetadata self = member.metadata();
    List<Membership.Member> others = member.membership().members();
    Optional<ClusterMap> next = map.withPresentAddress(self, others);
    if (next.isEmpty()) return false;
    Optional<String> failure =
        NodeAdmission.changeProblem(map, self, others)
            .or(() -> identityProblem(map, next.get()))
            .or(() -> proposed(next.get()));
    if (failure.isPresent()) {
      if (!failure.get().equals(lastNotMoved))
        LOG.warn("event=address_not_changed reason=\"{}\"", failure.get());
      lastNotMoved = failure.get();
      return false;
    }
    lastNotMoved = "";
    for (Formation.Member m : next.get().members()) {
      map.formation()
          .formerAddress(m)
          .ifPresent(
              former ->
                  LOG.info(
                      "event=member_address_changed node={} former={} host={} port={} revision={}",
                      m.nodeId(),
                      former,
                      m.host(),
                      m.raftPort(),
                      next.get().revision()));
    }
    return true;
  }

  /** Gossip says where a node is; only its certificate proves it. */
  private Optional<String> identityProblem(ClusterMap map, ClusterMap next) {
    return next.members().stream()
        .filter(m -> !map.members().contains(m))
        .flatMap(
            m ->
                member.identityProblem(m).stream()
                    .map(problem -> "%s is not proved: %s".formatted(m.nodeId(), problem)))
        .findFirst();
  }

  private Optional<String> proposed(ClusterMap next) {
    try {
      return groups.propose(next);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("the node is stopping");
    }
  }

  private void deleteMovedReplicas() {
    try {
      groups.deleteMoved();
    } catch (IOException | RaftStartException e) {
      LOG.error("event=replica_not_deleted reason=\"{}\"", e.getMessage());
    }
  }

  /** Moves one replica to a member that has fewer; the next one when all groups are changed. */
  private boolean moveReplica() throws InterruptedException {
    ClusterMap map = groups.map();
    MemberMetadata self = member.metadata();
    List<Membership.Member> others = member.membership().members();
    if (runningMove.isPresent() && ReplicaSpread.isSettled(map, self, others)) {
      Map<String, String> details = details(runningMove.get());
      details.put(SpoolMoveEvents.MOVED, "true");
      member.publish(SpoolMoveEvents.COMPLETED, details);
      runningMove = Optional.empty();
    }
    Optional<ReplicaSpread.Move> move = spread.decide(map, self, others);
    if (move.isEmpty()) return false;
    Optional<String> failure = groups.propose(move.get().next());
    if (failure.isPresent()) {
      LOG.warn(
          "event=replica_not_moved spool={} reason=\"{}\"",
          Placement.spoolGroup(move.get().home()),
          failure.get());
      return false;
    }
    LOG.info(
        "event=replica_moves spool={} from={} to={} remaining={} revision={}",
        Placement.spoolGroup(move.get().home()),
        move.get().from().nodeId(),
        move.get().to().nodeId(),
        move.get().remaining(),
        move.get().next().revision());
    member.publish(SpoolMoveEvents.STARTED, details(move.get()));
    runningMove = move;
    return true;
  }

  private static Map<String, String> details(ReplicaSpread.Move move) {
    Map<String, String> details = new TreeMap<>();
    details.put(SpoolMoveEvents.SPOOL, Placement.spoolGroup(move.home()));
    details.put("from", move.from().nodeId());
    details.put(SpoolMoveEvents.TO, move.to().nodeId());
    details.put("remaining", String.valueOf(move.remaining()));
    return details;
  }

  /** The map without this node is not stored: a restart must find out that it was removed. */
  private boolean leaveWhenRemoved() {
    String self = member.metadata().peerId();
    boolean isRemoved =
        removed || member.removal().isPresent() || groups.latestMap().findPeer(self).isEmpty();
    if (isRemoved && !removed) {
      removed = true;
      LOG.warn("event=node_removed_by_others node={}", member.metadata().nodeId());
      groups.expectRemoval();
      onRemoved.run();
    }
    return removed;
  }

  /** By an older map a new leader would undo what the one before has done. */
  private boolean isBehind() {
    long revision = groups.map().revision();
    return member.membership().members().stream()
        .map(m -> m.metadata().map())
        .anyMatch(map -> map != null && map.revision() > revision);
  }

  /** First to disk, then into use: a restart must open every group that was open before. */
  private void takeOverCommittedMap() {
    Optional<ClusterMap> committed = groups.meta().map();
    if (committed.isEmpty()) return;
    ClusterMap next = committed.get();
    try {
      if (next.revision() > member.map().map(ClusterMap::revision).orElse(0L)) {
        groups.prepareUpdate(next);
        member.adopt(next);
      }
      if (next.revision() > groups.map().revision()) groups.update(next);
    } catch (IOException | RaftStartException e) {
      LOG.error(
          "event=cluster_map_not_used revision={} reason=\"{}\"", next.revision(), e.getMessage());
    }
  }

  private boolean admit() throws InterruptedException {
    NodeAdmission.Decision decision =
        admission.decide(groups.map(), member.metadata(), member.membership().members());
    switch (decision) {
      case NodeAdmission.Nobody nobody -> {
        return false;
      }
      case NodeAdmission.Refused refused -> {
        if (!refused.reason().equals(lastRefusal))
          LOG.warn(
              "event=node_not_added node={} reason=\"{}\"", refused.nodeId(), refused.reason());
        lastRefusal = refused.reason();
        return false;
      }
      case NodeAdmission.Add add -> {
        Optional<String> failure = groups.propose(add.next());
        if (failure.isPresent()) {
          LOG.warn("event=node_not_added node={} reason=\"{}\"", add.nodeId(), failure.get());
          return false;
        }
        lastRefusal = "";
        LOG.info(
            "event=node_added node={} revision={} former_peer={}",
            add.nodeId(),
            add.next().revision(),
            formerPeer(add));
        return true;
      }
    }
  }

  /** The directory that the cluster knew by the id before; "-" when there was none. */
  private String formerPeer(NodeAdmission.Add add) {
    String peer = add.next().find(add.nodeId()).map(Formation.Member::peerId).orElse("");
    return Optional.ofNullable(groups.meta().nodes().get(add.nodeId()))
        .map(MetaState.RegisteredNode::peerId)
        .filter(former -> !former.equals(peer))
        .orElse("-");
  }

  /**
   * Gives up the empty spools of removed nodes that this node owns. First no replica accepts
   * anything any more, then the map drops the spool.
   */
  private void dissolveSpools() throws InterruptedException {
    SpoolDissolution dissolution =
        new SpoolDissolution(groups.map(), member.metadata(), member.membership().members());
    for (Spool spool : groups.owned(dissolution.candidates())) {
      if (!spool.isDrained()) continue;
      Optional<String> obstacle = dissolution.obstacle();
      if (obstacle.isPresent()) {
        logNotDissolved(spool, obstacle.get());
        return;
      }
      if (!spool.isClosedForGood()) {
        if (!spool.closeForGood(CLOSE_TIMEOUT)) continue;
        LOG.info("event=spool_closed spool={} home={}", spool.name(), spool.home());
      }
      ClusterMap next = groups.map().withoutSpool(spool.home());
      Optional<String> failure = groups.propose(next);
      failure.ifPresent(reason -> logNotDissolved(spool, reason));
      if (failure.isPresent()) return;
      LOG.info(
          "event=spool_dissolved spool={} home={} revision={}",
          spool.name(),
          spool.home(),
          next.revision());
      takeOverCommittedMap(); // the next proposal must follow this one
      return;
    }
  }

  private void logNotDissolved(Spool spool, String reason) {
    String refusal = spool.name() + reason;
    if (!refusal.equals(lastNotDissolved))
      LOG.warn("event=spool_not_dissolved spool={} reason=\"{}\"", spool.name(), reason);
    lastNotDissolved = refusal;
  }

  private boolean removeLostNode() throws InterruptedException {
    Optional<LostNodeReplacement.Lost> lost =
        lostNodes.decide(
            groups.map(), groups.metaVoters(), member.metadata(), member.membership().members());
    if (lost.isEmpty()) return false;
    Optional<String> failure = groups.propose(lost.get().next());
    if (failure.isPresent()) {
      LOG.warn(
          "event=lost_node_not_removed node={} reason=\"{}\"", lost.get().nodeId(), failure.get());
      return false;
    }
    LOG.warn(
        "event=lost_node_removed node={} away_seconds={} revision={}",
        lost.get().nodeId(),
        lost.get().away().toSeconds(),
        lost.get().next().revision());
    return true;
  }

  private void changeMetaMembers() {
    String group = Placement.META_GROUP;
    ClusterMap map = groups.map();
    groups
        .ledMembers(group)
        .ifPresent(
            present ->
                change(
                    group,
                    present,
                    GroupMembers.ofMeta(map, present, p -> isReady(p, 0)),
                    p -> isReady(p, 0)));
  }

  /** Returns whether the group has the members of the map, or another node leads it. */
  private boolean changeSpoolMembers(String home) {
    String group = Placement.spoolGroup(home);
    ClusterMap map = groups.map();
    Optional<GroupMembers> present = groups.ledMembers(group);
    if (present.isEmpty()) return true;
    GroupMembers wanted = GroupMembers.ofSpool(map, home);
    change(group, present.get(), wanted, p -> isReady(p, map.revision()));
    return present.get().hasSameMembers(wanted);
  }

  private void change(
      String group, GroupMembers present, GroupMembers wanted, Predicate<String> isReady) {
    if (changes.isRunning(group)) return;
    String self = member.metadata().peerId();
    present
        .next(
            wanted,
            self,
            this::isAlive,
            peer -> isReady.test(peer) || groups.map().findPeer(peer).isEmpty(),
            isReady,
            peer -> groups.isCaughtUp(group, peer))
        .ifPresent(next -> changes.begin(group, next));
  }

  private boolean isAlive(String peerId) {
    return member.membership().members().stream()
        .anyMatch(m -> m.metadata().peerId().equals(peerId) && m.reachable());
  }

  /**
   * Whether a node can become a member of a group: it is ready, and has opened the groups of this
   * revision of the map. A node of an older release without a vote in the meta group does not open
   * that.
   */
  private boolean isReady(String peerId, long revision) {
    if (member.metadata().peerId().equals(peerId)) return true;
    boolean knowsMap =
        member.membership().members().stream()
            .map(Membership.Member::metadata)
            .filter(m -> m.peerId().equals(peerId))
            .map(MemberMetadata::map)
            .anyMatch(map -> map != null && map.revision() >= revision);
    return knowsMap
        && groups
            .map()
            .findPeer(peerId)
            .filter(m -> RaftGroups.isReady(member.membership(), m))
            .isPresent();
  }

  private String nodeOfPeer(String peerId) {
    return groups.map().findPeer(peerId).map(Formation.Member::nodeId).orElse(peerId);
  }
}
