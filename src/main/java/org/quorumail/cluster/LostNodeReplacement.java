package org.quorumail.cluster;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.cluster.Membership.Presence;

/**
 * The decision of the meta group's leader to remove a node that has been away for long, when other
 * nodes can take all its places ({@code cluster.replace_after}). The time counts from the moment at
 * which this leader first saw the node away, without a break, so a flapping node is never removed.
 * Used by one thread.
 */
public final class LostNodeReplacement {
  private final Duration replaceAfter;
  private final LongSupplier nanoTime;
  private final Map<String, Long> awaySince = new HashMap<>();

  /**
   * @param replaceAfter zero: an operator decides
   */
  public LostNodeReplacement(Duration replaceAfter, LongSupplier nanoTime) {
    this.replaceAfter = replaceAfter;
    this.nanoTime = nanoTime;
  }

  /** A node that is to be removed now, and the next revision of the map. */
  public record Lost(String nodeId, Duration away, ClusterMap next) {}

  /** Forgets what it has seen: this node does not lead the meta group. */
  public void reset() {
    awaySince.clear();
  }

  /** Runs one round; at most one node is removed in it. */
  public Optional<Lost> decide(
      ClusterMap map,
      List<String> metaVoters,
      MemberMetadata self,
      List<Membership.Member> others) {
    if (replaceAfter.isZero()) return Optional.empty();
    long now = nanoTime.getAsLong();
    NodeRemoval removal = new NodeRemoval(map, metaVoters, self, others);
    awaySince.keySet().removeIf(peer -> map.findPeer(peer).isEmpty());
    Optional<Lost> lost = Optional.empty();
    for (Member m : map.members()) {
      if (m.peerId().equals(self.peerId()) || !isAway(m, others)) {
        awaySince.remove(m.peerId());
        continue;
      }
      Duration away = Duration.ofNanos(now - awaySince.computeIfAbsent(m.peerId(), p -> now));
      if (lost.isPresent() || away.compareTo(replaceAfter) < 0) continue;
      if (removal.problem(m.nodeId()).isPresent()) continue;
      ClusterMap next = removal.next(m.nodeId());
      if (fillsAllPlaces(map, next)) lost = Optional.of(new Lost(m.nodeId(), away, next));
    }
    return lost;
  }

  /** Whether there is a spare: without it the spools would have a replica less. */
  private static boolean fillsAllPlaces(ClusterMap map, ClusterMap next) {
    return map.spools().entrySet().stream()
        .allMatch(
            spool -> {
              ClusterMap.SpoolReplicas later = next.spools().get(spool.getKey());
              return later != null && later.members().size() >= spool.getValue().members().size();
            });
  }

  private static boolean isAway(Member member, List<Membership.Member> others) {
    return others.stream()
        .filter(o -> o.metadata().peerId().equals(member.peerId()))
        .noneMatch(o -> o.presence() == Presence.ALIVE || o.presence() == Presence.SUSPECT);
  }
}
