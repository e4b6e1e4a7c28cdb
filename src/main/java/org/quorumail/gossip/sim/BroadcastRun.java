package org.quorumail.gossip.sim;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.HashRing;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeEffect;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.swim.SwimMember;

/**
 * A run of broadcasts of 256 bytes over the network of {@link MembershipRun}. It measures one
 * origin on its warm tree, random origins, and a broadcast after a part of the nodes was killed.
 */
public final class BroadcastRun {
  private static final int PAYLOAD_BYTES = 256;
  private static final int WARM_UP = 3;
  private static final int MEASURED = 10;
  private static final int SPACING_MILLIS = 1_000;

  /** A delivery later than this counts as lost. */
  private static final int DELIVERY_TIMEOUT_MILLIS = 10_000;

  /** Twice Plumtree's graft timeout: the time that the bars allow after a kill. */
  private static final int AFTER_KILL_MILLIS = 2_000;

  /** Full views of more nodes than this are left to {@link MembershipRun}. */
  private static final int MAX_NODES_WITH_MEMBERSHIP = 1_000;

  private final MembershipScenario scenario;
  private final double killed;
  private final Simulation simulation;
  private final SplittableRandom random;
  private final SimulatedGossipNode[] hosts;
  private final Map<BroadcastId, MeasuredBroadcast> broadcasts = new HashMap<>();

  private static final class MeasuredBroadcast {
    final long at;
    final BitSet deliveredTo = new BitSet();
    final List<Long> delays = new ArrayList<>();
    int payloads;
    int lastHop;

    MeasuredBroadcast(long at) {
      this.at = at;
    }
  }

  private BroadcastRun(MembershipScenario scenario, double killed) {
    this.scenario = scenario;
    this.killed = killed;
    this.simulation = new Simulation(scenario.network(), scenario.nodes(), scenario.seed());
    this.random = simulation.randomSource();
    this.hosts = new SimulatedGossipNode[scenario.nodes()];
  }

  /**
   * Runs and measures.
   *
   * @param scenario nodes, seed, network, slow nodes and drift are used; the rest is membership's
   * @param killed the share of nodes that die at once, 0 to 1
   */
  public static BroadcastReport of(MembershipScenario scenario, double killed) {
    return new BroadcastRun(scenario, killed).run();
  }

  private BroadcastReport run() {
    start();
    simulation.run(3_000);
    int origin = random.nextInt(hosts.length);
    for (int i = 0; i < WARM_UP; i++) broadcast(origin);
    BroadcastReport.Figures warm = measure(origin);
    BroadcastReport.Figures others = measure(-1);
    double afterKill = killed > 0 ? kill() : 1;
    return new BroadcastReport(scenario.seed(), warm, others, afterKill, simulation.events());
  }

  private void start() {
    int nodes = scenario.nodes();
    PlumtreeConfig config =
        nodes >= 1_000 ? PlumtreeConfig.largeCluster() : PlumtreeConfig.standard();
    PlumtreeCodec codec = new PlumtreeCodec(config.maxMessageSize());
    PlumtreeCounters tally = new PlumtreeCounters();
    Map<NodeId, String> zones = new TreeMap<>();
    List<SwimMember> all = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      SwimMember node = SimulatedSwimNode.node(i, 0);
      all.add(node);
      zones.put(node.id(), "zone-" + simulation.network.zone(i));
    }
    HashRing roster = HashRing.of(zones);
    for (int i = 0; i < nodes; i++) {
      if (scenario.drift() > 0) {
        simulation.drift(i, 1 + scenario.drift() * (2 * random.nextDouble() - 1));
      }
      long now = simulation.localTime(i);
      int index = i;
      SimulatedSwimNode membership = null;
      if (nodes <= MAX_NODES_WITH_MEMBERSHIP) {
        membership =
            new SimulatedSwimNode(
                simulation,
                i,
                0,
                scenario.config(),
                (observer, effect) -> hosts[index].onMembershipEffect(effect));
        membership.swim().addKnownMembers(all, now);
      }
      NodeId id = all.get(i).id();
      Plumtree plumtree =
          new Plumtree(
              id,
              "zone-" + simulation.network.zone(i),
              1,
              config,
              simulation.randomSource(),
              tally,
              now);
      hosts[i] = new SimulatedGossipNode(simulation, i, plumtree, codec, membership, observer());
      hosts[i].perform(plumtree.reconcile(roster, now));
      simulation.start(i, hosts[i]);
    }
    for (int i = 0; i < scenario.slowNodes(); i++) {
      simulation.slow(random.nextInt(nodes), scenario.slowness());
    }
  }

  private SimulatedGossipNode.BroadcastObserver observer() {
    return new SimulatedGossipNode.BroadcastObserver() {
      @Override
      public void onSent(PlumtreeMessage.Gossip gossip) {
        MeasuredBroadcast broadcast = broadcasts.get(gossip.id());
        if (broadcast != null) broadcast.payloads++;
      }

      @Override
      public void onDelivered(int node, PlumtreeEffect.Deliver deliver) {
        MeasuredBroadcast broadcast = broadcasts.get(deliver.id());
        if (broadcast == null) return;
        if (broadcast.deliveredTo.get(node)) {
          throw new IllegalStateException("node " + node + " delivered " + deliver.id() + " twice");
        }
        broadcast.deliveredTo.set(node);
        broadcast.delays.add(simulation.now() - broadcast.at);
        broadcast.lastHop = Math.max(broadcast.lastHop, deliver.hops());
      }
    };
  }

  private MeasuredBroadcast broadcast(int origin) {
    MeasuredBroadcast broadcast = new MeasuredBroadcast(simulation.now());
    BroadcastResult result =
        hosts[origin].plumtree().broadcast(new byte[PAYLOAD_BYTES], simulation.localTime(origin));
    BroadcastId id =
        switch (result) {
          case BroadcastResult.Accepted accepted -> accepted.id();
          case BroadcastResult.Degraded degraded -> degraded.id();
          case BroadcastResult.Rejected rejected ->
              throw new IllegalStateException(rejected.toString());
        };
    broadcasts.put(id, broadcast);
    hosts[origin].perform(result.effects());
    simulation.schedule(origin);
    simulation.run(simulation.now() + SPACING_MILLIS);
    return broadcast;
  }

  /** Measures broadcasts of one origin, or of a random origin each when it is negative. */
  private BroadcastReport.Figures measure(int origin) {
    long before = bytes();
    List<MeasuredBroadcast> measured = new ArrayList<>();
    for (int i = 0; i < MEASURED; i++) {
      measured.add(broadcast(origin >= 0 ? origin : random.nextInt(hosts.length)));
    }
    double bytesPerNode = (bytes() - before) / (double) MEASURED / hosts.length;
    simulation.run(simulation.now() + DELIVERY_TIMEOUT_MILLIS);
    long expected = (long) MEASURED * (hosts.length - 1);
    long delivered = 0;
    long payloads = 0;
    int lastHop = 0;
    for (MeasuredBroadcast broadcast : measured) {
      delivered += broadcast.delays.size();
      payloads += broadcast.payloads;
      lastHop = Math.max(lastHop, broadcast.lastHop);
    }
    return new BroadcastReport.Figures(
        delivered / (double) expected,
        payloads / (double) Math.max(1, delivered) - 1,
        lastHop,
        bytesPerNode,
        TimeHistograms.of(measured.stream().flatMap(b -> b.delays.stream()).mapToLong(d -> d)),
        TimeHistograms.of(
            measured.stream().mapToLong(b -> b.delays.stream().mapToLong(d -> d).max().orElse(0))));
  }

  private double kill() {
    int victims = (int) Math.round(killed * hosts.length);
    int down = 0;
    while (down < victims) {
      int node = random.nextInt(hosts.length);
      if (simulation.isDown(node)) continue;
      simulation.crash(node);
      down++;
    }
    simulation.run(simulation.now() + AFTER_KILL_MILLIS);
    int origin = random.nextInt(hosts.length);
    while (simulation.isDown(origin)) origin = random.nextInt(hosts.length);
    MeasuredBroadcast broadcast = broadcast(origin);
    simulation.run(simulation.now() + DELIVERY_TIMEOUT_MILLIS);
    int survivors = hosts.length - victims - 1;
    return survivors <= 0 ? 1 : broadcast.delays.size() / (double) survivors;
  }

  private long bytes() {
    long sum = 0;
    for (SimulatedGossipNode host : hosts) sum += host.bytes;
    return sum;
  }
}
