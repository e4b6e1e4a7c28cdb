package org.quorumail.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.quorumail.cluster.ClusterMap.SpoolReplicas;
import org.quorumail.cluster.Formation.Member;

/**
 * The decision of the meta group's leader to move a replica of a spool to a member that holds fewer
 * than others, after nodes have joined or left. One replica moves at a time in the whole cluster:
 * the next one only when every member has reported that its groups have the members of the present
 * map. All members must have been ready for a minute without a break, as this leader saw it, so a
 * flapping node moves nothing. Used by one thread.
 */
public final class ReplicaSpread {
  /** Longer than restarts of a node that is being upgraded. */
  static final Duration STEADY_FOR = Duration.ofMinutes(1);

  /** With a smaller difference a move would only swap the two members. */
  static final int THRESHOLD = 2;

  private final LongSupplier nanoTime;
  private final Map<String, Long> readySince = new HashMap<>();

  public ReplicaSpread(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * A move of one replica.
   *
   * @param home of the spool
   * @param next the revision of the map with it
   * @param remaining the moves that are to follow it
   */
  public record Move(String home, Member from, Member to, ClusterMap next, int remaining) {}

  /** Forgets what it has seen: this node does not lead the meta group. */
  public void reset() {
    readySince.clear();
  }

  /** Runs one round; empty when nothing is to be moved now. */
  public Optional<Move> decide(
      ClusterMap map, MemberMetadata self, List<Membership.Member> others) {
    long now = nanoTime.getAsLong();
    readySince.keySet().removeIf(peer -> map.findPeer(peer).isEmpty());
    boolean allSteady = true;
    for (Member m : map.members()) {
      if (!NodeAdmission.isReady(m, self, others)) {
        readySince.remove(m.peerId());
        allSteady = false;
        continue;
      }
      long since = readySince.computeIfAbsent(m.peerId(), peer -> now);
      if (now - since < STEADY_FOR.toNanos()) allSteady = false;
    }
    return allSteady && isSettled(map, self, others) ? plan(map) : Optional.empty();
  }

  /**
   * Whether all changes of an earlier revision are done. A member of an older release, which could
   * not give up a replica, reports nothing.
   */
  public static boolean isSettled(
      ClusterMap map, MemberMetadata self, List<Membership.Member> others) {
    return map.members().stream()
        .allMatch(
            m ->
                m.peerId().equals(self.peerId())
                    ? self.isSettled(map.revision())
                    : others.stream()
                        .map(Membership.Member::metadata)
                        .anyMatch(
                            o -> o.peerId().equals(m.peerId()) && o.isSettled(map.revision())));
  }

  /** The next move by the numbers of replicas and the zones alone. */
  static Optional<Move> plan(ClusterMap map) {
    Optional<Move> first = nextMove(map);
    if (first.isEmpty()) return first;
    int remaining = 0;
    Optional<Move> later = nextMove(first.get().next);
    while (later.isPresent()) { // each one brings two numbers closer together
      remaining++;
      later = nextMove(later.get().next);
    }
    Move move = first.get();
    return Optional.of(new Move(move.home, move.from, move.to, move.next, remaining));
  }

  private static Optional<Move> nextMove(ClusterMap map) {
    Map<String, Integer> replicas = countReplicas(map);
    List<Member> byCount = new ArrayList<>(map.members());
    byCount.sort(
        Comparator.comparingInt((Member m) -> replicas.getOrDefault(m.peerId(), 0))
            .thenComparing(Member::nodeId));
    for (Member to : byCount) {
      for (Member from : byCount.reversed()) {
        int difference =
            replicas.getOrDefault(from.peerId(), 0) - replicas.getOrDefault(to.peerId(), 0);
        if (difference < THRESHOLD) break;
        Optional<Move> move = move(map, from, to);
        if (move.isPresent()) return move;
      }
    }
    return Optional.empty();
  }

  /** Spools of removed nodes are left out: they end when they are empty. */
  private static Map<String, Integer> countReplicas(ClusterMap map) {
    Map<String, Integer> replicas = new HashMap<>();
    map.spools()
        .forEach(
            (home, spool) -> {
              if (map.find(home).isEmpty()) return;
              for (String peer : spool.members()) replicas.merge(peer, 1, Integer::sum);
            });
    return replicas;
  }

  /**
   * The move of the spool that gains the most zones by it; empty when all would lose one, or the
   * second member holds all the spools of the first. A home keeps its own spool.
   */
  private static Optional<Move> move(ClusterMap map, Member from, Member to) {
    return map.spools().entrySet().stream()
        .filter(spool -> map.find(spool.getKey()).filter(home -> !home.equals(from)).isPresent())
        .filter(spool -> spool.getValue().members().contains(from.peerId()))
        .filter(spool -> !spool.getValue().members().contains(to.peerId()))
        .filter(spool -> zonesGained(map, spool.getValue(), from, to) >= 0)
        .max(
            Comparator.comparingLong(
                    (Map.Entry<String, SpoolReplicas> spool) ->
                        zonesGained(map, spool.getValue(), from, to))
                .thenComparing(Map.Entry::getKey, Comparator.reverseOrder()))
        .map(
            spool ->
                new Move(
                    spool.getKey(), from, to, map.withMovedReplica(spool.getKey(), from, to), 0));
  }

  private static long zonesGained(ClusterMap map, SpoolReplicas spool, Member from, Member to) {
    List<Member> present = spool.members().stream().flatMap(p -> map.findPeer(p).stream()).toList();
    List<Member> later = new ArrayList<>(present);
    later.remove(from);
    later.add(to);
    return zones(later) - zones(present);
  }

  private static long zones(List<Member> members) {
    return members.stream().map(Member::zone).distinct().count();
  }
}
