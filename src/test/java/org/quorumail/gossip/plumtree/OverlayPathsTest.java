package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.Hash64;
import org.quorumail.gossip.NodeId;

class OverlayPathsTest {
  private static final int DEGREE = 6;

  @Test
  void everyOriginReachesAllMembersInTheFewestLinksAndASeventhOfThemTwice() {
    HashRing ring = ring(300, 1);
    OverlayPaths paths = ring.overlayPaths(DEGREE, false);
    for (int i = 0; i < 300; i += 50) {
      Spread spread = spread(ring, id(i), (at, from) -> paths);
      assertThat(spread.hops).as("from " + i).isEqualTo(flood(ring, paths, id(i)));
      assertThat(spread.pushes / 299.0 - 1).as("from " + i).isBetween(0.05, 0.17);
    }
  }

  @Test
  void oneMoreMemberChangesFewPaths() {
    HashRing before = ring(300, 1);
    HashRing after = ring(301, 1);
    OverlayPaths old = before.overlayPaths(DEGREE, false);
    OverlayPaths fresh = after.overlayPaths(DEGREE, false);
    Spread spread =
        spread(before, id(7), (at, from) -> (Hash64.mix(at.hash64()) & 1) == 0 ? old : fresh);
    assertThat(spread.hops.size()).as("reached without a graft").isGreaterThan(280);
  }

  @Test
  void payloadCrossesZonesRarely() {
    HashRing ring = ring(300, 3);
    OverlayPaths paths = ring.overlayPaths(DEGREE, false);
    Spread spread = spread(ring, id(0), (at, from) -> paths);
    assertThat(spread.hops).hasSize(300);
    int links = 0;
    for (NodeId a : ring.members()) {
      for (NodeId b : ring.members()) {
        if (paths.hasLink(a, b) && !ring.zone(a).equals(ring.zone(b))) links++;
      }
    }
    assertThat(spread.betweenZones).isLessThan(links / 8);
  }

  @Test
  void aNodeThatIsNoMemberIsOnNoPath() {
    OverlayPaths paths = ring(20, 1).overlayPaths(DEGREE, false);
    NodeId stranger = new NodeId("stranger");
    assertThat(paths.contains(stranger)).isFalse();
    assertThat(paths.hasLink(id(1), stranger)).isFalse();
    assertThat(paths.pushes(stranger, id(1), id(2))).isFalse();
    assertThat(paths.pushes(id(1), id(1), stranger)).isFalse();
  }

  private static final class Spread {
    final Map<NodeId, Integer> hops = new HashMap<>();
    int pushes;
    int betweenZones;
  }

  /** One link takes one step; each node uses its own paths. */
  private static Spread spread(
      HashRing ring, NodeId origin, BiFunction<NodeId, NodeId, OverlayPaths> pathsOf) {
    Spread spread = new Spread();
    spread.hops.put(origin, 0);
    ArrayDeque<NodeId> open = new ArrayDeque<>(java.util.List.of(origin));
    while (!open.isEmpty()) {
      NodeId at = open.remove();
      for (NodeId to : ring.members()) {
        if (!pathsOf.apply(at, origin).pushes(origin, at, to)) continue;
        spread.pushes++;
        if (!ring.zone(at).equals(ring.zone(to))) spread.betweenZones++;
        if (spread.hops.putIfAbsent(to, spread.hops.getOrDefault(at, 0) + 1) == null) open.add(to);
      }
    }
    return spread;
  }

  private static Map<NodeId, Integer> flood(HashRing ring, OverlayPaths paths, NodeId origin) {
    Map<NodeId, Integer> hops = new HashMap<>(Map.of(origin, 0));
    ArrayDeque<NodeId> open = new ArrayDeque<>(java.util.List.of(origin));
    while (!open.isEmpty()) {
      NodeId at = open.remove();
      for (NodeId to : ring.members()) {
        if (!paths.hasLink(at, to)) continue;
        if (hops.putIfAbsent(to, hops.getOrDefault(at, 0) + 1) == null) open.add(to);
      }
    }
    return hops;
  }

  private static NodeId id(int i) {
    return new NodeId("n" + i);
  }

  private static HashRing ring(int count, int zones) {
    Map<NodeId, String> members = new HashMap<>();
    for (int i = 0; i < count; i++) members.put(id(i), "z" + i % zones);
    return HashRing.of(members);
  }
}
