package org.quorumail.gossip.sim;

import java.util.function.Consumer;
import org.quorumail.gossip.swim.SwimConfig;

/**
 * The events of a simulated cluster whose nodes all know each other at the start. Times are in
 * milliseconds.
 *
 * @param steady the first phase without crashes, for traffic at rest and false deaths
 * @param crashes number of crashes, one after the other, in the second phase; each node restarts
 *     some seconds after all others have declared it dead
 * @param partition length of a partition into halves in the last phase; 0 for none
 * @param pauses number of nodes that pause for {@code pauseLength} during the steady phase
 * @param slowNodes number of nodes that receive every packet {@code slowness} late
 * @param drift the largest share by which a clock runs fast or slow
 * @param deafNodes number of nodes that can send but not receive during the steady phase
 */
public record MembershipScenario(
    int nodes,
    long seed,
    SwimConfig config,
    NetworkConditions network,
    int steady,
    int crashes,
    int partition,
    int pauses,
    int pauseLength,
    int slowNodes,
    int slowness,
    double drift,
    int deafNodes) {

  private static final long BYTES_PER_NODE = 80 << 10;
  private static final long BYTES_PER_ROW = 20;
  private static final long BYTES_PER_ROW_OF_A_PARTITION = 180;

  /** The conditions of the network, see {@link NetworkModel}. Probabilities are 0 to 1. */
  public record NetworkConditions(
      int minLatency,
      int maxLatency,
      int zones,
      int betweenZones,
      double loss,
      double duplication,
      double reordering) {
    /** The network of the bars: 10 to 50 ms one way, without loss. */
    public static NetworkConditions calibration() {
      return new NetworkConditions(10, 50, 1, 0, 0, 0, 0);
    }

    public NetworkConditions withLoss(double share) {
      return new NetworkConditions(
          minLatency, maxLatency, zones, betweenZones, share, duplication, reordering);
    }
  }

  public MembershipScenario {
    if (nodes < 2 || nodes > 20_000) {
      throw new IllegalArgumentException("a simulation has 2 to 20,000 nodes, not " + nodes);
    }
    if (crashes < 0 || crashes > 10_000) {
      throw new IllegalArgumentException("crashes are 0 to 10,000, not " + crashes);
    }
    if (crashes > 0 && nodes < 3) {
      throw new IllegalArgumentException("a crash needs two others to watch it");
    }
  }

  /**
   * The approximate heap of a run, in bytes: every node has a view of all nodes. After a partition,
   * each view also queues a suspicion, a death and a return for half of its rows at once.
   */
  public long heapBytes() {
    long perRow = partition > 0 ? BYTES_PER_ROW_OF_A_PARTITION : BYTES_PER_ROW;
    return nodes * (BYTES_PER_NODE + perRow * nodes);
  }

  /** A scenario of 30 s without any fault, as a start for others. */
  public static MembershipScenario withoutFaults(int nodes, long seed) {
    return new MembershipScenario(
        nodes,
        seed,
        SwimConfig.lan(),
        NetworkConditions.calibration(),
        30_000,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0);
  }

  public MembershipScenario withConfig(SwimConfig other) {
    return with(s -> s.config = other);
  }

  public MembershipScenario withNetwork(NetworkConditions other) {
    return with(s -> s.network = other);
  }

  public MembershipScenario withSteady(int millis) {
    return with(s -> s.steady = millis);
  }

  public MembershipScenario withCrashes(int count) {
    return with(s -> s.crashes = count);
  }

  public MembershipScenario withPartition(int millis) {
    return with(s -> s.partition = millis);
  }

  public MembershipScenario withPauses(int count, int millis) {
    return with(
        s -> {
          s.pauses = count;
          s.pauseLength = millis;
        });
  }

  public MembershipScenario withSlowNodes(int count, int millis) {
    return with(
        s -> {
          s.slowNodes = count;
          s.slowness = millis;
        });
  }

  public MembershipScenario withDrift(double share) {
    return with(s -> s.drift = share);
  }

  public MembershipScenario withDeafNodes(int count) {
    return with(s -> s.deafNodes = count);
  }

  private MembershipScenario with(Consumer<Builder> change) {
    Builder draft = new Builder(this);
    change.accept(draft);
    return draft.build();
  }

  /** A mutable copy of the scenario. */
  private static final class Builder {
    private final int nodes;
    private final long seed;
    private SwimConfig config;
    private NetworkConditions network;
    private int steady;
    private int crashes;
    private int partition;
    private int pauses;
    private int pauseLength;
    private int slowNodes;
    private int slowness;
    private double drift;
    private int deafNodes;

    Builder(MembershipScenario from) {
      nodes = from.nodes;
      seed = from.seed;
      config = from.config;
      network = from.network;
      steady = from.steady;
      crashes = from.crashes;
      partition = from.partition;
      pauses = from.pauses;
      pauseLength = from.pauseLength;
      slowNodes = from.slowNodes;
      slowness = from.slowness;
      drift = from.drift;
      deafNodes = from.deafNodes;
    }

    MembershipScenario build() {
      return new MembershipScenario(
          nodes,
          seed,
          config,
          network,
          steady,
          crashes,
          partition,
          pauses,
          pauseLength,
          slowNodes,
          slowness,
          drift,
          deafNodes);
    }
  }
}
