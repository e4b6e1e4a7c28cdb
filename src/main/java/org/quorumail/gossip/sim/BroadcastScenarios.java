package org.quorumail.gossip.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.quorumail.gossip.plumtree.HashRing;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.sim.BroadcastSimulation.BroadcastTrace;

/**
 * The scenarios that measure broadcasts: redundancy, hops and delay, then loss, crashes and a
 * partition. Each scenario is a run of its own from the seed.
 *
 * <p>An oracle stands for membership. A crash is known when the connection to the node breaks; in a
 * partition each side drops the other after {@link #DETECTION_MILLIS}.
 */
public final class BroadcastScenarios {
  /** The payload of every broadcast, in bytes. */
  private static final int PAYLOAD = 256;

  /** The detection time of SWIM with Lifeguard, rounded up. */
  private static final long DETECTION_MILLIS = 20_000;

  private final int nodes;
  private final long seed;
  private final PlumtreeConfig config;
  private final Map<String, Double> figures = new LinkedHashMap<>();

  /** One scenario, which runs on an instance of its own. */
  @FunctionalInterface
  private interface Scenario {
    void runOn(BroadcastScenarios scenarios);
  }

  private static final List<Scenario> WITHOUT_FAULTS = List.of(BroadcastScenarios::withoutFaults);

  private static final List<Scenario> ALL =
      List.of(
          BroadcastScenarios::withoutFaults,
          scenarios -> scenarios.loss(20),
          scenarios -> scenarios.loss(30),
          scenarios -> scenarios.killed(50),
          scenarios -> scenarios.killed(80),
          scenarios -> scenarios.killedSilently(50),
          BroadcastScenarios::partition);

  private BroadcastScenarios(int nodes, long seed) {
    this.nodes = nodes;
    this.seed = seed;
    this.config = nodes >= 1_000 ? PlumtreeConfig.largeCluster() : PlumtreeConfig.standard();
  }

  /**
   * All scenarios. They are independent, so they may run in any order and in parallel; each returns
   * figures whose keys name the measurement and its unit.
   *
   * @param withoutFaults only the scenario without loss, crash or partition
   */
  public static List<Supplier<Map<String, Double>>> of(
      int nodes, long seed, boolean withoutFaults) {
    List<Supplier<Map<String, Double>>> parts = new ArrayList<>();
    for (Scenario scenario : withoutFaults ? WITHOUT_FAULTS : ALL) {
      parts.add(
          () -> {
            BroadcastScenarios scenarios = new BroadcastScenarios(nodes, seed);
            scenario.runOn(scenarios);
            return scenarios.figures;
          });
    }
    return parts;
  }

  /** Runs all scenarios, one after the other. */
  public static Map<String, Double> run(int nodes, long seed) {
    Map<String, Double> figures = new LinkedHashMap<>();
    of(nodes, seed, false).forEach(part -> figures.putAll(part.get()));
    return figures;
  }

  private BroadcastSimulation network() {
    return new BroadcastSimulation(nodes, 1, seed, config);
  }

  /** No loss: an active origin on its own tree, then all origins over the overlay's paths. */
  private void withoutFaults() {
    BroadcastSimulation net = network();
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    double redundancy = 0;
    double hops = 0;
    double bytes = 0;
    double slower = 0;
    for (int i = 0; i < 5; i++) {
      long before = net.bytes;
      BroadcastTrace trace = broadcastAndWait(net, origin);
      redundancy = Math.max(redundancy, trace.redundancy());
      hops = Math.max(hops, trace.lastHop);
      bytes = Math.max(bytes, (net.bytes - before) / (double) nodes);
      slower = Math.max(slower, trace.fullMillis() / (double) net.floodMillis(origin));
      put("warm reached %", 100 * net.reachedShare(trace));
    }
    put("warm RMR", redundancy);
    put("warm LDH", hops);
    put("warm bytes per node", bytes);
    put("warm time / flood", slower);
    eachOnce(net);
    if (nodes <= 1_000) eachOften(net);
  }

  /** Broadcasts of other nodes, one each, 20 ms apart. */
  private void eachOnce(BroadcastSimulation net) {
    int count = Math.min(nodes / 2, 100);
    long before = net.bytes;
    List<BroadcastTrace> traces = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      traces.add(net.broadcast(i * (nodes / count), PAYLOAD));
      net.run(20);
    }
    net.run(4_000);
    put("each once, RMR", mean(traces));
    put("each once, p50 time / flood", medianTime(traces) / medianFlood(net, traces));
    put("each once, bytes per node", (net.bytes - before) / (double) nodes / count);
    put("each once, reached %", 100 * worst(net, traces));
  }

  /** Broadcasts of many nodes every few seconds, each on its own tree. */
  private void eachOften(BroadcastSimulation net) {
    int count = Math.min(nodes, 100);
    List<BroadcastTrace> traces = new ArrayList<>();
    for (int round = 0; round < 4; round++) {
      for (int i = 0; i < count; i++) {
        BroadcastTrace trace = net.broadcast(i * (nodes / count), PAYLOAD);
        if (round >= 2) traces.add(trace);
        net.run(20);
      }
      net.run(2_000);
    }
    net.run(4_000);
    put("each often, RMR", mean(traces));
    put("each often, p50 time / flood", medianTime(traces) / medianFlood(net, traces));
  }

  private void loss(int percent) {
    BroadcastSimulation net = network();
    // datagrams are lost, and no broken connection reports a neighbour
    net.connections = false;
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    net.loss = percent / 100.0;
    List<BroadcastTrace> traces = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      traces.add(net.broadcast(i % 2 == 0 ? origin : net.randomAlive(), PAYLOAD));
      net.run(100);
    }
    net.run(9_900);
    put(percent + " % loss, reached in 10 s %", 100 * reliability(net, traces));
    put(percent + " % loss, RMR", mean(traces));
    net.run(50_000);
    put(percent + " % loss, reached in 60 s %", 100 * reliability(net, traces));
    put(percent + " % loss, delivered twice", duplicates(traces));
  }

  private void killed(int percent) {
    BroadcastSimulation net = network();
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    kill(net, percent, origin);
    // two waits for the next announcer (T2 is half of the graft timeout)
    net.run(config.graftTimeout().toMillis());
    List<BroadcastTrace> traces = new ArrayList<>();
    int healed = 0;
    for (int i = 0; i < 8; i++) {
      BroadcastTrace trace = broadcastAndWait(net, origin);
      traces.add(trace);
      if (trace.redundancy() >= 0.1) healed = i + 1;
    }
    String name = percent + " % killed, ";
    put(name + "first reached %", 100 * net.reachedShare(traces.getFirst()));
    put(name + "first RMR", traces.getFirst().redundancy());
    put(name + "broadcasts until RMR < 0.1", healed);
    int another = net.randomAlive();
    put(name + "another's reached %", 100 * net.reachedShare(broadcastAndWait(net, another)));
  }

  /** The machines vanish, and no connection breaks. */
  private void killedSilently(int percent) {
    BroadcastSimulation net = network();
    net.connections = false;
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    kill(net, percent, origin);
    BroadcastTrace trace = net.broadcast(origin, PAYLOAD);
    net.run(3_000);
    put(percent + " % gone silently, reached in 3 s %", 100 * net.reachedShare(trace));
    net.run(17_000);
    put(percent + " % gone silently, reached in 20 s %", 100 * net.reachedShare(trace));
  }

  private void kill(BroadcastSimulation net, int percent, int spared) {
    int left = nodes * percent / 100;
    while (left > 0) {
      int victim = net.randomAlive();
      if (victim == spared) continue;
      net.kill(victim);
      left--;
    }
  }

  /** A partition into halves for a minute, with a broadcast per side every few seconds. */
  private void partition() {
    BroadcastSimulation net = network();
    int half = nodes / 2;
    for (int i = 0; i < 3; i++) broadcastAndWait(net, 0);
    net.cut = (from, to) -> (from < half) != (to < half);
    HashRing left = net.roster(i -> i < half);
    HashRing right = net.roster(i -> i >= half);
    List<BroadcastTrace> traces = new ArrayList<>();
    for (int second = 0; second < 60; second += 5) {
      if (second * 1_000L == DETECTION_MILLIS) {
        for (int i = 0; i < nodes; i++) net.reconcile(i, i < half ? left : right);
      }
      traces.add(net.broadcast(0, PAYLOAD));
      traces.add(net.broadcast(half, PAYLOAD));
      net.run(5_000);
    }
    net.cut = (from, to) -> false;
    HashRing all = net.roster(i -> true);
    for (int i = 0; i < nodes; i++) net.reconcile(i, all);
    long healed = net.now();
    while (worst(net, traces) < 1 && net.now() - healed < 60_000) net.run(100);
    put("partition, seconds to equal state", (net.now() - healed) / 1_000.0);
    put("partition, delivered twice", duplicates(traces));
  }

  private static BroadcastTrace broadcastAndWait(BroadcastSimulation net, int origin) {
    BroadcastTrace trace = net.broadcast(origin, PAYLOAD);
    net.run(2_500);
    return trace;
  }

  private static double mean(List<BroadcastTrace> traces) {
    return traces.stream().mapToDouble(BroadcastTrace::redundancy).average().orElse(0);
  }

  private static double duplicates(List<BroadcastTrace> traces) {
    return traces.stream().mapToLong(trace -> trace.duplicates).sum();
  }

  /** The papers' reliability: the mean share of the running nodes that a broadcast reaches. */
  private static double reliability(BroadcastSimulation net, List<BroadcastTrace> traces) {
    return traces.stream().mapToDouble(net::reachedShare).average().orElse(0);
  }

  private static double worst(BroadcastSimulation net, List<BroadcastTrace> traces) {
    return traces.stream().mapToDouble(net::reachedShare).min().orElse(0);
  }

  private static double medianTime(List<BroadcastTrace> traces) {
    return median(traces.stream().mapToLong(BroadcastTrace::fullMillis).toArray());
  }

  private static double medianFlood(BroadcastSimulation net, List<BroadcastTrace> traces) {
    // a few origins suffice: the flooding times of one overlay hardly differ
    return median(
        traces.stream().limit(9).mapToLong(trace -> net.floodMillis(trace.origin)).toArray());
  }

  private static double median(long[] values) {
    Arrays.sort(values);
    return values.length == 0 ? 0 : values[values.length / 2];
  }

  private void put(String name, double value) {
    figures.put(name, value);
  }

  /** The worst of a figure's values: the lowest share reached, else the highest value. */
  public static double worst(String name, double[] values) {
    var all = Arrays.stream(values);
    return (name.contains("reached") ? all.min() : all.max()).orElse(0);
  }

  /** The figures as lines of text. */
  public static String format(Map<String, Double> figures) {
    StringBuilder text = new StringBuilder();
    figures.forEach((name, v) -> text.append(String.format(Locale.ROOT, "%-45s %.5f%n", name, v)));
    return text.toString();
  }
}
