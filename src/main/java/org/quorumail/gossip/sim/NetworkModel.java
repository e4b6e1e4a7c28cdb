package org.quorumail.gossip.sim;

import java.util.SplittableRandom;
import org.quorumail.gossip.sim.MembershipScenario.NetworkConditions;

/**
 * The model of the network. Latency is uniform between two bounds, per pair of zones. Loss,
 * duplication and reordering are independent per packet. A partition applies when a packet is sent.
 *
 * <p>A stream behaves like TCP. A lost packet of the handshake costs 1 s, then 2 s and 4 s. A lost
 * segment costs 200 ms, doubling. After six losses in a row the message is lost.
 */
final class NetworkModel {
  private static final int HANDSHAKE_RETRY_MILLIS = 1_000;
  private static final int SEGMENT_RETRY_MILLIS = 200;
  private static final int STREAM_ATTEMPTS = 6;

  private final NetworkConditions conditions;
  private final SplittableRandom random;
  private final int[] side;
  private final boolean[] deaf;
  private boolean partitioned;
  private boolean anyDeaf;

  NetworkModel(NetworkConditions conditions, int nodes, SplittableRandom random) {
    this.conditions = conditions;
    this.random = random;
    this.side = new int[nodes];
    this.deaf = new boolean[nodes];
  }

  int zone(int node) {
    return node % conditions.zones();
  }

  /** Separates the first nodes, so many, from the others. */
  void partition(int first) {
    for (int i = 0; i < side.length; i++) side[i] = i < first ? 1 : 0;
    partitioned = true;
  }

  void heal() {
    partitioned = false;
  }

  /** Drops the packets to this node, while packets from it arrive. */
  void deafen(int node, boolean isDeaf) {
    deaf[node] = isDeaf;
    anyDeaf = anyDeaf || isDeaf;
  }

  boolean isCut(int from, int to) {
    return (partitioned && side[from] != side[to]) || (anyDeaf && deaf[to]);
  }

  /** The delay of a datagram in milliseconds, or -1 when it is lost. */
  int datagram(int from, int to) {
    if (isCut(from, to) || isLost()) return -1;
    int delay = latency(from, to);
    if (conditions.reordering() > 0 && random.nextDouble() < conditions.reordering()) {
      delay += random.nextInt(2 * conditions.maxLatency() + 1);
    }
    return delay;
  }

  boolean isDoubled() {
    return conditions.duplication() > 0 && random.nextDouble() < conditions.duplication();
  }

  /** The delay of a message over a stream in milliseconds, or -1 when the stream fails. */
  int stream(int from, int to, boolean isOpen) {
    if (isCut(from, to) || isCut(to, from)) return -1;
    int delay = 0;
    if (!isOpen) {
      delay = retryDelay(HANDSHAKE_RETRY_MILLIS, true);
      if (delay < 0) return -1;
      delay += latency(from, to) + latency(to, from);
    }
    int data = retryDelay(SEGMENT_RETRY_MILLIS, false);
    return data < 0 ? -1 : delay + data + latency(from, to);
  }

  /** A typical round trip, in milliseconds, for packets that are not modelled one by one. */
  int roundTrip() {
    return conditions.minLatency() + conditions.maxLatency();
  }

  private int retryDelay(int firstWait, boolean bothWays) {
    int waited = 0;
    int wait = firstWait;
    for (int attempt = 0; attempt < STREAM_ATTEMPTS; attempt++) {
      if (!isLost() && !(bothWays && isLost())) return waited;
      waited += wait;
      wait *= 2;
    }
    return -1;
  }

  private boolean isLost() {
    return conditions.loss() > 0 && random.nextDouble() < conditions.loss();
  }

  private int latency(int from, int to) {
    int spread = conditions.maxLatency() - conditions.minLatency();
    int delay = conditions.minLatency() + (spread > 0 ? random.nextInt(spread + 1) : 0);
    return zone(from) == zone(to) ? delay : delay + conditions.betweenZones();
  }
}
