package org.quorumail.gossip.sim;

import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.function.IntFunction;

/** The latencies between each two nodes, 10 to 50 ms one way, from one seed. */
final class PairLatencies {
  private static final long LEAST_MILLIS = 10;
  private static final int SPREAD_MILLIS = 41;

  private final long seed;

  PairLatencies(long seed) {
    this.seed = seed;
  }

  /** The latency in milliseconds; the same both ways. */
  long latency(int a, int b) {
    long pair = ((long) Math.min(a, b) << 32) | Math.max(a, b);
    return LEAST_MILLIS + Math.floorMod(mix(pair * 31 + seed), SPREAD_MILLIS);
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /**
   * The time to reach all nodes when every node floods to all its neighbours.
   *
   * @param neighbours the running neighbours of a node
   */
  long floodMillis(int nodes, int origin, IntFunction<int[]> neighbours) {
    long[] at = new long[nodes];
    Arrays.fill(at, Long.MAX_VALUE);
    at[origin] = 0;
    PriorityQueue<long[]> open = new PriorityQueue<>((x, y) -> Long.compare(x[0], y[0]));
    open.add(new long[] {0, origin});
    long last = 0;
    while (!open.isEmpty()) {
      long[] next = open.remove();
      int node = (int) next[1];
      if (next[0] > at[node]) continue;
      last = next[0];
      for (int peer : neighbours.apply(node)) {
        long when = next[0] + latency(node, peer) + 1;
        if (when >= at[peer]) continue;
        at[peer] = when;
        open.add(new long[] {when, peer});
      }
    }
    return last;
  }
}
