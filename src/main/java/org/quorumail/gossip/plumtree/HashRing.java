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
 * The members at one moment, arranged on rings: on each the members stand by a hash of their name
 * that differs from ring to ring. Whoever sees the same members sees the same rings, so "my next on
 * ring r" is a link that both ends know of without a word, and a member that comes or goes changes
 * only the links of those beside it. Several such rings are a random regular graph, whose diameter
 * is that of a random overlay (as in Rapid, ATC 2018).
 *
 * <p>On the rings of a zone only its members stand. Zones with fewer than three members share one.
 *
 * <p>Immutable, and shared freely by the nodes of a simulation.
 */
public final class HashRing {
  /** Fewer cannot be told from a pair: the next and the one before would be the same. */
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

  /** The members and their zones, the node itself among them. */
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

  /** Empty text for a node that is no member. */
  String zone(NodeId id) {
    return zones.getOrDefault(id, "");
  }

  /**
   * Whom a node has to link to, most important first.
   *
   * @param degree links wanted; the answer has that many if there are enough members
   * @param adjacent take two on either side of the first ring instead of one on either of two
   * @param excluded members that cannot be reached now; the next behind them take their place
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
    // Rings that met the same node twice, or a zone too small: go further out on the first one.
    for (int reach = 2; chosen.size() < degree && reach <= degree; reach++) {
      ring("", 0, false).addNeighbours(self, reach, excluded, chosen);
    }
    return List.copyOf(chosen);
  }

  /** Members beside a node on the first ring: links of the hash ring that are protected. */
  Set<NodeId> protectedNeighbours(NodeId self, int count) {
    Set<NodeId> beside = new HashSet<>();
    if (count > 0) ring("", 0, false).addNeighbours(self, (count + 1) / 2, Set.of(), beside);
    return beside;
  }

  /** The overlay in which everyone has these links: drawn once, when first asked for. */
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
                // Different salts: a zone's ring must not repeat a piece of a global one.
                zoned ? 1_000 + number : number));
  }

  /** Members in the order of their hash. */
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
        // Two names with one hash: the next free place, the same on every node.
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
      int place = Arrays.binarySearch(hashes, hash(self));
      int after = place < 0 ? -place - 1 : place + 1;
      int before = place < 0 ? -place - 2 : place - 1;
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
