package org.quorumail.replication;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The settings of a {@link RaftNode}; all others are in {@link PinnedProperties}.
 *
 * @param clusterId part of every group's id, so that two clusters never mix
 * @param peerId this node; a node that lost its directory must come back under a new id, because it
 *     lost its votes
 * @param port 0 for any free one
 * @param directory used by the replication alone
 * @param electionMin a follower without a heartbeat for this long may call an election; leases are
 *     shorter
 * @param firstElection the wait of a member for a leader after its own start
 * @param snapshotInterval the longest time that applied entries wait for a snapshot
 * @param snapshotBytes the most bytes of entries between two snapshots
 */
public record RaftSettings(
    String clusterId,
    String peerId,
    String bindHost,
    int port,
    Path directory,
    RaftTls tls,
    Duration electionMin,
    Duration electionMax,
    FirstElectionTimeout firstElection,
    Duration snapshotInterval,
    long snapshotBytes) {
  /** Lower values flap when a node's processors are shared; higher ones delay a takeover. */
  public static final Duration ELECTION_MIN = Duration.ofMillis(600);

  public static final Duration ELECTION_MAX = Duration.ofMillis(1200);
  public static final Duration SNAPSHOT_INTERVAL = Duration.ofMinutes(5);

  /** Bounds the log on disk and the replay after a crash. */
  public static final long SNAPSHOT_BYTES = 64L << 20;

  /**
   * The time after a start at which a member without a leader calls an election. It is random
   * between the two bounds, so that members that start together do not all stand at once.
   */
  public record FirstElectionTimeout(Duration min, Duration max) {
    /** A node that joins a running cluster gets its leader's heartbeat before this. */
    public static final FirstElectionTimeout IN_CLUSTER =
        new FirstElectionTimeout(Duration.ofMillis(300), Duration.ofMillis(800));

    /** Nobody else can lead: the wait would only make the start longer. */
    public static final FirstElectionTimeout SINGLE_NODE =
        new FirstElectionTimeout(Duration.ofMillis(10), Duration.ofMillis(20));
  }

  public RaftSettings {
    if (electionMin.toMillis() < 100 || electionMax.compareTo(electionMin) <= 0)
      throw new IllegalArgumentException(
          "the election timeouts must be at least 100 ms and rise: "
              + electionMin
              + ", "
              + electionMax);
    if (snapshotBytes < 1 || snapshotInterval.isNegative() || snapshotInterval.isZero())
      throw new IllegalArgumentException("snapshots need a positive interval and size");
    directory = directory.toAbsolutePath().normalize();
  }

  /** A member of a cluster, with the default timeouts. */
  public static RaftSettings clusterMember(
      String clusterId, String peerId, String bindHost, int port, Path directory, RaftTls tls) {
    return new RaftSettings(
        clusterId,
        peerId,
        bindHost,
        port,
        directory,
        tls,
        ELECTION_MIN,
        ELECTION_MAX,
        FirstElectionTimeout.IN_CLUSTER,
        SNAPSHOT_INTERVAL,
        SNAPSHOT_BYTES);
  }

  /** A node on its own: no port; its groups have one member. */
  public static RaftSettings standAlone(String clusterId, String peerId, Path directory) {
    return new RaftSettings(
        clusterId,
        peerId,
        "127.0.0.1",
        0,
        directory,
        new RaftTls.NoPort(),
        ELECTION_MIN,
        ELECTION_MAX,
        FirstElectionTimeout.SINGLE_NODE,
        SNAPSHOT_INTERVAL,
        SNAPSHOT_BYTES);
  }
}
