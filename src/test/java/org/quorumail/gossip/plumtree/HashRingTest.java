package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;

class HashRingTest {
  private static final int DEGREE = 6;

  @Test
  void bothEndsComputeEveryLink() {
    for (int zones : new int[] {1, 3}) {
      Map<NodeId, List<NodeId>> links = links(ring(1_000, zones));
      long oneSided = 0;
      for (Map.Entry<NodeId, List<NodeId>> e : links.entrySet()) {
        for (NodeId peer : e.getValue()) {
          if (!links.getOrDefault(peer, List.of()).contains(e.getKey())) oneSided++;
        }
      }
      // Where two rings give the same node, one end goes further out and requests its link.
      assertThat(oneSided).isLessThan(1_000 * DEGREE / 100);
    }
  }

  @Test
  void everyMemberHasTheDegreeOrMoreButNotTwiceTheDegree() {
    for (int zones : new int[] {1, 3, 19}) {
      Map<NodeId, Integer> degrees = new HashMap<>();
      links(ring(500, zones))
          .forEach(
              (id, peers) -> {
                assertThat(peers).hasSizeBetween(DEGREE, DEGREE + 1);
                peers.forEach(p -> degrees.merge(p, 1, Integer::sum));
              });
      assertThat(degrees.values()).allMatch(d -> d < 2 * DEGREE);
    }
  }

  @Test
  void withZonesTwoThirdsOfTheLinksStayInTheZoneAndTheOverlayIsConnected() {
    HashRing ring = ring(900, 3);
    Map<NodeId, List<NodeId>> links = links(ring);
    long inZone = 0;
    long all = 0;
    for (Map.Entry<NodeId, List<NodeId>> e : links.entrySet()) {
      for (NodeId peer : e.getValue()) {
        all++;
        if (ring.zone(peer).equals(ring.zone(e.getKey()))) inZone++;
      }
    }
    assertThat(inZone / (double) all).isBetween(0.66, 0.85);
    assertThat(reachable(links)).hasSize(900);
  }

  @Test
  void aZoneOfOneNodeIsLinkedAsWellAsTheOthers() {
    Map<NodeId, String> members = new TreeMap<>();
    for (int i = 0; i < 50; i++)
      members.put(new NodeId("n" + i), i == 7 ? "lonely" : "z" + (i % 2));
    Map<NodeId, List<NodeId>> links = links(HashRing.of(members));
    assertThat(links.get(new NodeId("n7"))).hasSize(DEGREE);
    assertThat(reachable(links)).hasSize(50);
  }

  @Test
  void aNewMemberChangesOnlyTheLinksBesideIt() {
    HashRing before = ring(1_000, 1);
    HashRing after = before.withChanges(Map.of(new NodeId("joiner"), "z0"), List.of());
    Map<NodeId, List<NodeId>> old = links(before);
    Map<NodeId, List<NodeId>> now = links(after);
    long changed = old.keySet().stream().filter(id -> !same(old, now, id)).count();
    assertThat(changed).isLessThanOrEqualTo(DEGREE);
  }

  @Test
  void anUnreachableMemberIsReplacedByTheNextOnBothSides() {
    HashRing ring = ring(200, 1);
    NodeId dead = new NodeId("n5");
    for (NodeId id : ring.neighbours(dead, DEGREE, false, Set.of())) {
      List<NodeId> replaced = ring.neighbours(id, DEGREE, false, Set.of(dead));
      assertThat(replaced).hasSize(DEGREE).doesNotContain(dead);
      for (NodeId peer : replaced) {
        assertThat(ring.neighbours(peer, DEGREE, false, Set.of(dead))).contains(id);
      }
    }
  }

  @Test
  void aSmallClusterIsAFullMesh() {
    HashRing ring = ring(5, 3);
    for (NodeId id : ring.members()) {
      assertThat(ring.neighbours(id, DEGREE, false, Set.of())).hasSize(4).doesNotContain(id);
    }
  }

  @Test
  void theHashRingLinksTheNextTwoOnEitherSideAndStillSpansTheNetworkInFewHops() {
    HashRing ring = ring(1_000, 1);
    Map<NodeId, List<NodeId>> links = new TreeMap<>();
    for (NodeId id : ring.members()) {
      links.put(id, ring.neighbours(id, DEGREE, true, Set.of()));
      assertThat(links.get(id)).containsAll(ring.protectedNeighbours(id, 4));
    }
    assertThat(reachable(links)).hasSize(1_000);
  }

  private static boolean same(Map<NodeId, List<NodeId>> a, Map<NodeId, List<NodeId>> b, NodeId id) {
    return new HashSet<>(a.getOrDefault(id, List.of()))
        .equals(new HashSet<>(b.getOrDefault(id, List.of())));
  }

  private static Set<NodeId> reachable(Map<NodeId, List<NodeId>> links) {
    Set<NodeId> seen = new HashSet<>();
    ArrayDeque<NodeId> open = new ArrayDeque<>(List.of(links.keySet().iterator().next()));
    while (!open.isEmpty()) {
      NodeId id = open.remove();
      if (seen.add(id)) open.addAll(links.getOrDefault(id, List.of()));
    }
    return seen;
  }

  private static Map<NodeId, List<NodeId>> links(HashRing ring) {
    Map<NodeId, List<NodeId>> links = new TreeMap<>();
    for (NodeId id : ring.members()) {
      links.put(id, ring.neighbours(id, DEGREE, false, Set.of()));
    }
    return links;
  }

  private static HashRing ring(int size, int zones) {
    Map<NodeId, String> members = new TreeMap<>();
    for (int i = 0; i < size; i++) members.put(new NodeId("n" + i), "z" + (i % zones));
    return HashRing.of(members);
  }
}
