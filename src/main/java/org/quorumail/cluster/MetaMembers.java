package org.quorumail.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The members of the meta group. Three or five of the cluster's nodes vote, one or two in a cluster
 * of that size; all others listen. A new member listens first, and votes when it has caught up.
 *
 * @param voters peer ids
 * @param listeners peer ids of members that get the log and do not vote
 */
public record MetaMembers(List<String> voters, List<String> listeners) {
  private static final int VOTERS_MAX = 5;

  public MetaMembers {
    voters = List.copyOf(voters);
    listeners = List.copyOf(listeners);
  }

  /** The number of voters in a cluster of that size: more than five only cost time. */
  static int voterCount(int nodes) {
    int n = Math.min(nodes, VOTERS_MAX);
    return n > 2 && n % 2 == 0 ? n - 1 : n;
  }

  /**
   * The next step towards what the cluster map asks for: one member changes, never two.
   *
   * @param isReady selects the peers that run and have opened the group
   * @param isCaughtUp selects the listeners that have about all of the log
   * @return empty when nothing is to be done now
   */
  public Optional<MetaMembers> next(
      ClusterMap map, Predicate<String> isReady, Predicate<String> isCaughtUp) {
    if (voters.size() < voterCount(map.members().size())) {
      for (String peer : listeners) {
        boolean member = map.findPeer(peer).isPresent();
        if (member && isReady.test(peer) && isCaughtUp.test(peer))
          return Optional.of(new MetaMembers(plus(voters, peer), minus(listeners, peer)));
      }
    }
    for (Formation.Member member : map.members()) {
      String peer = member.peerId();
      boolean isNew = !voters.contains(peer) && !listeners.contains(peer);
      if (isNew && isReady.test(peer))
        return Optional.of(new MetaMembers(voters, plus(listeners, peer)));
    }
    return Optional.empty();
  }

  private static List<String> plus(List<String> list, String one) {
    List<String> all = new ArrayList<>(list);
    all.add(one);
    return all;
  }

  private static List<String> minus(List<String> list, String one) {
    return list.stream().filter(s -> !s.equals(one)).toList();
  }
}
