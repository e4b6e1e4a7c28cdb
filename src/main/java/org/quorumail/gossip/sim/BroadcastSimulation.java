package org.quorumail.gossip.sim;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.HashRing;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeEffect;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Deliver;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;

/**
 * A simulation of many Plumtree cores and their network, on one virtual clock and from one seed.
 * The latency of each pair of nodes is 10 to 50 ms one way, and up to 2 ms more per message.
 */
public final class BroadcastSimulation {
  /** UDP and IP headers, counted for every message. */
  static final int HEADER_BYTES = 28;

  /** The course of one broadcast. */
  static final class BroadcastTrace {
    final int origin;
    final long sentAt;
    final boolean[] has;
    int delivered;
    int payloads;
    int lastHop;
    long lastAt;
    int duplicates;

    BroadcastTrace(int origin, long sentAt, int nodes) {
      this.origin = origin;
      this.sentAt = sentAt;
      this.has = new boolean[nodes];
    }

    /** Relative message redundancy: payloads sent per receiver, less the one that it needs. */
    double redundancy() {
      return delivered == 0 ? 0 : payloads / (double) delivered - 1;
    }

    long fullMillis() {
      return lastAt - sentAt;
    }
  }

  private static final byte MESSAGE = 0;
  private static final byte BROKEN_CONNECTION = 1;
  private static final byte TICK = 2;

  /** A check looks at all tables of one core, so it follows one of so many events. */
  private static final int EVENTS_PER_CHECK = 4_096;

  final int size;
  final PlumtreeConfig config;
  final PlumtreeCounters tally = new PlumtreeCounters();
  final Map<BroadcastId, BroadcastTrace> traces = new HashMap<>();
  private final NodeId[] ids;
  private final String[] zones;
  private final Plumtree[] cores;
  private final boolean[] alive;
  private final long[] tickAt;
  private final SplittableRandom random;
  private final long seed;
  private final PairLatencies latencies;
  private final PlumtreeCodec codec;
  private @Nullable PlumtreeMessage lastEncoded;
  private int lastSize;

  private final CalendarQueue queue = new CalendarQueue();
  private long now = 1_000;
  double loss;
  boolean connections = true;
  BiPredicate<Integer, Integer> cut = (from, to) -> false;
  long bytes;
  long messages;
  long events;

  BroadcastSimulation(int size, int zoneCount, long seed, PlumtreeConfig config) {
    this.size = size;
    this.config = config;
    this.seed = seed;
    this.latencies = new PairLatencies(seed);
    this.random = new SplittableRandom(seed);
    this.codec = new PlumtreeCodec(config.maxMessageSize());
    this.ids = new NodeId[size];
    this.zones = new String[size];
    this.cores = new Plumtree[size];
    this.alive = new boolean[size];
    this.tickAt = new long[size];
    Arrays.fill(alive, true);
    Arrays.fill(tickAt, Long.MAX_VALUE);
    for (int i = 0; i < size; i++) {
      ids[i] = new NodeId("n" + i);
      zones[i] = "z" + (i % zoneCount);
    }
    HashRing all = roster(i -> true);
    for (int i = 0; i < size; i++) cores[i] = core(i, 1);
    for (int i = 0; i < size; i++) reconcile(i, all);
    run(1_500);
  }

  private Plumtree core(int i, long incarnation) {
    return new Plumtree(
        ids[i], zones[i], incarnation, config, new SplittableRandom(seed * 31 + i), tally, now);
  }

  long now() {
    return now;
  }

  /** The number in a node id: the ids are n0, n1 and so on. */
  private static int indexOf(NodeId id) {
    return Integer.parseInt(id.value(), 1, id.value().length(), 10);
  }

  NodeId id(int i) {
    return ids[i];
  }

  Plumtree core(int i) {
    return cores[i];
  }

  boolean isAlive(int i) {
    return alive[i];
  }

  HashRing roster(IntPredicate member) {
    Map<NodeId, String> members = new TreeMap<>();
    for (int i = 0; i < size; i++) if (member.test(i)) members.put(ids[i], zones[i]);
    return HashRing.of(members);
  }

  void reconcile(int i, HashRing roster) {
    apply(i, cores[i].reconcile(roster, now));
  }

  BroadcastTrace broadcast(int origin, int payload) {
    BroadcastResult result = cores[origin].broadcast(new byte[payload], now);
    BroadcastId id =
        switch (result) {
          case BroadcastResult.Accepted r -> r.id();
          case BroadcastResult.Degraded r -> r.id();
          case BroadcastResult.Rejected r -> throw new IllegalStateException(r.toString());
        };
    BroadcastTrace trace = new BroadcastTrace(origin, now, size);
    trace.has[origin] = true;
    traces.put(id, trace);
    apply(origin, result.effects());
    return trace;
  }

  /** Stops a node; with connections, each neighbour learns at once that its connection broke. */
  void kill(int i) {
    alive[i] = false;
    if (!connections) return;
    for (NodeId peer : cores[i].neighbours()) {
      int p = indexOf(peer);
      queue.add(now + latencies.latency(i, p), BROKEN_CONNECTION, p, i, null);
    }
  }

  void restart(int i, long incarnation, HashRing roster) {
    alive[i] = true;
    cores[i] = core(i, incarnation);
    reconcile(i, roster);
  }

  void run(long millis) {
    long end = now + millis;
    queue.run(
        end - 1,
        (kind, to, from, carried) -> {
          now = queue.now();
          handle(kind, to, from, carried);
        });
    now = end;
  }

  private void handle(byte kind, int to, int from, @Nullable Object carried) {
    events++;
    if (!alive[to]) return;
    if (kind == TICK) {
      if (tickAt[to] > now) return;
      tickAt[to] = Long.MAX_VALUE;
      apply(to, cores[to].tick(now));
    } else if (carried instanceof PlumtreeMessage message) {
      apply(to, cores[to].onMessage(ids[from], message, now));
    } else {
      apply(to, cores[to].sendFailed(ids[from], now));
    }
    if (events % EVENTS_PER_CHECK == 0) checkInvariants(to);
  }

  private void checkInvariants(int node) {
    Optional<String> violation = cores[node].violation();
    if (violation.isPresent()) {
      throw new IllegalStateException(ids[node] + " at " + now + " ms: " + violation.get());
    }
  }

  void apply(int node, List<PlumtreeEffect> effects) {
    for (PlumtreeEffect effect : effects) {
      switch (effect) {
        case Send send -> send(node, send);
        case Deliver deliver -> deliver(node, deliver);
        default -> {
          // an effect for the application
        }
      }
    }
    long deadline = cores[node].nextDeadline();
    if (deadline < tickAt[node]) {
      tickAt[node] = deadline;
      queue.add(Math.max(now, deadline), TICK, node, node, null);
    }
  }

  private void send(int from, Send send) {
    int to = indexOf(send.to());
    messages++;
    bytes += HEADER_BYTES + encodedSize(send.message());
    if (send.message() instanceof Gossip gossip) {
      BroadcastTrace trace = traces.get(gossip.id());
      if (trace != null) trace.payloads++;
    }
    if (!alive[to]) {
      if (connections) {
        queue.add(now + 2 * latencies.latency(from, to), BROKEN_CONNECTION, from, to, null);
      }
      return;
    }
    if (cut.test(from, to) || (loss > 0 && random.nextDouble() < loss)) return;
    long arrival = now + latencies.latency(from, to) + random.nextInt(3);
    queue.add(arrival, MESSAGE, to, from, send.message());
  }

  /** The encoded size; one payload is sent to several neighbours in a row, so it is cached. */
  private int encodedSize(PlumtreeMessage message) {
    if (message != lastEncoded) {
      lastEncoded = message;
      lastSize = codec.encode(message).remaining();
    }
    return lastSize;
  }

  private void deliver(int node, Deliver deliver) {
    BroadcastTrace trace = traces.get(deliver.id());
    if (trace == null) return;
    if (trace.has[node]) {
      trace.duplicates++;
      return;
    }
    trace.has[node] = true;
    trace.delivered++;
    trace.lastHop = Math.max(trace.lastHop, deliver.hops());
    trace.lastAt = now;
  }

  /** The time to reach all nodes over the same overlay when every node floods. */
  long floodMillis(int origin) {
    return latencies.floodMillis(
        size,
        origin,
        node ->
            cores[node].neighbours().stream()
                .mapToInt(BroadcastSimulation::indexOf)
                .filter(peer -> alive[peer])
                .toArray());
  }

  int aliveCount() {
    int count = 0;
    for (boolean a : alive) if (a) count++;
    return count;
  }

  /** The share of the running nodes, without the origin, that have the broadcast. */
  double reachedShare(BroadcastTrace trace) {
    int reached = 0;
    for (int i = 0; i < size; i++) {
      if (alive[i] && i != trace.origin && trace.has[i]) reached++;
    }
    return reached / (double) Math.max(1, aliveCount() - 1);
  }

  /** A random running node. */
  int randomAlive() {
    while (true) {
      int i = random.nextInt(size);
      if (alive[i]) return i;
    }
  }

  SplittableRandom random() {
    return random;
  }
}
