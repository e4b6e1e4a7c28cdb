package org.quorumail.cluster;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
        Comparator.comparingLong((Member m) -> weight(home, m)).thenComparing(Member::nodeId));
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
    return formation.members().subList(0, MetaMembers.voterCount(formation.members().size()));
  }

  /** A hash per pair: on a ring, one neighbour would get all of a dead node's work. */
  private static long weight(Member home, Member other) {
    CRC32C crc = new CRC32C();
    crc.update((home.peerId() + '\0' + other.peerId()).getBytes(StandardCharsets.UTF_8));
    return crc.getValue();
  }
}
