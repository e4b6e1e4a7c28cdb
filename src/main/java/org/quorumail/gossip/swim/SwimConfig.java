package org.quorumail.gossip.swim;

/**
 * SWIM's timing and bounds; all durations in milliseconds. The presets differ where the network
 * does, the comments at {@link #lan} say why they are not memberlist's.
 *
 * @param probeInterval each node probes one member this often (times local health + 1)
 * @param smallClusterProbeStep below {@code probeInterval / step} members probes come every {@code
 *     step x members}, so that a member of a small cluster is probed about as often as one of a
 *     large one, only sooner after its death
 * @param minProbeInterval never more often than this
 * @param probeTimeout patience for the direct answer, before helpers are asked (times local health
 *     + 1)
 * @param probeWindow patience for any answer before the member is suspected (times local health +
 *     1)
 * @param indirectProbes helpers asked
 * @param suspicionFloor a confirmed suspicion lasts at least so long
 * @param suspicionStep and {@code step x log10 members} in a larger cluster, see {@link
 *     #suspicionMin}
 * @param suspicionMaxFactor an unconfirmed suspicion lasts so many times longer
 * @param suspicionConfirmations so many further accusers shorten it to the minimum
 * @param failureDetectionTimeout caps the minimal suspicion, see {@link #suspicionMin}
 * @param gossipInterval updates go out this often while there are any
 * @param gossipNodes to so many members at once
 * @param retransmitFactor an update goes out {@code factor x ceil(log10(members + 1))} times
 * @param pushPullInterval views are compared this often
 * @param pushPullBusyInterval and this often while comparisons find differences
 * @param lazarusInterval one dead member, and one silent seed, is tried this often; 0: never
 * @param lazarusBusyInterval and this often while dead ones turn out to live
 * @param maxHealthScore local health is 0 to this
 * @param packetBytes bound of one encoded datagram, before it is sealed
 * @param tombstoneTime dead and left members are remembered so long
 * @param maxTombstones and so many of them, the oldest go first
 * @param maxMembers more are not admitted
 * @param leaveTimeout a good-bye waits so long for its acknowledgement
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

  /** The part of a detection that is not suspicion: the first probe's wait, it, and the news. */
  private static final int DETECTION_ALLOWANCE = 3_000;

  private static final int DAY = 24 * 60 * 60 * 1_000;

  public SwimConfig {
    if (minProbeInterval < 10 || probeInterval < minProbeInterval) {
      throw new IllegalArgumentException("probe intervals: 10 ms <= least <= " + probeInterval);
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
   * One data centre. Probes every second at 20 nodes and more, as memberlist; every 250 ms at five,
   * because there "dead for all within 5 s" leaves no second to wait for the first probe. A probe
   * fails after 700 ms and a confirmed suspicion lasts 3 s below ten nodes: 3.7 s, so a process
   * that stands still for 3 s has 0.7 s left to speak up, and a dead one is 0.3 + 3.7 + 0.3 s away
   * from being dead for all. memberlist waits 500 + 500 ms and 4 s.
   */
  public static SwimConfig lan() {
    return new SwimConfig(
        1_000, 50, 250, 300, 700, 3, 3_000, 2_250, 6, 2, 10_000, 200, 3, 4, 30_000, 1_000, 10_000,
        200, 7, 1_350, DAY, 16_384, 32_768, 5_000);
  }

  /** Between data centres: memberlist's intervals, 5 s and 3 s; 4 targets every 500 ms. */
  public static SwimConfig wan() {
    return new SwimConfig(
        5_000, 250, 1_000, 1_500, 4_000, 3, 6_000, 6_000, 6, 2, 30_000, 500, 4, 4, 60_000, 2_000,
        30_000, 500, 7, 1_350, DAY, 16_384, 32_768, 15_000);
  }

  /** Thousands of nodes in one data centre: more time for refutations to get around. */
  public static SwimConfig largeCluster() {
    return new SwimConfig(
        1_000, 50, 250, 500, 1_000, 3, 3_000, 3_000, 6, 3, 15_000, 200, 4, 4, 30_000, 1_000, 10_000,
        200, 7, 1_350, DAY, 16_384, 32_768, 10_000);
  }

  /** The upper bound promised to operators; at least 4 s. */
  public SwimConfig withFailureDetectionTimeout(int millis) {
    return with(millis, packetBytes, lazarusInterval);
  }

  /** Room for the driver's seal: the datagram's bound less what it adds. */
  public SwimConfig withPacketBytes(int bytes) {
    return with(failureDetectionTimeout, bytes, lazarusInterval);
  }

  /** How often one dead member, and one silent seed, is tried; 0: never. */
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

  /** The pause between two probes by a node in good health. */
  int probeInterval(int members) {
    long scaled = (long) smallClusterProbeStep * members;
    return (int) Math.max(minProbeInterval, Math.min(probeInterval, scaled));
  }

  /** How long a confirmed suspicion lasts. */
  int suspicionMin(int members) {
    int byProtocol =
        Math.max(suspicionFloor, (int) (suspicionStep * Math.log10(Math.max(1, members))));
    return Math.min(byProtocol, failureDetectionTimeout - DETECTION_ALLOWANCE);
  }

  /** How often an update is passed on by each node. */
  int retransmitLimit(int members) {
    return retransmitFactor * (int) Math.ceil(Math.log10(members + 1.0));
  }
}
