package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.quorumail.gossip.Hash64;
import org.quorumail.gossip.NodeId;

/**
 * A snapshot of the members, ordered on rings by hashes of their names; each ring has a hash of its
 * own. Nodes that see the same members compute the same rings. So both ends know of the link "my
 * next on ring r" without a message. A change of the membership affects only the links beside it.
 * Several such rings form a random regular graph, whose diameter is that of a random overlay (as in
 * Rapid, ATC 2018).
 *
 * <p>The rings of a zone hold only its members. Zones with fewer than three members share one.
 *
 * <p>It is immutable for its users, and the nodes of a simulation share it.
 */
public final class HashRing {
  /** With fewer members the next and the previous member are the same. */
  private static final int SMALLEST_ZONE = 3;

  public static final HashRing EMPTY = new HashRing(new TreeMap<>());

  private final NavigableMap<NodeId, String> zones;
  private final Map<String, List<NodeId>> byZone = new HashMap<>();
  private final Map<RingKey, Ring> rings = new HashMap<>();
  private final Map<PathsKey, OverlayPaths> paths = new HashMap<>();

  private HashRing(NavigableMap<NodeId, String> zones) {
    this.zones = zones;
    Map<String, Integer> sizes = new HashMap<>();
    zones.values().forEach(zone -> sizes.merge(zone, 1, Integer::sum));
    zones.forEach(
        (id, zone) -> {
          String group = sizes.getOrDefault(zone, 0) < SMALLEST_ZONE ? "" : zone;
          byZone.computeIfAbsent(group, g -> new ArrayList<>()).add(id);
        });
  }

  /** Creates a snapshot of the members and their zones; the node itself is one of them. */
  public static HashRing of(Map<NodeId, String> members) {
    return new HashRing(new TreeMap<>(members));
  }

  HashRing withChanges(Map<NodeId, String> added, Collection<NodeId> removed) {
    NavigableMap<NodeId, String> copy = new TreeMap<>(zones);
    copy.putAll(added);
    removed.forEach(copy::remove);
    return new HashRing(copy);
  }

  public int size() {
    return zones.size();
  }

  public boolean contains(NodeId id) {
    return zones.containsKey(id);
  }

  public Set<NodeId> members() {
    return zones.keySet();
  }

  /** The zone of a member; the empty text for other nodes. */
  String zone(NodeId id) {
    return zones.getOrDefault(id, "");
  }

  /**
   * The members that a node links to, the most important first.
   *
   * @param degree the number of links, if there are enough members
   * @param adjacent take two on either side of the first ring instead of one on either of two
   * @param excluded unreachable members; the next members behind them replace them
   */
  List<NodeId> neighbours(NodeId self, int degree, boolean adjacent, Set<NodeId> excluded) {
    Set<NodeId> chosen = new LinkedHashSet<>();
    if (zones.size() - 1 <= degree) {
      for (NodeId id : zones.keySet()) {
        if (!id.equals(self) && !excluded.contains(id)) chosen.add(id);
      }
      return List.copyOf(chosen);
    }
    String group = group(self);
    boolean zoned = byZone.size() > 1;
    int wanted = (degree + 1) / 2;
    int global = zoned ? Math.max(1, wanted / 3) : wanted;
    for (int r = 0; r < global && chosen.size() < degree; r++) {
      int reach = adjacent && r == 0 ? 2 : 1;
      if (adjacent && r == 1) continue;
      ring("", r, false).addNeighbours(self, reach, excluded, chosen);
    }
    for (int r = 0; zoned && r < wanted - global; r++) {
      ring(group, r, true).addNeighbours(self, 1, excluded, chosen);
    }
    // Several rings gave the same node, or the zone is too small: go further on the first ring.
    for (int reach = 2; chosen.size() < degree && reach <= degree; reach++) {
      ring("", 0, false).addNeighbours(self, reach, excluded, chosen);
    }
    return List.copyOf(chosen);
  }

  /** The members beside a node on the first ring, whose links are protected from eviction. */
  Set<NodeId> protectedNeighbours(NodeId self, int count) {
    Set<NodeId> beside = new HashSet<>();
    if (count > 0) ring("", 0, false).addNeighbours(self, (count + 1) / 2, Set.of(), beside);
    return beside;
  }

  /** The paths over the links of all members; computed once, on the first call. */
  OverlayPaths overlayPaths(int degree, boolean adjacent) {
    return paths.computeIfAbsent(
        new PathsKey(degree, adjacent), name -> new OverlayPaths(this, degree, adjacent));
  }

  private record PathsKey(int degree, boolean adjacent) {}

  private String group(NodeId self) {
    String zone = zone(self);
    return byZone.containsKey(zone) ? zone : "";
  }

  private record RingKey(String zone, int number, boolean zoned) {}

  private Ring ring(String zone, int number, boolean zoned) {
    return rings.computeIfAbsent(
        new RingKey(zone, number, zoned),
        name ->
            new Ring(
                zoned ? byZone.getOrDefault(zone, List.of()) : zones.keySet(),
                // Salts of its own: a zone's ring must not repeat a part of a global one.
                zoned ? 1_000 + number : number));
  }

  /** The members in the order of their hashes. */
  private static final class Ring {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private final long salt;
    private final long[] hashes;
    private final NodeId[] ids;

    Ring(Collection<NodeId> members, int number) {
      salt = number * GOLDEN;
      TreeMap<Long, NodeId> order = new TreeMap<>();
      for (NodeId id : members) {
        long hash = hash(id);
        // Two names with one hash: the second takes the next free hash, the same on every node.
        while (order.containsKey(hash)) hash++;
        order.put(hash, id);
      }
      hashes = new long[order.size()];
      ids = new NodeId[order.size()];
      int i = 0;
      for (Map.Entry<Long, NodeId> e : order.entrySet()) {
        hashes[i] = e.getKey();
        ids[i++] = e.getValue();
      }
    }

    private long hash(NodeId id) {
      return Hash64.mix(id.hash64() + salt);
    }

    void addNeighbours(NodeId self, int reach, Set<NodeId> excluded, Set<NodeId> chosen) {
      int index = Arrays.binarySearch(hashes, hash(self));
      int after = index < 0 ? -index - 1 : index + 1;
      int before = index < 0 ? -index - 2 : index - 1;
      walk(after, 1, self, reach, excluded, chosen);
      walk(before, -1, self, reach, excluded, chosen);
    }

    private void walk(
        int start, int step, NodeId self, int reach, Set<NodeId> excluded, Set<NodeId> chosen) {
      int found = 0;
      for (int i = 0; i < ids.length && found < reach; i++) {
        NodeId id = ids[Math.floorMod(start + step * i, ids.length)];
        if (id.equals(self) || excluded.contains(id)) continue;
        chosen.add(id);
        found++;
      }
    }
  }
}
