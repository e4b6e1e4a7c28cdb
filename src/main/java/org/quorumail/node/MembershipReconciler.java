package org.quorumail.node;

import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.MetaMembers;
import org.quorumail.cluster.NodeAdmission;
import org.quorumail.replication.RaftStartException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reconciler of the members. Every node stores the revisions of the cluster map that the meta
 * group has committed, and opens the spools that they give it. The leader of the meta group also
 * proposes the next revision when a node asks to be added, and then changes the members of the meta
 * group, one at a time. Gossip reports which nodes ask and which are there. Called by one thread.
 */
public final class MembershipReconciler {
  private static final Logger LOG = LoggerFactory.getLogger(MembershipReconciler.class);

  /** The time between two rounds. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  private final RaftGroups groups;
  private final ClusterMember member;
  private final NodeAdmission admission;
  private String lastRefusal = "";

  public MembershipReconciler(RaftGroups groups, ClusterMember member) {
    this.groups = groups;
    this.member = member;
    this.admission = new NodeAdmission(member.replicationFactor());
  }

  /** Runs one round. */
  public void reconcile() throws InterruptedException {
    takeOverCommittedMap();
    Optional<MetaMembers> meta = groups.metaMembers();
    if (meta.isEmpty()) return;
    if (admit()) takeOverCommittedMap();
    changeMetaMembers(meta.get());
  }

  /** First to disk, then into use: a restart must open every group that was open before. */
  private void takeOverCommittedMap() {
    Optional<ClusterMap> committed = groups.meta().map();
    if (committed.isEmpty()) return;
    ClusterMap next = committed.get();
    try {
      if (next.revision() > member.map().map(ClusterMap::revision).orElse(0L)) member.adopt(next);
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
        LOG.info("event=node_added node={} revision={}", add.nodeId(), add.next().revision());
        return true;
      }
    }
  }

  private void changeMetaMembers(MetaMembers present) {
    ClusterMap map = groups.map();
    Optional<MetaMembers> next = present.next(map, this::isReady, groups::hasMetaLog);
    if (next.isEmpty()) return;
    boolean done = groups.changeMetaMembers(next.get());
    LOG.info(
        "event=meta_members_changed voters={} listeners={} done={}",
        names(map, next.get().voters()),
        names(map, next.get().listeners()),
        done);
  }

  /** A node of an older release without a vote in the meta group does not open it. */
  private boolean isReady(String peerId) {
    if (member.metadata().peerId().equals(peerId)) return true;
    boolean knowsMaps =
        member.membership().members().stream()
            .map(Membership.Member::metadata)
            .anyMatch(m -> m.peerId().equals(peerId) && m.map() != null);
    return knowsMaps
        && groups
            .map()
            .findPeer(peerId)
            .filter(m -> RaftGroups.isReady(member.membership(), m))
            .isPresent();
  }

  private static List<String> names(ClusterMap map, List<String> peerIds) {
    return peerIds.stream()
        .flatMap(id -> map.findPeer(id).stream())
        .map(Formation.Member::nodeId)
        .sorted(Comparator.naturalOrder())
        .toList();
  }
}
