package org.quorumail.gossip.sim;

import java.util.function.Consumer;
import org.quorumail.gossip.swim.SwimConfig;

/**
 * What happens to a cluster that knows itself at the start. Times are milliseconds.
 *
 * @param steady first it is left alone so long: traffic at rest, false deaths
 * @param crashes then so many nodes end without a word, one after the other; they come back some
 *     seconds after all others hold them dead
 * @param partition then it is cut into halves so long, and healed; 0 for not at all
 * @param pauses so many nodes stand still for {@code pauseLength} during the steady time
 * @param slowNodes so many read everything {@code slowness} late
 * @param drift clocks run up to this share fast or slow
 * @param deafNodes so many hear nothing during the steady time, though they are heard
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

  /** The medium, see {@link NetworkModel}. Probabilities are 0 to 1. */
  public record NetworkConditions(
      int minLatency,
      int maxLatency,
      int zones,
      int betweenZones,
      double loss,
      double duplication,
      double reordering) {
    /** 10 to 50 ms one way, nothing lost: the network that the bars are meant for. */
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
   * The heap that a run takes, roughly, in bytes: every node has a view of all. Where half the
   * cluster is cut off, each view has a suspicion, then an obituary and a return to pass on for
   * half of its rows at once.
   */
  public long heapBytes() {
    long perRow = partition > 0 ? BYTES_PER_ROW_OF_A_PARTITION : BYTES_PER_ROW;
    return nodes * (BYTES_PER_NODE + perRow * nodes);
  }

  /** Nothing but time: for a start, to be varied. */
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

  /** The fields while they are being changed. */
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
