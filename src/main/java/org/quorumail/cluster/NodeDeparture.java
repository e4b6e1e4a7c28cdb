package org.quorumail.cluster;

import java.util.List;
import java.util.Optional;
import org.quorumail.cluster.Formation.Member;

/**
 * The decision whether this node may leave its cluster for good. Its places are taken by members
 * that are ready, as far as there are any.
 *
 * @param map the present members
 * @param metaVoters the peer ids of the voters of the meta group
 * @param self the node that leaves
 * @param others as gossip has them
 */
public record NodeDeparture(
    ClusterMap map, List<String> metaVoters, MemberMetadata self, List<Membership.Member> others) {

  /** The reason why the node cannot leave now; one sentence that says what to do. */
  public Optional<String> problem() {
    Optional<Member> leaving = map.findPeer(self.peerId());
    if (leaving.isEmpty()) return Optional.empty(); // the others have removed it already
    if (map.members().size() == 1) {
      return Optional.of(
          "%s is the only node of its cluster, and its mail has no other place; to stop it: quorumail system shutdown"
              .formatted(self.nodeId()));
    }
    return new GroupQuorums(map, metaVoters, self, others)
        .problem(leaving.get(), next())
        .or(() -> NodeAdmission.oldRelease(map, self, others, m -> !m.equals(leaving.get())));
  }

  /** The next revision of the map, without this node. */
  public ClusterMap next() {
    Member leaving = map.findPeer(self.peerId()).orElseThrow(IllegalStateException::new);
    return map.withoutMember(
        leaving, m -> !m.equals(leaving) && NodeAdmission.isReady(m, self, others));
  }
}
