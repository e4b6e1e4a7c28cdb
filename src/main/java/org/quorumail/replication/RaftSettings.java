package org.quorumail.replication;

import java.nio.file.Path;
import java.time.Duration;

/**
 * What a {@link RaftNode} needs to know; everything else is pinned in {@link PinnedProperties}.
 *
 * @param clusterId part of every group's id, so that two clusters never mix
 * @param peerId this node; a node whose directory was lost must come back under a new one, because
 *     it forgot its votes
 * @param port 0 for any free one
 * @param directory belongs to the replication alone
 * @param electionMin a follower that heard nothing for this long may call an election; leases are
 *     shorter than this
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
    Duration snapshotInterval,
    long snapshotBytes) {
  /** Lower values flap when a node's processors are shared; higher ones delay a takeover. */
  public static final Duration ELECTION_MIN = Duration.ofMillis(600);

  public static final Duration ELECTION_MAX = Duration.ofMillis(1200);
  public static final Duration SNAPSHOT_INTERVAL = Duration.ofMinutes(5);

  /** Bounds the log on disk and the replay after a crash. */
  public static final long SNAPSHOT_BYTES = 64L << 20;

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
  public static RaftSettings member(
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
        SNAPSHOT_INTERVAL,
        SNAPSHOT_BYTES);
  }

  /** A node on its own: loopback, any port, no TLS; its groups have one member. */
  public static RaftSettings standAlone(String clusterId, String peerId, Path directory) {
    return member(clusterId, peerId, "127.0.0.1", 0, directory, new RaftTls.Plaintext());
  }
}
