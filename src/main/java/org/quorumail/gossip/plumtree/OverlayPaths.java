package org.quorumail.gossip.plumtree;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.quorumail.gossip.Hash64;
import org.quorumail.gossip.NodeId;

/**
 * The shortest paths of the overlay, which all nodes compute alike from the same {@link HashRing}.
 * So all know the path of a message from any origin without a message. A member receives the
 * payload from a neighbour on a shortest path: one in its own zone, else that with the lowest hash
 * of both names. The members farthest from the origin receive it from two neighbours. The path with
 * the fewest links is not the quickest, and the last receivers gain most from a second one.
 *
 * <p>Nodes that see different members disagree only near the difference. The paths depend on
 * distances and hashes, not on the order of the members.
 */
final class OverlayPaths {
  /** The share of the members that receive a payload twice: the price of the time it saves. */
  private static final double DOUBLE_PUSH_SHARE = 0.15;

  /** The bound of origins with cached distances: about those of the messages in transit. */
  private static final int MAX_ORIGINS = 64;

  /** The cost of a link between zones; one inside a zone costs 1. */
  private static final int ZONE_CROSSING_COST = 4;

  private final Map<NodeId, Integer> indexes = new HashMap<>();
  private final long[] hashes;
  private final String[] zones;
  private final int[][] links;

  private final Map<Integer, Distances> byOrigin =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Distances> oldest) {
          return size() > MAX_ORIGINS;
        }
      };

  /**
   * @param degree the number of links that a member chooses, see {@link HashRing#neighbours}
   */
  OverlayPaths(HashRing ring, int degree, boolean adjacent) {
    List<NodeId> ids = List.copyOf(ring.members());
    hashes = new long[ids.size()];
    zones = new String[ids.size()];
    links = new int[ids.size()][0];
    for (int i = 0; i < hashes.length; i++) {
      indexes.put(ids.get(i), i);
      hashes[i] = ids.get(i).hash64();
      zones[i] = ring.zone(ids.get(i));
    }
    for (int i = 0; i < hashes.length; i++) {
      for (NodeId wanted : ring.neighbours(ids.get(i), degree, adjacent, Set.of())) {
        int j = indexes.getOrDefault(wanted, i);
        // A link exists when either end chooses it.
        link(i, j);
        link(j, i);
      }
    }
  }

  private void link(int from, int to) {
    if (areLinked(from, to)) return;
    links[from] = Arrays.copyOf(links[from], links[from].length + 1);
    links[from][links[from].length - 1] = to;
  }

  boolean contains(NodeId id) {
    return indexes.containsKey(id);
  }

  /** Returns whether the link is one that all nodes compute. */
  boolean hasLink(NodeId a, NodeId b) {
    Integer from = indexes.get(a);
    Integer to = indexes.get(b);
    return from != null && to != null && areLinked(from, to);
  }

  private boolean areLinked(int from, int to) {
    for (int known : links[from]) if (known == to) return true;
    return false;
  }

  /** Returns whether a node pushes the messages of an origin to its neighbour. */
  boolean pushes(NodeId origin, NodeId from, NodeId to) {
    Integer root = indexes.get(origin);
    Integer near = indexes.get(from);
    Integer far = indexes.get(to);
    if (root == null || near == null || far == null || !areLinked(near, far)) return false;
    Distances distances = byOrigin.computeIfAbsent(root, Distances::new);
    return distances.isOnShortestPath(near, far)
        && distances.rank(near, far) < distances.pushers(far);
  }

  private int cost(int from, int to) {
    return zones[from].equals(zones[to]) ? 1 : ZONE_CROSSING_COST;
  }

  /** The costs of the shortest paths from one origin to all members. */
  private final class Distances {
    private final int root;
    private final int[] from = new int[hashes.length];

    /** Beyond this distance members have two pushers; at this distance a share of them has. */
    private int boundary;

    private double shareAtBoundary;

    Distances(int root) {
      this.root = root;
      Arrays.fill(from, Integer.MAX_VALUE);
      from[root] = 0;
      int[] order = new int[hashes.length];
      int found = 0;
      // Dijkstra's algorithm; an open member is its distance and, in the lower bits, its index.
      PriorityQueue<Long> open = new PriorityQueue<>();
      open.add((long) root);
      while (!open.isEmpty()) {
        long nearest = open.remove();
        int index = (int) nearest;
        if (nearest >>> 32 > from[index]) continue;
        order[found++] = index;
        for (int next : links[index]) {
          int distance = from[index] + cost(index, next);
          if (distance >= from[next]) continue;
          from[next] = distance;
          open.add((long) distance << 32 | next);
        }
      }
      chooseBoundary(order, found);
    }

    boolean isOnShortestPath(int near, int far) {
      return from[near] + cost(near, far) == from[far];
    }

    /** The number of neighbours on equally short paths that are preferred to this one. */
    int rank(int near, int far) {
      long own = preference(near, far);
      int before = 0;
      for (int other : links[far]) {
        if (isOnShortestPath(other, far) && preference(other, far) < own) before++;
      }
      return before;
    }

    private long preference(int near, int far) {
      long chance = Hash64.mix(hashes[near] ^ Hash64.mix(hashes[root] + hashes[far])) >>> 2;
      return zones[near].equals(zones[far]) ? chance : chance + (1L << 62);
    }

    private void chooseBoundary(int[] order, int found) {
      int left = (int) (DOUBLE_PUSH_SHARE * found);
      int last = found - 1;
      while (last >= 0) {
        boundary = from[order[last]];
        int size = 0;
        while (last >= 0 && from[order[last]] == boundary) {
          last--;
          size++;
        }
        if (size > left) {
          shareAtBoundary = left / (double) size;
          return;
        }
        left -= size;
      }
    }

    int pushers(int node) {
      if (from[node] != boundary) return from[node] > boundary ? 2 : 1;
      long chance = Hash64.mix(hashes[node] + 31 * hashes[root]) >>> 11;
      return chance * 0x1p-53 < shareAtBoundary ? 2 : 1;
    }
  }
}
