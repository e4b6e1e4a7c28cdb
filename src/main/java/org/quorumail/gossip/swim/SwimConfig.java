package org.quorumail.gossip.swim;

/**
 * The timing and bounds of SWIM; all durations are milliseconds. The presets differ where the
 * networks do; the comment at {@link #lan} says why they are not memberlist's.
 *
 * @param probeInterval each node probes one member this often (times local health + 1)
 * @param smallClusterProbeStep below {@code probeInterval / step} members the interval is {@code
 *     step x members}: a dead member of a small cluster is probed sooner
 * @param minProbeInterval the shortest probe interval
 * @param probeTimeout the wait for the direct ack before helpers are asked (times local health + 1)
 * @param probeWindow the wait for any ack before the member is suspected (times local health + 1)
 * @param indirectProbes the number of helpers
 * @param suspicionFloor the shortest confirmed suspicion
 * @param suspicionStep a confirmed suspicion lasts at least {@code step x log10 members} in a
 *     larger cluster, see {@link #suspicionMin}
 * @param suspicionMaxFactor an unconfirmed suspicion lasts this many times longer
 * @param suspicionConfirmations this many further accusers shorten a suspicion to the minimum
 * @param failureDetectionTimeout caps the minimal suspicion, see {@link #suspicionMin}
 * @param gossipInterval the time between two rounds of gossip, while there are updates
 * @param gossipNodes the number of receivers of one round
 * @param retransmitFactor an update is sent {@code factor x ceil(log10(members + 1))} times
 * @param pushPullInterval the time between two comparisons of views
 * @param pushPullBusyInterval the same while comparisons find many differences
 * @param lazarusInterval the time between two probes of dead members, and between two attempts with
 *     a silent seed; 0: never
 * @param lazarusBusyInterval the time between two probes while dead members return
 * @param maxHealthScore the upper bound of local health
 * @param packetBytes the bound of one encoded datagram, before it is sealed
 * @param tombstoneTime the time for which dead and left members are remembered
 * @param maxTombstones the bound of remembered members; the oldest are forgotten first
 * @param maxMembers the bound of the view; further members are not added
 * @param leaveTimeout the time for which a leave waits for its acks
 */
public record SwimConfig(
    int probeInterval,
    int smallClusterProbeStep,
    int minProbeInterval,
    int probeTimeout,
    int probeWindow,
    int indirectProbes,
    int suspicionFloor,
    int suspicionStep,
    int suspicionMaxFactor,
    int suspicionConfirmations,
    int failureDetectionTimeout,
    int gossipInterval,
    int gossipNodes,
    int retransmitFactor,
    int pushPullInterval,
    int pushPullBusyInterval,
    int lazarusInterval,
    int lazarusBusyInterval,
    int maxHealthScore,
    int packetBytes,
    int tombstoneTime,
    int maxTombstones,
    int maxMembers,
    int leaveTimeout) {

  /** The part of a detection that is not suspicion: the first probe and the dissemination. */
  private static final int DETECTION_ALLOWANCE = 3_000;

  private static final int DAY = 24 * 60 * 60 * 1_000;

  public SwimConfig {
    if (minProbeInterval < 10 || probeInterval < minProbeInterval) {
      throw new IllegalArgumentException("probe intervals: 10 ms <= min <= " + probeInterval);
    }
    if (probeTimeout < 10 || probeWindow <= probeTimeout) {
      throw new IllegalArgumentException("a probe's window is longer than its direct time-out");
    }
    if (failureDetectionTimeout < DETECTION_ALLOWANCE + 1_000) {
      throw new IllegalArgumentException("failure_detection_timeout is at least 4s");
    }
    if (packetBytes < 700 || packetBytes > 65_000) {
      throw new IllegalArgumentException("a packet holds 700 to 65,000 bytes: " + packetBytes);
    }
    if (maxHealthScore < 0 || maxHealthScore > 7) {
      throw new IllegalArgumentException("local health is 0 to at most 7: " + maxHealthScore);
    }
    if (gossipInterval < 10 || gossipNodes < 1 || retransmitFactor < 1) {
      throw new IllegalArgumentException("gossip needs an interval, targets and retransmits");
    }
    if (maxMembers < 1 || maxTombstones < 1) {
      throw new IllegalArgumentException("bounds of members and tombstones are at least 1");
    }
  }

  /**
   * The preset for one data centre. A node probes every second at 20 nodes and more, as memberlist
   * does. At five nodes it probes every 250 ms: "dead for all within 5 s" leaves no second to wait
   * for the first probe. A probe fails after 700 ms and a confirmed suspicion lasts 3 s below ten
   * nodes. So a process that is paused for 3 s has 0.7 s left to refute. A dead one is dead for all
   * after 0.3 + 3.7 + 0.3 s. memberlist waits 500 + 500 ms and 4 s.
   */
  public static SwimConfig lan() {
    return new SwimConfig(
        1_000, 50, 250, 300, 700, 3, 3_000, 2_250, 6, 2, 10_000, 200, 3, 4, 30_000, 1_000, 10_000,
        200, 7, 1_350, DAY, 16_384, 32_768, 5_000);
  }

  /**
   * The preset between data centres: memberlist's intervals, 5 s and 3 s; 4 targets every 500 ms.
   */
  public static SwimConfig wan() {
    return new SwimConfig(
        5_000, 250, 1_000, 1_500, 4_000, 3, 6_000, 6_000, 6, 2, 30_000, 500, 4, 4, 60_000, 2_000,
        30_000, 500, 7, 1_350, DAY, 16_384, 32_768, 15_000);
  }

  /** The preset for thousands of nodes in one data centre: refutations have more time to spread. */
  public static SwimConfig largeCluster() {
    return new SwimConfig(
        1_000, 50, 250, 500, 1_000, 3, 3_000, 3_000, 6, 3, 15_000, 200, 4, 4, 30_000, 1_000, 10_000,
        200, 7, 1_350, DAY, 16_384, 32_768, 10_000);
  }

  /** Sets the upper bound of a detection that operators rely on; at least 4 s. */
  public SwimConfig withFailureDetectionTimeout(int millis) {
    return with(millis, packetBytes, lazarusInterval);
  }

  /** Sets the bound of a datagram, less the bytes that the driver's seal adds. */
  public SwimConfig withPacketBytes(int bytes) {
    return with(failureDetectionTimeout, bytes, lazarusInterval);
  }

  /** Sets the time between two probes of dead members and of silent seeds; 0: never. */
  public SwimConfig withLazarusInterval(int millis) {
    return with(failureDetectionTimeout, packetBytes, millis);
  }

  private SwimConfig with(int detectionTimeout, int datagramBytes, int retryInterval) {
    return new SwimConfig(
        probeInterval,
        smallClusterProbeStep,
        minProbeInterval,
        probeTimeout,
        probeWindow,
        indirectProbes,
        suspicionFloor,
        suspicionStep,
        suspicionMaxFactor,
        suspicionConfirmations,
        detectionTimeout,
        gossipInterval,
        gossipNodes,
        retransmitFactor,
        pushPullInterval,
        pushPullBusyInterval,
        retryInterval,
        lazarusBusyInterval,
        maxHealthScore,
        datagramBytes,
        tombstoneTime,
        maxTombstones,
        maxMembers,
        leaveTimeout);
  }

  /** The time between two probes by a healthy node. */
  int probeInterval(int members) {
    long scaled = (long) smallClusterProbeStep * members;
    return (int) Math.max(minProbeInterval, Math.min(probeInterval, scaled));
  }

  /** The time for which a confirmed suspicion lasts. */
  int suspicionMin(int members) {
    int byProtocol =
        Math.max(suspicionFloor, (int) (suspicionStep * Math.log10(Math.max(1, members))));
    return Math.min(byProtocol, failureDetectionTimeout - DETECTION_ALLOWANCE);
  }

  /** The number of times that each node passes an update on. */
  int retransmitLimit(int members) {
    return retransmitFactor * (int) Math.ceil(Math.log10(members + 1.0));
  }
}
