package org.quorumail.cluster;

import java.util.List;
import java.util.Optional;

/**
 * The decision whether the empty spool of a removed node is given up. Its owner first closes it for
 * good by an entry of its own log, so that nothing can be accepted into it any more. Then the next
 * revision of the map drops it, and every member deletes its replica.
 *
 * @param map the present members
 * @param self this node, which owns the spool
 * @param others as gossip has them
 */
public record SpoolDissolution(
    ClusterMap map, MemberMetadata self, List<Membership.Member> others) {

  /**
   * The homes that are no members any more and are gone. A node that leaves learns from its group
   * that its vote does not count any more; it waits for that, so the group must be there until
   * then.
   */
  public List<String> candidates() {
    return map.spools().keySet().stream()
        .filter(home -> map.find(home).isEmpty() && others.stream().noneMatch(o -> leaves(o, home)))
        .toList();
  }

  /** A node that waits to be added under the id of a removed one has no map yet. */
  private static boolean leaves(Membership.Member other, String home) {
    return other.reachable()
        && other.metadata().nodeId().equals(home)
        && other.metadata().map() != null;
  }

  /**
   * The reason why no spool can be given up yet. An older release would stop at the entry that
   * closes a spool, and at the map without it. Later the members are not asked again: each of them
   * has applied such a map.
   */
  public Optional<String> obstacle() {
    if (map.version() >= ClusterMap.DISSOLVING_VERSION) return Optional.empty();
    return map.members().stream()
        .filter(m -> !m.peerId().equals(self.peerId()))
        .filter(m -> others.stream().noneMatch(o -> canDissolve(o, m)))
        .findFirst()
        .map(
            m ->
                "%s is down, or its release cannot dissolve spools; the first one needs all members there and upgraded"
                    .formatted(m.nodeId()));
  }

  private static boolean canDissolve(Membership.Member other, Formation.Member member) {
    return other.reachable()
        && other.metadata().peerId().equals(member.peerId())
        && other.metadata().readsMap(ClusterMap.DISSOLVING_VERSION);
  }
}
