package org.quorumail.cluster;

import java.util.List;
import java.util.Optional;

/**
 * The check whether all members run a release with a feature. An older release would stop at the
 * first entry of a new kind in the log of the meta group.
 *
 * @param map the present members
 * @param self the node that was asked
 * @param others as gossip has them
 */
public record FeatureSupport(ClusterMap map, MemberMetadata self, List<Membership.Member> others) {

  /** The id of a member that is down or lacks the feature; empty when all have it. */
  public Optional<String> memberWithout(String feature) {
    return map.members().stream()
        .filter(m -> !m.peerId().equals(self.peerId()))
        .filter(m -> others.stream().noneMatch(o -> has(o, m, feature)))
        .map(Formation.Member::nodeId)
        .findFirst();
  }

  private static boolean has(Membership.Member other, Formation.Member member, String feature) {
    return other.reachable()
        && other.metadata().peerId().equals(member.peerId())
        && other.metadata().hasFeature(feature);
  }
}
