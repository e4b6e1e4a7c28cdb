package org.quorumail.replication;

import java.time.Duration;
import java.util.List;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys.LeaderElection;
import org.apache.ratis.server.RaftServerConfigKeys.Log;
import org.apache.ratis.server.RaftServerConfigKeys.Read;
import org.apache.ratis.server.RaftServerConfigKeys.RetryCache;
import org.apache.ratis.server.RaftServerConfigKeys.Rpc;
import org.apache.ratis.server.RaftServerConfigKeys.Snapshot;
import org.apache.ratis.server.RaftServerConfigKeys.Write;

/**
 * Every setting of Ratis that the replication relies on, with its reason. It includes defaults that
 * must not change when the library is raised. Sizes assume a heap of 512 MB and about ten groups in
 * a process.
 */
final class PinnedProperties {
  /** The time for which a repeated append is recognised; {@link PendingAppend} repeats for less. */
  static final int RETRY_CACHE_SECONDS = 20;

  /** The most entries of a log that are written before they are forced. */
  static final int ENTRIES_PER_FORCE = 128;

  private static final String FSYNC = "an entry counts only when it was forced to disk";

  static final List<PinnedProperty> PINNED =
      List.of(
          // Durability
          new PinnedProperty(
              Log.ASYNC_FLUSH_ENABLED_KEY, "false", "it acknowledges what may not be on disk"),
          new PinnedProperty(Log.UNSAFE_FLUSH_ENABLED_KEY, "false", FSYNC),
          new PinnedProperty(Log.USE_MEMORY_KEY, "false", FSYNC),
          new PinnedProperty(
              Log.FORCE_SYNC_NUM_KEY,
              String.valueOf(ENTRIES_PER_FORCE),
              "the most entries under one fsync (group commit)"),
          new PinnedProperty(
              Log.CORRUPTION_POLICY_KEY, "EXCEPTION", "a damaged log is refused, never cut short"),
          new PinnedProperty(Log.StateMachineData.SYNC_KEY, "true", FSYNC),
          // Size of an entry; each group has one direct write buffer, which must hold the limit
          new PinnedProperty(
              Log.Appender.BUFFER_BYTE_LIMIT_KEY,
              "2MB",
              "the largest entry with its head, and room"),
          new PinnedProperty(
              Log.WRITE_BUFFER_SIZE_KEY, "3MB", "at least the limit above plus 8 bytes"),
          new PinnedProperty(
              GrpcConfigKeys.MESSAGE_SIZE_MAX_KEY,
              "8MB",
              "above the two limits and a snapshot chunk"),
          new PinnedProperty(
              Log.Appender.SNAPSHOT_CHUNK_SIZE_MAX_KEY, "4MB", "one chunk per group in memory"),
          // Memory
          new PinnedProperty(
              Log.SEGMENT_SIZE_MAX_KEY,
              "8MB",
              "the open segment is in the heap; purge takes whole ones"),
          new PinnedProperty(Log.PREALLOCATED_SIZE_KEY, "1MB", "filler that is really written"),
          new PinnedProperty(
              Log.SEGMENT_CACHE_NUM_MAX_KEY,
              "2",
              "the default, 6 segments, fills a heap of 512 MB"),
          new PinnedProperty(Log.SEGMENT_CACHE_SIZE_MAX_KEY, "8MB", "as above"),
          new PinnedProperty(Log.QUEUE_BYTE_LIMIT_KEY, "16MB", "unwritten entries per group"),
          new PinnedProperty(Log.QUEUE_ELEMENT_LIMIT_KEY, "4096", "unwritten entries per group"),
          new PinnedProperty(Write.BYTE_LIMIT_KEY, "32MB", "unanswered entries per group"),
          new PinnedProperty(Write.ELEMENT_LIMIT_KEY, "4096", "unanswered entries per group"),
          new PinnedProperty(
              RetryCache.EXPIRY_TIME_KEY, RETRY_CACHE_SECONDS + "s", "one reply is kept per entry"),
          // Speed
          new PinnedProperty(Log.Appender.WAIT_TIME_MIN_KEY, "0ms", "an entry leaves at once"),
          new PinnedProperty(
              Log.LOG_METADATA_ENABLED_KEY, "false", "saves an own log entry per commit"),
          // Disk
          new PinnedProperty(
              Snapshot.AUTO_TRIGGER_ENABLED_KEY, "true", "besides our trigger by bytes and time"),
          new PinnedProperty(
              Snapshot.AUTO_TRIGGER_THRESHOLD_KEY,
              "150000",
              "entries behind the last purge; above what is kept for laggards, else it would"
                  + " never stop"),
          new PinnedProperty(
              Snapshot.TRIGGER_WHEN_STOP_ENABLED_KEY, "true", "an orderly restart replays nothing"),
          new PinnedProperty(
              Snapshot.TRIGGER_WHEN_REMOVE_ENABLED_KEY, "false", "a removed group is given up"),
          new PinnedProperty(
              Snapshot.CREATION_GAP_KEY, "1", "our trigger decides, not a second threshold"),
          new PinnedProperty(
              Snapshot.RETENTION_FILE_NUM_KEY, "1", "one on its way to a laggard is pinned"),
          new PinnedProperty(
              Log.PURGE_UPTO_SNAPSHOT_INDEX_KEY,
              "true",
              "LogRetention decides, which forgets a dead follower"),
          new PinnedProperty(Log.PURGE_GAP_KEY, "1", "after every snapshot"),
          new PinnedProperty(
              Log.PURGE_PRESERVATION_LOG_NUM_KEY,
              "128",
              "entries for a laggard at any replica; a leader keeps more, see LogRetention"),
          // Elections
          new PinnedProperty(
              LeaderElection.PRE_VOTE_KEY, "true", "a returning node must not unseat a leader"),
          new PinnedProperty(
              LeaderElection.LEADER_STEP_DOWN_WAIT_TIME_KEY,
              "1200ms",
              "a leader that was paused for longer steps down; one that lost its quorum stands"
                  + " again after it"),
          new PinnedProperty(
              LeaderElection.MEMBER_MAJORITY_ADD_KEY,
              "false",
              "one change may not replace a majority"),
          new PinnedProperty(
              RaftServerConfigKeys.CLOSE_THRESHOLD_KEY,
              "365d",
              "the default closes the server for good after a pause of 60 s"),
          new PinnedProperty(
              RaftServerConfigKeys.SLEEP_DEVIATION_THRESHOLD_KEY,
              "300ms",
              "a node that slept too long does not call an election"),
          new PinnedProperty(Rpc.REQUEST_TIMEOUT_KEY, "3s", "between servers"),
          new PinnedProperty(
              Read.OPTION_KEY,
              "LINEARIZABLE",
              "a read through Ratis sees what was committed before it"),
          new PinnedProperty(
              RaftClientConfigKeys.Rpc.REQUEST_TIMEOUT_KEY,
              "1s",
              "then the append is sent to the present leader"),
          new PinnedProperty(
              GrpcConfigKeys.Server.HEARTBEAT_CHANNEL_KEY,
              "true",
              "heartbeats do not wait behind entries"));

  private PinnedProperties() {}

  static RaftProperties of(RaftSettings settings) {
    RaftProperties properties = new RaftProperties();
    PINNED.forEach(pin -> properties.set(pin.key, pin.value));
    properties.set(Rpc.TIMEOUT_MIN_KEY, settings.electionMin().toMillis() + "ms");
    properties.set(Rpc.TIMEOUT_MAX_KEY, settings.electionMax().toMillis() + "ms");
    RaftSettings.FirstElectionTimeout first = settings.firstElection();
    properties.set(Rpc.FIRST_ELECTION_TIMEOUT_MIN_KEY, first.min().toMillis() + "ms");
    properties.set(Rpc.FIRST_ELECTION_TIMEOUT_MAX_KEY, first.max().toMillis() + "ms");
    properties.set(Log.Appender.RETRY_POLICY_KEY, retries(settings.electionMin()));
    GrpcConfigKeys.Server.setHost(properties, settings.bindHost());
    GrpcConfigKeys.Server.setPort(properties, settings.port());
    RaftServerConfigKeys.setRemovedGroupsDir(
        properties, settings.directory().resolve("removed").toFile());
    Class<? extends RpcType> rpc =
        switch (settings.tls()) {
          case RaftTls.Managers managers -> LeaseTrackingRpc.class;
          case RaftTls.NoPort none -> LocalRpc.class;
        };
    properties.set("raft.rpc.type", rpc.getName());
    return properties;
  }

  /**
   * The pauses of a leader before it sends to a follower again after errors: ten short ones, then
   * one that ends, with the wait for the next heartbeat, within the election timeout. The default,
   * 5 s after 30 errors, outlasts the absence of the follower: a node that came back found its
   * leaders silent again and again, for half a minute.
   */
  private static String retries(Duration electionMin) {
    return "1ms,10, " + electionMin.toMillis() / 6 + "ms," + Integer.MAX_VALUE;
  }

  /** Refuses settings that acknowledge entries which are not on disk. */
  static void checkFlushIsSafe(RaftProperties properties) throws RaftStartException {
    if (Log.asyncFlushEnabled(properties) || Log.unsafeFlushEnabled(properties))
      throw new RaftStartException(
          "raft.server.log.async-flush.enabled and unsafe-flush.enabled must be off: they"
              + " acknowledge mail that is not on disk");
  }

  record PinnedProperty(String key, String value, String reason) {}
}
