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
  void everyOriginReachesAllInTheFewestLinksAndASeventhOfThemTwice() {
    HashRing roster = roster(300, 1);
    OverlayPaths chart = roster.overlayPaths(DEGREE, false);
    for (int i = 0; i < 300; i += 50) {
      Spread spread = spread(roster, id(i), (at, from) -> chart);
      assertThat(spread.hops).as("from " + i).isEqualTo(flood(roster, chart, id(i)));
      assertThat(spread.pushes / 299.0 - 1).as("from " + i).isBetween(0.05, 0.17);
    }
  }

  @Test
  void whoKnowsOfAMemberMoreDisagreesAboutFewWays() {
    HashRing before = roster(300, 1);
    HashRing after = roster(301, 1);
    OverlayPaths old = before.overlayPaths(DEGREE, false);
    OverlayPaths fresh = after.overlayPaths(DEGREE, false);
    Spread spread =
        spread(before, id(7), (at, from) -> (Hash64.mix(at.hash64()) & 1) == 0 ? old : fresh);
    assertThat(spread.hops.size()).as("reached without a graft").isGreaterThan(280);
  }

  @Test
  void payloadIsNotCarriedToAndFroBetweenZones() {
    HashRing roster = roster(300, 3);
    OverlayPaths chart = roster.overlayPaths(DEGREE, false);
    Spread spread = spread(roster, id(0), (at, from) -> chart);
    assertThat(spread.hops).hasSize(300);
    int links = 0;
    for (NodeId a : roster.members()) {
      for (NodeId b : roster.members()) {
        if (chart.hasLink(a, b) && !roster.zone(a).equals(roster.zone(b))) links++;
      }
    }
    assertThat(spread.betweenZones).isLessThan(links / 8);
  }

  @Test
  void whoIsNotOnTheChartPushesNothingAndIsPushedNothing() {
    OverlayPaths chart = roster(20, 1).overlayPaths(DEGREE, false);
    NodeId stranger = new NodeId("stranger");
    assertThat(chart.contains(stranger)).isFalse();
    assertThat(chart.hasLink(id(1), stranger)).isFalse();
    assertThat(chart.pushes(stranger, id(1), id(2))).isFalse();
    assertThat(chart.pushes(id(1), id(1), stranger)).isFalse();
  }

  private static final class Spread {
    final Map<NodeId, Integer> hops = new HashMap<>();
    int pushes;
    int betweenZones;
  }

  /** One link takes one step; each node goes by the chart that it has. */
  private static Spread spread(
      HashRing roster, NodeId origin, BiFunction<NodeId, NodeId, OverlayPaths> chartOf) {
    Spread spread = new Spread();
    spread.hops.put(origin, 0);
    ArrayDeque<NodeId> open = new ArrayDeque<>(java.util.List.of(origin));
    while (!open.isEmpty()) {
      NodeId at = open.remove();
      for (NodeId to : roster.members()) {
        if (!chartOf.apply(at, origin).pushes(origin, at, to)) continue;
        spread.pushes++;
        if (!roster.zone(at).equals(roster.zone(to))) spread.betweenZones++;
        if (spread.hops.putIfAbsent(to, spread.hops.getOrDefault(at, 0) + 1) == null) open.add(to);
      }
    }
    return spread;
  }

  private static Map<NodeId, Integer> flood(HashRing roster, OverlayPaths chart, NodeId origin) {
    Map<NodeId, Integer> hops = new HashMap<>(Map.of(origin, 0));
    ArrayDeque<NodeId> open = new ArrayDeque<>(java.util.List.of(origin));
    while (!open.isEmpty()) {
      NodeId at = open.remove();
      for (NodeId to : roster.members()) {
        if (!chart.hasLink(at, to)) continue;
        if (hops.putIfAbsent(to, hops.getOrDefault(at, 0) + 1) == null) open.add(to);
      }
    }
    return hops;
  }

  private static NodeId id(int i) {
    return new NodeId("n" + i);
  }

  private static HashRing roster(int count, int zones) {
    Map<NodeId, String> members = new HashMap<>();
    for (int i = 0; i < count; i++) members.put(id(i), "z" + i % zones);
    return HashRing.of(members);
  }
}
