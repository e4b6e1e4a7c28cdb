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
 * The overlay as a map: who is linked to whom, as everybody computes it from the same {@link
 * Roster}. So the way of a message from any origin is known to all without a word: everyone has it
 * from a neighbour that is nearer to the origin by the link between them, and of several such
 * neighbours from one in its own zone, or else from the one whose hash with its own name is the
 * lowest. A share of the members, those farthest from the origin first, has it from two: the way
 * with the fewest links is not the quickest, and the last to hear gain most from a second one.
 *
 * <p>Two nodes that see different members disagree only near what they see differently: nothing
 * here hangs on the order in which members stand, only on distances and hashes.
 */
final class OverlayPaths {
  /** So many of the members hear everything twice: the price of the time it saves. */
  private static final double DOUBLE_PUSH_SHARE = 0.15;

  /** Origins whose distances are kept: those of the messages that are on their way at a time. */
  private static final int MAX_ORIGINS = 64;

  /** Links inside a zone that take as long as one to another zone. */
  private static final int ZONE_CROSSING_COST = 4;

  private final Map<NodeId, Integer> indexes = new HashMap<>();
  private final long[] hashes;
  private final String[] zones;
  private final int[][] links;

  private final Map<Integer, Distances> byOrigin =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Distances> eldest) {
          return size() > MAX_ORIGINS;
        }
      };

  /**
   * @param degree links that everyone wants, see {@link HashRing#neighbours}
   */
  OverlayPaths(HashRing roster, int degree, boolean adjacent) {
    List<NodeId> ids = List.copyOf(roster.members());
    hashes = new long[ids.size()];
    zones = new String[ids.size()];
    links = new int[ids.size()][0];
    for (int i = 0; i < hashes.length; i++) {
      indexes.put(ids.get(i), i);
      hashes[i] = ids.get(i).hash64();
      zones[i] = roster.zone(ids.get(i));
    }
    for (int i = 0; i < hashes.length; i++) {
      for (NodeId wanted : roster.neighbours(ids.get(i), degree, adjacent, Set.of())) {
        int j = indexes.getOrDefault(wanted, i);
        // A link is there when either end wants it.
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

  /** Whether everybody knows of this link. */
  boolean hasLink(NodeId a, NodeId b) {
    Integer from = indexes.get(a);
    Integer to = indexes.get(b);
    return from != null && to != null && areLinked(from, to);
  }

  private boolean areLinked(int from, int to) {
    for (int known : links[from]) if (known == to) return true;
    return false;
  }

  /** Whether a node has to push to its neighbour what an origin says. */
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

  /** How many links everyone is away from one origin. */
  private final class Distances {
    private final int root;
    private final int[] from = new int[hashes.length];

    /** Behind this distance all have two pushers, at it a share of them. */
    private int boundary;

    private double shareAtBoundary;

    Distances(int root) {
      this.root = root;
      Arrays.fill(from, Integer.MAX_VALUE);
      from[root] = 0;
      int[] order = new int[hashes.length];
      int found = 0;
      // Dijkstra's; what is open stands as its distance before its place, in one number.
      PriorityQueue<Long> open = new PriorityQueue<>();
      open.add((long) root);
      while (!open.isEmpty()) {
        long nearest = open.remove();
        int place = (int) nearest;
        if (nearest >>> 32 > from[place]) continue;
        order[found++] = place;
        for (int next : links[place]) {
          int distance = from[place] + cost(place, next);
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

    /** How many come before this one of those over whom the way to a node is as short. */
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
