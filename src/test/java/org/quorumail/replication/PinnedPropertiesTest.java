package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.retry.RetryPolicy;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys.Log;
import org.apache.ratis.util.TimeDuration;
import org.junit.jupiter.api.Test;

class PinnedPropertiesTest {
  private final RaftProperties properties =
      PinnedProperties.of(RaftSettings.standAlone("test", "n1", Path.of("unused")));

  /** Read as Ratis reads them, so that a key that it renames shows here. */
  @Test
  void ratisReadsWhatDurabilityRestsOn() {
    assertThat(Log.asyncFlushEnabled(properties)).isFalse();
    assertThat(Log.unsafeFlushEnabled(properties)).isFalse();
    assertThat(Log.useMemory(properties)).isFalse();
    assertThat(Log.forceSyncNum(properties)).isEqualTo(128);
    assertThat(Log.corruptionPolicy(properties)).isEqualTo(Log.CorruptionPolicy.EXCEPTION);
    assertThat(Log.StateMachineData.sync(properties)).isTrue();
    assertThat(RaftServerConfigKeys.LeaderElection.preVote(properties)).isTrue();
    assertThat(Log.purgeUptoSnapshotIndex(properties)).isTrue();
  }

  @Test
  void ratisReadsTheTimeouts() {
    assertThat(RaftServerConfigKeys.Rpc.timeoutMin(properties))
        .isEqualTo(TimeDuration.valueOf("600ms", TimeUnit.MILLISECONDS));
    assertThat(RaftServerConfigKeys.Rpc.timeoutMax(properties).toIntExact(TimeUnit.MILLISECONDS))
        .isEqualTo(1200);
    assertThat(RaftServerConfigKeys.closeThreshold(properties).toLong(TimeUnit.DAYS))
        .isEqualTo(365);
  }

  @Test
  void aLeaderIsNeverSilentForAnElectionTimeoutHoweverLongTheFollowerWasAway() {
    RetryPolicy policy =
        RetryPolicy.parse(Log.Appender.retryPolicy(properties), Log.Appender.RETRY_POLICY_KEY);
    long electionMin =
        RaftServerConfigKeys.Rpc.timeoutMin(properties).toLong(TimeUnit.MILLISECONDS);
    for (int errors : new int[] {1, 10, 11, 30, 31, 1030, 1031, 10_000_000}) {
      int count = errors;
      TimeDuration pause = policy.handleAttemptFailure(() -> count).getSleepTime();
      assertThat(pause.toLong(TimeUnit.MILLISECONDS) + electionMin / 2) // the next heartbeat
          .as("after %d errors", count)
          .isLessThan(electionMin);
    }
  }

  @Test
  void theLimitsOfAnEntryFitIntoOneAnother() {
    long appender = Log.Appender.bufferByteLimit(properties).getSize();
    assertThat(appender).isGreaterThan(ReplicatedLog.ENTRY_BYTES_MAX);
    assertThat(Log.writeBufferSize(properties).getSize()).isGreaterThanOrEqualTo(appender + 8);
    assertThat(GrpcConfigKeys.messageSizeMax(properties, message -> {}).getSize())
        .isGreaterThan(appender + (1 << 20))
        .isGreaterThan(Log.Appender.snapshotChunkSizeMax(properties).getSize() + (1 << 20));
    assertThat(PendingAppend.REPEATS_MAX)
        .isLessThan(
            Duration.ofMillis(
                RaftServerConfigKeys.RetryCache.expiryTime(properties)
                    .toLong(TimeUnit.MILLISECONDS)));
  }

  @Test
  void aFlushThatDoesNotWaitForTheDiskIsRefused() {
    Log.setAsyncFlushEnabled(properties, true);
    assertThatThrownBy(() -> PinnedProperties.checkFlushIsSafe(properties))
        .isInstanceOf(RaftStartException.class)
        .hasMessageContaining("async-flush");
  }

  @Test
  void everyPinHasAReason() {
    assertThat(PinnedProperties.PINNED).allSatisfy(pin -> assertThat(pin.reason()).isNotBlank());
    assertThat(PinnedProperties.PINNED.stream().map(PinnedProperties.PinnedProperty::key))
        .doesNotHaveDuplicates();
  }
}
