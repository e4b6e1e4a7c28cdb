package org.quorumail.gossip.sim;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.SwimEffect;

/** Runs one {@link MembershipScenario} and measures. */
public final class MembershipRun {
  private static final int WARM_UP_MILLIS = 5_000;
  private static final int CRASH_SPACING_MILLIS = 2_000;

  /** More than any bar; what is not known by then counts as not detected. */
  private static final int DETECTION_LIMIT_MILLIS = 90_000;

  private static final int HEALING_LIMIT_MILLIS = 120_000;
  private static final int HEALING_STEP_MILLIS = 100;

  private final MembershipScenario scenario;
  private final Simulation simulation;
  private final SplittableRandom random;
  private final SwimHost[] hosts;
  private final BitSet live = new BitSet();
  private final TreeMap<Integer, Crash> crashes = new TreeMap<>();
  private final Set<Verdict> falseDeaths = new HashSet<>();
  private final Set<Verdict> falseSuspicions = new HashSet<>();
  private long falseViews;
  private long refutations;
  private boolean isJudging;

  private record Verdict(NodeId subject, long incarnation) {}

  private static final class Crash {
    final long at;
    final BitSet knownBy = new BitSet();
    long first = -1;
    long all = -1;

    Crash(long at) {
      this.at = at;
    }
  }

  private MembershipRun(MembershipScenario scenario) {
    this.scenario = scenario;
    this.simulation =
        new Simulation(scenario.network().conditions(), scenario.nodes(), scenario.seed());
    this.random = simulation.randomSource();
    this.hosts = new SwimHost[scenario.nodes()];
  }

  /** The same scenario gives the same report. */
  public static MembershipReport of(MembershipScenario scenario) {
    return new MembershipRun(scenario).run();
  }

  private MembershipReport run() {
    startWarm();
    checkInvariants();
    simulation.run(WARM_UP_MILLIS);
    isJudging = true;
    long messagesBefore = sum(true);
    long bytesBefore = sum(false);
    trouble();
    simulation.run(simulation.now() + scenario.steady());
    double nodeSeconds = scenario.nodes() * (double) scenario.steady() / 1_000;
    double messages = (sum(true) - messagesBefore) / nodeSeconds;
    double bytes = (sum(false) - bytesBefore) / nodeSeconds;
    int deaths = falseDeaths.size();
    int suspicions = falseSuspicions.size();
    long views = falseViews;
    crashOneByOne();
    long healed = partition();
    return new MembershipReport(
        scenario,
        messages,
        bytes,
        Percentiles.of(crashes.values().stream().mapToLong(c -> c.first).filter(t -> t >= 0).toArray()),
        Percentiles.of(crashes.values().stream().mapToLong(c -> c.all).filter(t -> t >= 0).toArray()),
        (int) crashes.values().stream().filter(c -> c.all < 0).count(),
        deaths,
        deaths / nodeSeconds * 3_600,
        views,
        suspicions / nodeSeconds * 3_600,
        healed,
        refutations,
        simulation.events());
  }

  private void startWarm() {
    List<Node> all = new ArrayList<>();
    for (int i = 0; i < hosts.length; i++) all.add(SwimHost.node(i, 0));
    for (int i = 0; i < hosts.length; i++) {
      if (scenario.drift() > 0) {
        simulation.drift(i, 1 + scenario.drift() * (2 * random.nextDouble() - 1));
      }
      hosts[i] = new SwimHost(simulation, i, 0, scenario.config(), this::seen);
      hosts[i].swim().assume(all, simulation.localTime(i));
      simulation.start(i, hosts[i]);
      live.set(i);
    }
  }

  private void checkInvariants() {
    // one pair per event costs as much as the event itself beyond some hundred nodes' tables
    long every = scenario.nodes() <= 200 ? 1 : 16;
    SplittableRandom pairs = simulation.randomSource();
    simulation.invariant(
        new MembershipInvariants.NobodyKnowsAHigherIncarnation(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.NobodyIsItsOwnMember(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.ViewsAndQueuesAreBounded(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.EveryNodeHasADeadline(pairs.split()), every);
  }

  private void trouble() {
    for (int i = 0; i < scenario.slowNodes(); i++) simulation.slow(anyLive(), scenario.slowness());
    for (int i = 0; i < scenario.deafNodes(); i++) simulation.network.deafen(anyLive(), true);
    int spread = Math.max(1, scenario.steady() - scenario.pauseLength() - 10_000);
    for (int i = 0; i < scenario.pauses(); i++) {
      int node = anyLive();
      simulation.at(
          simulation.now() + random.nextInt(spread),
          () -> simulation.pause(node, scenario.pauseLength()));
    }
  }

  private void crashOneByOne() {
    if (scenario.crashes() == 0) return;
    for (int i = 0; i < scenario.crashes(); i++) {
      int node = anyLive();
      simulation.crash(node);
      live.clear(node);
      crashes.put(node, new Crash(simulation.now()));
      simulation.run(simulation.now() + CRASH_SPACING_MILLIS / 2 + random.nextInt(CRASH_SPACING_MILLIS));
    }
    long limit = simulation.now() + DETECTION_LIMIT_MILLIS;
    while (simulation.now() < limit && crashes.values().stream().anyMatch(c -> c.all < 0)) {
      simulation.run(simulation.now() + 500);
    }
  }

  private long partition() {
    if (scenario.partition() == 0) return -1;
    isJudging = false;
    simulation.network.partition(scenario.nodes() / 2);
    simulation.run(simulation.now() + scenario.partition());
    simulation.network.heal();
    long healedAt = simulation.now();
    while (simulation.now() < healedAt + HEALING_LIMIT_MILLIS) {
      simulation.run(simulation.now() + HEALING_STEP_MILLIS);
      if (viewsAreEqual()) return simulation.now() - healedAt;
    }
    return -2;
  }

  private boolean viewsAreEqual() {
    int any = live.nextSetBit(0);
    long digest = hosts[any].swim().viewDigest();
    for (int i = any; i >= 0; i = live.nextSetBit(i + 1)) {
      if (hosts[i].swim().viewDigest() != digest) return false;
      if (hosts[i].swim().clusterSize() != live.cardinality()) return false;
    }
    return true;
  }

  private int anyLive() {
    while (true) {
      int node = random.nextInt(hosts.length);
      if (live.get(node)) return node;
    }
  }

  private long sum(boolean messages) {
    long sum = 0;
    for (SwimHost host : hosts) {
      sum += messages ? host.datagrams : host.datagramBytes + host.streamBytes;
    }
    return sum;
  }

  private void seen(int observer, SwimEffect effect) {
    switch (effect) {
      case SwimEffect.MemberDown down -> {
        int subject = SwimHost.index(down.node().id());
        Crash crash = crashes.get(subject);
        if (crash != null) knows(crash, observer);
        else if (isJudging && live.get(subject)) {
          falseDeaths.add(new Verdict(down.node().id(), down.node().incarnation()));
          falseViews++;
        }
      }
      case SwimEffect.MemberSuspect suspect -> {
        int subject = SwimHost.index(suspect.node().id());
        if (isJudging && live.get(subject)) {
          falseSuspicions.add(new Verdict(suspect.node().id(), suspect.node().incarnation()));
        }
      }
      case SwimEffect.Refuted _ -> refutations++;
      default -> {}
    }
  }

  private void knows(Crash crash, int observer) {
    crash.knownBy.set(observer);
    if (crash.first < 0) crash.first = simulation.now() - crash.at;
    if (crash.all >= 0) return;
    BitSet ignorant = (BitSet) live.clone();
    ignorant.andNot(crash.knownBy);
    if (ignorant.isEmpty()) crash.all = simulation.now() - crash.at;
  }
}
