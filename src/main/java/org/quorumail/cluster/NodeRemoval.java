package org.quorumail.cluster;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.cluster.Membership.Presence;

/**
 * The decision whether a node that is lost for good is removed. Its replicas cannot be copied from
 * it any more, so every group that it is in needs a majority without it.
 *
 * @param map the present members
 * @param metaVoters the peer ids of the voters of the meta group
 * @param self the node that was asked
 * @param others as gossip has them
 */
public record NodeRemoval(
    ClusterMap map, List<String> metaVoters, MemberMetadata self, List<Membership.Member> others) {

  /** The reason why the node cannot be removed now; one sentence that says what to do. */
  public Optional<String> problem(String nodeId) {
    Optional<Member> found = map.find(nodeId);
    if (found.isEmpty()) return Optional.of("no member of the cluster is called " + nodeId);
    Member lost = found.get();
    if (lost.peerId().equals(self.peerId())) {
      return Optional.of("a node does not remove itself: ask another one");
    }
    if (presence(lost).filter(p -> p == Presence.ALIVE || p == Presence.SUSPECT).isPresent()) {
      return Optional.of(
          "%s is running: only a node that is lost for good is removed; stop it first"
              .formatted(nodeId));
    }
    return majorityProblem(lost)
        .or(() -> NodeAdmission.oldRelease(map, self, others, m -> !m.equals(lost)));
  }

  private Optional<String> majorityProblem(Member lost) {
    for (Map.Entry<String, ClusterMap.SpoolReplicas> spool : map.spools().entrySet()) {
      List<String> members = spool.getValue().members();
      if (members.contains(lost.peerId()) && !hasMajority(members))
        return Optional.of(
            "the spool of %s has no majority without %s: start %s first"
                .formatted(spool.getKey(), lost.nodeId(), missing(members, lost)));
    }
    return metaVoters.contains(lost.peerId()) && !hasMajority(metaVoters)
        ? Optional.of(
            "the meta group has no majority without %s: start %s first"
                .formatted(lost.nodeId(), missing(metaVoters, lost)))
        : Optional.empty();
  }

  /** The next revision of the map, without the node. */
  public ClusterMap next(String nodeId) {
    Member lost = map.find(nodeId).orElseThrow(IllegalArgumentException::new);
    return map.withoutMember(lost, m -> NodeAdmission.isReady(m, self, others));
  }

  private boolean hasMajority(List<String> peers) {
    return 2 * peers.stream().filter(this::isAlive).count() > peers.size();
  }

  /** The other members that are not there, or the lost one when it had the only other replica. */
  private String missing(List<String> peers, Member lost) {
    List<String> names =
        peers.stream()
            .filter(p -> !isAlive(p) && !p.equals(lost.peerId()))
            .flatMap(p -> map.findPeer(p).stream())
            .map(Member::nodeId)
            .toList();
    return names.isEmpty() ? lost.nodeId() : String.join(", ", names);
  }

  private boolean isAlive(String peer) {
    return peer.equals(self.peerId())
        || map.findPeer(peer).flatMap(this::presence).filter(p -> p == Presence.ALIVE).isPresent();
  }

  private Optional<Presence> presence(Member member) {
    return others.stream()
        .filter(o -> o.metadata().peerId().equals(member.peerId()))
        .map(Membership.Member::presence)
        .findFirst();
  }
}
