package org.quorumail.cluster;

import java.util.List;
import java.util.Optional;
import org.quorumail.cluster.Formation.Member;

/**
 * The decision whether one member gives all its places to another one. The former may be lost or
 * run; in each group the later one is added before a running one goes, which then ends.
 *
 * @param map the present members
 * @param metaVoters the peer ids of the voters of the meta group
 * @param self the node that was asked
 * @param others as gossip has them
 */
public record NodeReplacement(
    ClusterMap map, List<String> metaVoters, MemberMetadata self, List<Membership.Member> others) {

  /** The reason why the node cannot be replaced now; one sentence that says what to do. */
  public Optional<String> problem(String formerId, String replacementId) {
    if (formerId.equals(replacementId)) {
      return Optional.of(formerId + " cannot replace itself: name another node");
    }
    Optional<Member> former = map.find(formerId);
    if (former.isEmpty()) return Optional.of("no member of the cluster is called " + formerId);
    Optional<Member> replacement = map.find(replacementId);
    if (replacement.isEmpty()) {
      return Optional.of(
          "no member of the cluster is called %s: start it and wait until it has joined"
              .formatted(replacementId));
    }
    if (!NodeAdmission.isReady(replacement.get(), self, others)) {
      return Optional.of(
          "%s is not ready: wait until `cluster nodes` shows it as healthy"
              .formatted(replacementId));
    }
    GroupQuorums quorums = new GroupQuorums(map, metaVoters, self, others);
    if (quorums.isSuspect(former.get().peerId())) {
      return Optional.of(
          "%s does not answer at the moment: wait until `cluster nodes` shows it as healthy or disconnected"
              .formatted(formerId));
    }
    return quorums
        .problem(former.get(), next(formerId, replacementId))
        .or(() -> NodeAdmission.oldRelease(map, self, others, m -> !m.equals(former.get())));
  }

  /** The next revision of the map: the replacement is in all places of the former node. */
  public ClusterMap next(String formerId, String replacementId) {
    Member former = map.find(formerId).orElseThrow(IllegalArgumentException::new);
    Member replacement = map.find(replacementId).orElseThrow(IllegalArgumentException::new);
    return map.withReplacement(former, replacement, m -> NodeAdmission.isReady(m, self, others));
  }
}
