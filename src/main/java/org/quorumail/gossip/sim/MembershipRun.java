package org.quorumail.gossip.sim;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimEffect;
import org.quorumail.gossip.swim.SwimMember;

/** A run of one {@link MembershipScenario}, with its measurements. */
public final class MembershipRun {
  private static final int WARM_UP_MILLIS = 5_000;
  private static final int CRASH_SPACING_MILLIS = 2_000;

  /** More than any bar allows; a crash not known by then counts as undetected. */
  private static final int DETECTION_LIMIT_MILLIS = 90_000;

  /** At most one of this many nodes is down at a time. */
  private static final int MIN_NODES_PER_CRASH = 5;

  private static final int RESTART_MILLIS = 3_000;
  private static final int REJOIN_MILLIS = 20_000;
  private static final int HEALING_LIMIT_MILLIS = 120_000;
  private static final int HEALING_STEP_MILLIS = 100;

  private final MembershipScenario scenario;
  private final Simulation simulation;
  private final SplittableRandom random;
  private final SimulatedSwimNode[] hosts;
  private final BitSet live = new BitSet();
  private final Map<Integer, Crash> openCrashes = new TreeMap<>();
  private final List<Crash> crashes = new ArrayList<>();
  private final Set<SubjectIncarnation> falseDeaths = new HashSet<>();
  private final Set<SubjectIncarnation> falseSuspicions = new HashSet<>();
  private final List<Long> detectionDelays = new ArrayList<>();
  private long viewsToConvince;
  private int disagreeing;
  private long falseViews;
  private long refutations;
  private boolean isCountingFalseVerdicts;

  private record SubjectIncarnation(NodeId subject, long incarnation) {}

  private static final class Crash {
    final int node;
    final long at;
    final BitSet knownBy = new BitSet();
    long first = -1;
    long all = -1;

    Crash(int node, long at) {
      this.node = node;
      this.at = at;
    }
  }

  private MembershipRun(MembershipScenario scenario) {
    this.scenario = scenario;
    this.simulation = new Simulation(scenario.network(), scenario.nodes(), scenario.seed());
    this.random = simulation.randomSource();
    this.hosts = new SimulatedSwimNode[scenario.nodes()];
  }

  /** Runs the scenario; the same scenario gives the same report. */
  public static MembershipReport of(MembershipScenario scenario) {
    return new MembershipRun(scenario).run();
  }

  private MembershipReport run() {
    startWarm();
    checkInvariants();
    simulation.run(WARM_UP_MILLIS);
    isCountingFalseVerdicts = true;
    long messagesBefore = sum(true);
    long bytesBefore = sum(false);
    injectFaults();
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
        TimeHistograms.of(crashes.stream().mapToLong(c -> c.first).filter(t -> t >= 0)),
        TimeHistograms.of(crashes.stream().mapToLong(c -> c.all).filter(t -> t >= 0)),
        TimeHistograms.of(detectionDelays.stream().mapToLong(Long::longValue)),
        viewsToConvince,
        (int) crashes.stream().filter(c -> c.all < 0).count(),
        disagreeing,
        deaths,
        deaths / nodeSeconds * 3_600,
        views,
        suspicions / nodeSeconds * 3_600,
        healed,
        refutations,
        simulation.events());
  }

  private void startWarm() {
    List<SwimMember> all = new ArrayList<>();
    for (int i = 0; i < hosts.length; i++) all.add(SimulatedSwimNode.node(i, 0));
    for (int i = 0; i < hosts.length; i++) {
      if (scenario.drift() > 0) {
        simulation.drift(i, 1 + scenario.drift() * (2 * random.nextDouble() - 1));
      }
      hosts[i] = new SimulatedSwimNode(simulation, i, 0, scenario.config(), this::onEffect);
      hosts[i].swim().addKnownMembers(all, simulation.localTime(i));
      simulation.start(i, hosts[i]);
      live.set(i);
    }
  }

  private void checkInvariants() {
    // with some hundred nodes, a check per event costs as much as the event itself
    long every = scenario.nodes() <= 200 ? 1 : 16;
    SplittableRandom pairs = simulation.randomSource();
    simulation.invariant(new MembershipInvariants.IncarnationBound(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.NoSelfMembership(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.ViewBound(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.DeadlineBound(pairs.split()), every);
    simulation.invariant(new MembershipInvariants.CoreConsistency(pairs.split()), every);
  }

  private void injectFaults() {
    for (int i = 0; i < scenario.slowNodes(); i++) simulation.slow(anyLive(), scenario.slowness());
    for (int i = 0; i < scenario.deafNodes(); i++) simulation.network.deafen(anyLive(), true);
    int spread = Math.max(1, scenario.steady() - scenario.pauseLength() - 10_000);
    BitSet paused = new BitSet();
    for (int i = 0; i < Math.min(scenario.pauses(), scenario.nodes()); i++) {
      int node = anyLive();
      while (paused.get(node)) node = anyLive();
      paused.set(node);
      int which = node;
      simulation.at(
          simulation.now() + random.nextInt(spread),
          () -> simulation.pause(which, scenario.pauseLength()));
    }
  }

  /** Crashes one node after the other; detected ones restart without a memory, with three seeds. */
  private void crashOneByOne() {
    int most = Math.max(1, scenario.nodes() / MIN_NODES_PER_CRASH);
    for (int i = 0; i < scenario.crashes(); i++) {
      long giveUp = simulation.now() + DETECTION_LIMIT_MILLIS;
      while (openCrashes.size() >= most && simulation.now() < giveUp) runFor(500);
      int node = anyLive();
      simulation.crash(node);
      live.clear(node);
      Crash crash = new Crash(node, simulation.now());
      openCrashes.put(node, crash);
      crashes.add(crash);
      runFor(CRASH_SPACING_MILLIS / 2 + random.nextInt(CRASH_SPACING_MILLIS));
      if (i < scenario.crashes() - 1) restartTheDetected();
    }
    long limit = simulation.now() + DETECTION_LIMIT_MILLIS;
    while (simulation.now() < limit && crashes.stream().anyMatch(c -> c.all < 0)) runFor(500);
    viewsToConvince = detectionDelays.size() + viewsListingCrashed();
    runFor(RESTART_MILLIS);
    restartTheDetected();
    runFor(REJOIN_MILLIS);
    for (int i = live.nextSetBit(0); i >= 0; i = live.nextSetBit(i + 1)) {
      if (hosts[i].swim().clusterSize() != live.cardinality()) disagreeing++;
    }
  }

  /** The number of pairs of a running node and a crashed one that is still a member in its view. */
  private long viewsListingCrashed() {
    long ignorant = 0;
    for (int node : openCrashes.keySet()) {
      NodeId subject = SimulatedSwimNode.node(node, 0).id();
      for (int i = live.nextSetBit(0); i >= 0; i = live.nextSetBit(i + 1)) {
        if (hosts[i].swim().state(subject).map(MemberState::isMember).orElse(false)) ignorant++;
      }
    }
    return ignorant;
  }

  private void runFor(long millis) {
    simulation.run(simulation.now() + millis);
  }

  private void restartTheDetected() {
    for (int node : List.copyOf(openCrashes.keySet())) {
      Crash crash = openCrashes.get(node);
      if (crash == null || crash.all < 0) continue;
      if (simulation.now() < crash.at + crash.all + RESTART_MILLIS) continue;
      openCrashes.remove(node);
      SimulatedSwimNode before = hosts[node];
      SimulatedSwimNode again =
          new SimulatedSwimNode(
              simulation, node, before.highestIncarnation(), scenario.config(), this::onEffect);
      hosts[node] = again;
      live.set(node);
      // the restarted node never knew the nodes that are down now, so it has nothing to detect
      for (Crash other : openCrashes.values()) other.knownBy.set(node);
      simulation.start(node, again);
      List<NodeAddress> seeds = new ArrayList<>();
      for (int i = 0; i < 3; i++) seeds.add(SimulatedSwimNode.address(anyLive()));
      again.perform(again.swim().join(seeds, simulation.localTime(node)));
      simulation.schedule(node);
    }
  }

  private long partition() {
    if (scenario.partition() == 0) return -1;
    isCountingFalseVerdicts = false;
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
    for (SimulatedSwimNode host : hosts) {
      sum += messages ? host.datagrams : host.datagramBytes + host.streamBytes;
    }
    return sum;
  }

  private void onEffect(int observer, SwimEffect effect) {
    switch (effect) {
      case SwimEffect.MemberDown down -> {
        int subject = SimulatedSwimNode.index(down.member().id());
        Crash crash = openCrashes.get(subject);
        if (crash != null) recordDetection(crash, observer);
        else if (isCountingFalseVerdicts && live.get(subject)) {
          falseDeaths.add(new SubjectIncarnation(down.member().id(), down.member().incarnation()));
          falseViews++;
        }
      }
      case SwimEffect.MemberSuspect suspect -> {
        int subject = SimulatedSwimNode.index(suspect.member().id());
        if (isCountingFalseVerdicts && live.get(subject)) {
          falseSuspicions.add(
              new SubjectIncarnation(suspect.member().id(), suspect.member().incarnation()));
        }
      }
      case SwimEffect.Refuted refuted -> refutations++;
      default -> {}
    }
  }

  private void recordDetection(Crash crash, int observer) {
    if (!crash.knownBy.get(observer)) detectionDelays.add(simulation.now() - crash.at);
    crash.knownBy.set(observer);
    if (crash.first < 0) crash.first = simulation.now() - crash.at;
    if (crash.all >= 0) return;
    BitSet ignorant = (BitSet) live.clone();
    ignorant.andNot(crash.knownBy);
    NodeId subject = SimulatedSwimNode.node(crash.node, 0).id();
    // a node that missed the subject's last restart still counts it as dead
    for (int i = ignorant.nextSetBit(0); i >= 0; i = ignorant.nextSetBit(i + 1)) {
      if (hosts[i].swim().state(subject).map(MemberState::isMember).orElse(false)) return;
    }
    crash.all = simulation.now() - crash.at;
  }
}
