package org.quorumail.cluster;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.quorumail.cluster.Formation.Member;

/**
 * The placement of groups on nodes. A spool has its home node and {@code replicationFactor - 1}
 * others. They are chosen by rendezvous hashing, so that each node holds about the same number, and
 * from other zones first.
 */
public record Placement(Formation formation, int replicationFactor) {
  /** The name of the group that holds the registry of nodes. */
  public static final String META_GROUP = "meta";

  /** The name of the group of a node's spool. */
  public static String spoolGroup(String nodeId) {
    return "spool-" + nodeId;
  }

  /** The members of a node's spool, home first. */
  public List<Member> spoolMembers(Member home) {
    List<Member> others = new ArrayList<>(formation.members());
    others.remove(home);
    others.sort(
        Comparator.comparingLong((Member m) -> weight(home.peerId(), m.peerId()))
            .thenComparing(Member::nodeId));
    List<Member> chosen = new ArrayList<>(List.of(home));
    Set<String> zones = new HashSet<>(Set.of(home.zone()));
    for (Member m : others) {
      if (chosen.size() < replicationFactor && zones.add(m.zone())) chosen.add(m);
    }
    for (Member m : others) {
      if (chosen.size() < replicationFactor && !chosen.contains(m)) chosen.add(m);
    }
    return chosen;
  }

  /** The first voters of the meta group: the first nodes by name. */
  public List<Member> metaMembers() {
    return formation.members().subList(0, GroupMembers.metaVoterCount(formation.members().size()));
  }

  /**
   * The member that takes the place of one that is lost: from another zone than the present ones if
   * possible; empty when all candidates hold the spool already.
   */
  static Optional<Member> replacement(String home, List<Member> present, List<Member> candidates) {
    Set<String> zones = present.stream().map(Member::zone).collect(Collectors.toSet());
    return candidates.stream()
        .filter(m -> !present.contains(m))
        .min(
            Comparator.comparing((Member m) -> zones.contains(m.zone()))
                .thenComparingLong(m -> weight(home, m.peerId()))
                .thenComparing(Member::nodeId));
  }

  /** A hash per pair: on a ring, one neighbour would get all of a dead node's work. */
  private static long weight(String home, String other) {
    CRC32C crc = new CRC32C();
    crc.update((home + '\0' + other).getBytes(StandardCharsets.UTF_8));
    return crc.getValue();
  }
}
