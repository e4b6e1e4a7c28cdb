package org.quorumail.gossip.sim;

import org.quorumail.gossip.SwimConfig;

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
    Network network,
    int steady,
    int crashes,
    int partition,
    int pauses,
    int pauseLength,
    int slowNodes,
    int slowness,
    double drift,
    int deafNodes) {

  /** The medium, see {@link NetworkModel}. Probabilities are 0 to 1. */
  public record Network(
      int minLatency,
      int maxLatency,
      int zones,
      int betweenZones,
      double loss,
      double duplication,
      double reordering) {
    /** 10 to 50 ms one way, nothing lost: the network that the bars are meant for. */
    public static Network calibration() {
      return new Network(10, 50, 1, 0, 0, 0, 0);
    }

    public Network withLoss(double share) {
      return new Network(
          minLatency, maxLatency, zones, betweenZones, share, duplication, reordering);
    }

    NetworkModel.Conditions conditions() {
      return new NetworkModel.Conditions(
          minLatency, maxLatency, zones, betweenZones, loss, duplication, reordering);
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

  /** Nothing but time: for a start, to be varied. */
  public static MembershipScenario calm(int nodes, long seed) {
    return new MembershipScenario(
        nodes, seed, SwimConfig.lan(), Network.calibration(), 30_000, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  public MembershipScenario withConfig(SwimConfig other) {
    return new MembershipScenario(
        nodes,
        seed,
        other,
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

  public MembershipScenario withNetwork(Network other) {
    return new MembershipScenario(
        nodes,
        seed,
        config,
        other,
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

  public MembershipScenario withSteady(int millis) {
    return new MembershipScenario(
        nodes,
        seed,
        config,
        network,
        millis,
        crashes,
        partition,
        pauses,
        pauseLength,
        slowNodes,
        slowness,
        drift,
        deafNodes);
  }

  public MembershipScenario withCrashes(int count) {
    return new MembershipScenario(
        nodes,
        seed,
        config,
        network,
        steady,
        count,
        partition,
        pauses,
        pauseLength,
        slowNodes,
        slowness,
        drift,
        deafNodes);
  }

  public MembershipScenario withPartition(int millis) {
    return new MembershipScenario(
        nodes,
        seed,
        config,
        network,
        steady,
        crashes,
        millis,
        pauses,
        pauseLength,
        slowNodes,
        slowness,
        drift,
        deafNodes);
  }

  public MembershipScenario withPauses(int count, int millis) {
    return new MembershipScenario(
        nodes, seed, config, network, steady, crashes, partition, count, millis, slowNodes,
        slowness, drift, deafNodes);
  }

  public MembershipScenario withSlowNodes(int count, int millis) {
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
        count,
        millis,
        drift,
        deafNodes);
  }

  public MembershipScenario withDrift(double share) {
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
        share,
        deafNodes);
  }

  public MembershipScenario withDeafNodes(int count) {
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
        count);
  }
}
