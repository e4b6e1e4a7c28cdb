package org.quorumail.cluster;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.cluster.Membership.Presence;

/**
 * The check whether every group keeps a majority while a member gives up its places. Each change of
 * a group is committed by a majority of its present members and of its next ones.
 *
 * @param map the present members
 * @param metaVoters the peer ids of the voters of the meta group
 * @param self the node that was asked
 * @param others as gossip has them
 */
record GroupQuorums(
    ClusterMap map, List<String> metaVoters, MemberMetadata self, List<Membership.Member> others) {

  /** The reason why the member cannot give up its places now; one sentence that says what to do. */
  Optional<String> problem(Member leaving, ClusterMap next) {
    for (Map.Entry<String, ClusterMap.SpoolReplicas> spool : map.spools().entrySet()) {
      List<String> present = spool.getValue().members();
      if (!present.contains(leaving.peerId())) continue;
      ClusterMap.SpoolReplicas wanted = next.spools().get(spool.getKey());
      List<String> later = wanted == null ? List.of() : wanted.members();
      if (!hasMajority(present) || !hasMajority(later)) {
        return Optional.of(
            "the spool of %s has no majority without %s: start %s first"
                .formatted(spool.getKey(), leaving.nodeId(), missing(present, later, leaving)));
      }
    }
    if (!metaVoters.contains(leaving.peerId())) return Optional.empty();
    List<String> later = metaVoters.stream().filter(p -> !p.equals(leaving.peerId())).toList();
    return hasMajority(metaVoters) && hasMajority(later)
        ? Optional.empty()
        : Optional.of(
            "the meta group has no majority without %s: start %s first"
                .formatted(leaving.nodeId(), missing(metaVoters, later, leaving)));
  }

  /** Whether the member is silent and not declared dead. */
  boolean isSuspect(String peer) {
    return isSeen(peer, Presence.SUSPECT);
  }

  private boolean isAlive(String peer) {
    return peer.equals(self.peerId()) || isSeen(peer, Presence.ALIVE);
  }

  private boolean isSeen(String peer, Presence as) {
    return others.stream().anyMatch(o -> o.metadata().peerId().equals(peer) && o.presence() == as);
  }

  private boolean hasMajority(List<String> peers) {
    return 2 * peers.stream().filter(this::isAlive).count() > peers.size();
  }

  /** The members that are not there, or the leaving one when it has the only replica. */
  private String missing(List<String> present, List<String> later, Member leaving) {
    List<String> names =
        map.members().stream()
            .filter(m -> present.contains(m.peerId()) || later.contains(m.peerId()))
            .filter(m -> !isAlive(m.peerId()) && !m.equals(leaving))
            .map(Member::nodeId)
            .toList();
    return names.isEmpty() ? "another node" : String.join(", ", names);
  }
}
