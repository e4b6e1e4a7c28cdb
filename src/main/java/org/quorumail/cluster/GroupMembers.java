package org.quorumail.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.quorumail.cluster.Formation.Member;

/**
 * The members of one Raft group, by their peer ids. In a spool all members vote. In the meta group
 * three or five of the cluster's nodes vote, one or two in a cluster of that size; all others
 * listen. Ratis brings a new voter up to date before it counts.
 *
 * @param listeners members that get the log and do not vote
 */
public record GroupMembers(List<String> voters, List<String> listeners) {
  private static final int META_VOTERS_MAX = 5;

  public GroupMembers {
    voters = List.copyOf(voters);
    listeners = List.copyOf(listeners);
  }

  /** The number of voters in the meta group of a cluster of that size: more only cost time. */
  static int metaVoterCount(int nodes) {
    int n = Math.min(nodes, META_VOTERS_MAX);
    return n > 2 && n % 2 == 0 ? n - 1 : n;
  }

  /** The members of a spool as the cluster map wants them. */
  public static GroupMembers ofSpool(ClusterMap map, String home) {
    return new GroupMembers(
        map.spoolMembers(home).stream().map(Member::peerId).toList(), List.of());
  }

  /** The members of the meta group as the cluster map wants them. A voter remains one. */
  public static GroupMembers ofMeta(
      ClusterMap map, GroupMembers present, Predicate<String> isReady) {
    List<String> all = map.members().stream().map(Member::peerId).toList();
    List<String> voters = new ArrayList<>(present.voters.stream().filter(all::contains).toList());
    Stream.concat(present.listeners.stream().filter(all::contains), all.stream())
        .distinct()
        .filter(peer -> !present.voters.contains(peer) && isReady.test(peer))
        .limit(Math.max(0, metaVoterCount(all.size()) - voters.size()))
        .forEach(voters::add);
    return new GroupMembers(voters, all.stream().filter(p -> !voters.contains(p)).toList());
  }

  /**
   * The next step towards the wanted members: one member changes, never two. A member that is to go
   * and does not run goes first: it only raises the number of votes that are needed. One that still
   * runs goes last, when all wanted voters are there.
   *
   * <p>A voter is added as one, not as a listener that is promoted later. A listener votes only
   * when it has the last entry of its promotion: if the leader dies before that, the others may
   * lack the vote that they need.
   *
   * @param self the leader, which does not remove itself
   * @param isAlive selects the peers that run, be they ready or not
   * @param mayGo selects the running peers that expect to be removed, for which it is no failure
   * @param isReady selects the peers that run and have opened the group
   * @param isCaughtUp selects the listeners that answer and have all of the log but its last
   *     moments
   * @return empty when nothing is to be done now
   */
  public Optional<GroupMembers> next(
      GroupMembers wanted,
      String self,
      Predicate<String> isAlive,
      Predicate<String> mayGo,
      Predicate<String> isReady,
      Predicate<String> isCaughtUp) {
    for (String peer : listeners) {
      if (!wanted.contains(peer)) return Optional.of(without(peer));
    }
    List<String> leaving =
        voters.stream().filter(p -> !wanted.contains(p) && !p.equals(self)).toList();
    boolean complete = voters.containsAll(wanted.voters);
    for (String peer : leaving) {
      if ((complete && mayGo.test(peer)) || !isAlive.test(peer)) return Optional.of(without(peer));
    }
    for (String peer : wanted.voters) {
      if (listeners.contains(peer) && isReady.test(peer) && isCaughtUp.test(peer))
        return Optional.of(new GroupMembers(plus(voters, peer), without(peer).listeners));
    }
    for (String peer : wanted.voters) {
      if (!contains(peer) && isReady.test(peer))
        return Optional.of(new GroupMembers(plus(voters, peer), listeners));
    }
    for (String peer : wanted.listeners) {
      if (!contains(peer) && isReady.test(peer))
        return Optional.of(new GroupMembers(voters, plus(listeners, peer)));
    }
    return Optional.empty();
  }

  /** Whether both have the same voters and the same listeners. */
  public boolean hasSameMembers(GroupMembers other) {
    return Set.copyOf(voters).equals(Set.copyOf(other.voters))
        && Set.copyOf(listeners).equals(Set.copyOf(other.listeners));
  }

  private boolean contains(String peer) {
    return voters.contains(peer) || listeners.contains(peer);
  }

  private GroupMembers without(String peer) {
    return new GroupMembers(
        voters.stream().filter(p -> !p.equals(peer)).toList(),
        listeners.stream().filter(p -> !p.equals(peer)).toList());
  }

  private static List<String> plus(List<String> list, String one) {
    List<String> all = new ArrayList<>(list);
    all.add(one);
    return all;
  }
}
