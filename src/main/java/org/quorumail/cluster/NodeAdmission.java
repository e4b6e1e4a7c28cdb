package org.quorumail.cluster;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The decision of the meta group's leader whether a node is added, from what gossip says. The
 * decision counts only when the meta group has committed it.
 */
public final class NodeAdmission {
  private final int replicationFactor;

  public NodeAdmission(int replicationFactor) {
    this.replicationFactor = replicationFactor;
  }

  /** The decision of one round. */
  public sealed interface Decision {}

  /** No node asks. */
  public record Nobody() implements Decision {}

  /** The node is not added as things are. */
  public record Refused(String nodeId, String reason) implements Decision {}

  /** The node is added by the next revision of the map. */
  public record Add(String nodeId, ClusterMap next) implements Decision {}

  /**
   * Decides about one node: the first by its id that asks, is alive, and is no member. One that
   * must wait holds up no other.
   */
  public Decision decide(ClusterMap map, MemberMetadata self, List<Membership.Member> others) {
    Optional<MemberMetadata> asking =
        others.stream()
            .filter(Membership.Member::reachable)
            .map(Membership.Member::metadata)
            .filter(m -> map.clusterId().equals(m.joins()))
            .filter(m -> map.findPeer(m.peerId()).isEmpty())
            .min(
                Comparator.comparing((MemberMetadata m) -> obstacle(map, m).isPresent())
                    .thenComparing(MemberMetadata::nodeId));
    if (asking.isEmpty()) return new Nobody();
    MemberMetadata node = asking.get();
    Optional<String> problem =
        obstacle(map, node).or(() -> oldRelease(map, self, others, m -> true));
    if (problem.isPresent()) return new Refused(node.nodeId(), problem.get());
    ClusterMap next =
        map.withMember(Formation.member(node), replicationFactor, m -> isReady(m, self, others));
    return new Add(node.nodeId(), next);
  }

  private static Optional<String> obstacle(ClusterMap map, MemberMetadata node) {
    return map.joinProblem(node).or(() -> map.joinDelay(node));
  }

  /** The reason why the map cannot be changed at all yet; empty when nothing is in the way. */
  public static Optional<String> changeProblem(
      ClusterMap map, MemberMetadata self, List<Membership.Member> others) {
    return oldRelease(map, self, others, m -> true);
  }

  /**
   * An older release would stop at the first map in the log. Later the members are not asked again:
   * each of them has applied a map.
   */
  static Optional<String> oldRelease(
      ClusterMap map,
      MemberMetadata self,
      List<Membership.Member> others,
      Predicate<Formation.Member> counts) {
    if (map.revision() > 0) return Optional.empty();
    return map.members().stream()
        .filter(counts)
        .filter(m -> !m.peerId().equals(self.peerId()))
        .filter(m -> others.stream().noneMatch(o -> isAliveWithMap(o, m)))
        .findFirst()
        .map(
            m ->
                "%s is down, or its release cannot change members; the first change needs all members there and upgraded"
                    .formatted(m.nodeId()));
  }

  private static boolean isAliveWithMap(Membership.Member other, Formation.Member member) {
    return other.reachable()
        && other.metadata().peerId().equals(member.peerId())
        && other.metadata().map() != null;
  }

  static boolean isReady(
      Formation.Member member, MemberMetadata self, List<Membership.Member> others) {
    if (member.peerId().equals(self.peerId())) return true;
    return others.stream()
        .anyMatch(
            o ->
                o.reachable()
                    && o.metadata().peerId().equals(member.peerId())
                    && o.metadata().load().ready()
                    && !o.metadata().load().draining());
  }
}
