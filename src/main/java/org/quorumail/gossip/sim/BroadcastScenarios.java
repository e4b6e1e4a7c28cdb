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
 * The questions that a broadcast protocol has to answer, each a run of its own from the seed: how
 * much is sent twice, how far and how fast it goes, what loss, death and partition do to it.
 *
 * <p>Membership is told by an oracle: nobody knows of a death before the connection to the dead
 * node breaks, and in a partition each side drops the other after {@link #DETECTION_MILLIS}.
 */
public final class BroadcastScenarios {
  /** The payload of every broadcast, in bytes. */
  private static final int PAYLOAD = 256;

  /** What SWIM with Lifeguard takes, rounded up. */
  private static final long DETECTION_MILLIS = 20_000;

  private final int nodes;
  private final long seed;
  private final PlumtreeConfig config;
  private final Map<String, Double> figures = new LinkedHashMap<>();

  /** A question, still to be asked. */
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
   * All questions. None knows of another, so they may be asked in any order and at the same time;
   * each answers with figures whose keys name what was measured and its unit.
   *
   * @param onlyCalm only what needs no loss, death or partition
   */
  public static List<Supplier<Map<String, Double>>> of(int nodes, long seed, boolean onlyCalm) {
    List<Supplier<Map<String, Double>>> parts = new ArrayList<>();
    for (Scenario question : onlyCalm ? WITHOUT_FAULTS : ALL) {
      parts.add(
          () -> {
            BroadcastScenarios scenarios = new BroadcastScenarios(nodes, seed);
            question.runOn(scenarios);
            return scenarios.figures;
          });
    }
    return parts;
  }

  /** The answers to all of them, one after the other. */
  public static Map<String, Double> run(int nodes, long seed) {
    Map<String, Double> figures = new LinkedHashMap<>();
    of(nodes, seed, false).forEach(part -> figures.putAll(part.get()));
    return figures;
  }

  private BroadcastSimulation network() {
    return new BroadcastSimulation(nodes, 1, seed, config);
  }

  /** No loss: an active origin on its own tree, then everybody, by the chart. */
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
      BroadcastTrace account = broadcastAndWait(net, origin);
      redundancy = Math.max(redundancy, account.redundancy());
      hops = Math.max(hops, account.lastHop);
      bytes = Math.max(bytes, (net.bytes - before) / (double) nodes);
      slower = Math.max(slower, account.fullMillis() / (double) net.floodMillis(origin));
      put("warm reached %", 100 * net.reachedShare(account));
    }
    put("warm RMR", redundancy);
    put("warm LDH", hops);
    put("warm bytes per node", bytes);
    put("warm time / flood", slower);
    eachOnce(net);
    if (nodes <= 1_000) eachOften(net);
  }

  /** Other nodes, each once, 20 ms apart. */
  private void eachOnce(BroadcastSimulation net) {
    int count = Math.min(nodes / 2, 100);
    long before = net.bytes;
    List<BroadcastTrace> accounts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      accounts.add(net.broadcast(i * (nodes / count), PAYLOAD));
      net.run(20);
    }
    net.run(4_000);
    put("each once, RMR", mean(accounts));
    put("each once, p50 time / flood", medianTime(accounts) / medianFlood(net, accounts));
    put("each once, bytes per node", (net.bytes - before) / (double) nodes / count);
    put("each once, reached %", 100 * worst(net, accounts));
  }

  /** Many nodes, each every few seconds: each on its own tree. */
  private void eachOften(BroadcastSimulation net) {
    int count = Math.min(nodes, 100);
    List<BroadcastTrace> accounts = new ArrayList<>();
    for (int round = 0; round < 4; round++) {
      for (int i = 0; i < count; i++) {
        BroadcastTrace account = net.broadcast(i * (nodes / count), PAYLOAD);
        if (round >= 2) accounts.add(account);
        net.run(20);
      }
      net.run(2_000);
    }
    net.run(4_000);
    put("each often, RMR", mean(accounts));
    put("each often, p50 time / flood", medianTime(accounts) / medianFlood(net, accounts));
  }

  private void loss(int percent) {
    BroadcastSimulation net = network();
    // Loss takes datagrams; nobody tells that a neighbour is gone.
    net.connections = false;
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    net.loss = percent / 100.0;
    List<BroadcastTrace> accounts = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      accounts.add(net.broadcast(i % 2 == 0 ? origin : net.randomAlive(), PAYLOAD));
      net.run(100);
    }
    net.run(9_900);
    put(percent + " % loss, reached in 10 s %", 100 * reliability(net, accounts));
    put(percent + " % loss, RMR", mean(accounts));
    net.run(50_000);
    put(percent + " % loss, reached in 60 s %", 100 * reliability(net, accounts));
    put(percent + " % loss, delivered twice", duplicates(accounts));
  }

  private void killed(int percent) {
    BroadcastSimulation net = network();
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    kill(net, percent, origin);
    // Two waits for the next announcer (T2 is half of the graft timeout).
    net.run(config.graftTimeout().toMillis());
    List<BroadcastTrace> accounts = new ArrayList<>();
    int healed = 0;
    for (int i = 0; i < 8; i++) {
      BroadcastTrace account = broadcastAndWait(net, origin);
      accounts.add(account);
      if (account.redundancy() >= 0.1) healed = i + 1;
    }
    String name = percent + " % killed, ";
    put(name + "first reached %", 100 * net.reachedShare(accounts.getFirst()));
    put(name + "first RMR", accounts.getFirst().redundancy());
    put(name + "broadcasts until RMR < 0.1", healed);
    int another = net.randomAlive();
    put(name + "another's reached %", 100 * net.reachedShare(broadcastAndWait(net, another)));
  }

  /** The machines are gone without a word and no connection breaks. */
  private void killedSilently(int percent) {
    BroadcastSimulation net = network();
    net.connections = false;
    int origin = net.randomAlive();
    for (int i = 0; i < 3; i++) broadcastAndWait(net, origin);
    kill(net, percent, origin);
    BroadcastTrace account = net.broadcast(origin, PAYLOAD);
    net.run(3_000);
    put(percent + " % gone silently, reached in 3 s %", 100 * net.reachedShare(account));
    net.run(17_000);
    put(percent + " % gone silently, reached in 20 s %", 100 * net.reachedShare(account));
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

  /** Two halves for a minute, a broadcast per side every few seconds, then one network again. */
  private void partition() {
    BroadcastSimulation net = network();
    int half = nodes / 2;
    for (int i = 0; i < 3; i++) broadcastAndWait(net, 0);
    net.cut = (from, to) -> (from < half) != (to < half);
    HashRing left = net.roster(i -> i < half);
    HashRing right = net.roster(i -> i >= half);
    List<BroadcastTrace> accounts = new ArrayList<>();
    for (int second = 0; second < 60; second += 5) {
      if (second * 1_000L == DETECTION_MILLIS) {
        for (int i = 0; i < nodes; i++) net.reconcile(i, i < half ? left : right);
      }
      accounts.add(net.broadcast(0, PAYLOAD));
      accounts.add(net.broadcast(half, PAYLOAD));
      net.run(5_000);
    }
    net.cut = (from, to) -> false;
    HashRing all = net.roster(i -> true);
    for (int i = 0; i < nodes; i++) net.reconcile(i, all);
    long healed = net.now();
    while (worst(net, accounts) < 1 && net.now() - healed < 60_000) net.run(100);
    put("partition, seconds to equal state", (net.now() - healed) / 1_000.0);
    put("partition, delivered twice", duplicates(accounts));
  }

  private static BroadcastTrace broadcastAndWait(BroadcastSimulation net, int origin) {
    BroadcastTrace account = net.broadcast(origin, PAYLOAD);
    net.run(2_500);
    return account;
  }

  private static double mean(List<BroadcastTrace> accounts) {
    return accounts.stream().mapToDouble(BroadcastTrace::redundancy).average().orElse(0);
  }

  private static double duplicates(List<BroadcastTrace> accounts) {
    return accounts.stream().mapToLong(account -> account.duplicates).sum();
  }

  /** The papers' reliability: the mean share of the living that a broadcast reaches. */
  private static double reliability(BroadcastSimulation net, List<BroadcastTrace> accounts) {
    return accounts.stream().mapToDouble(net::reachedShare).average().orElse(0);
  }

  private static double worst(BroadcastSimulation net, List<BroadcastTrace> accounts) {
    return accounts.stream().mapToDouble(net::reachedShare).min().orElse(0);
  }

  private static double medianTime(List<BroadcastTrace> accounts) {
    return median(accounts.stream().mapToLong(BroadcastTrace::fullMillis).toArray());
  }

  private static double medianFlood(BroadcastSimulation net, List<BroadcastTrace> accounts) {
    // A few origins are enough: flooding times of one overlay hardly differ.
    return median(
        accounts.stream().limit(9).mapToLong(account -> net.floodMillis(account.origin)).toArray());
  }

  private static double median(long[] values) {
    Arrays.sort(values);
    return values.length == 0 ? 0 : values[values.length / 2];
  }

  private void put(String name, double value) {
    figures.put(name, value);
  }

  /** Of a figure's values the worst: the lowest share reached, the highest of anything else. */
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
