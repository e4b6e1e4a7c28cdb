package org.quorumail.replication;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.server.protocol.TermIndex;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An orderly transfer of a group that this node leads. */
final class LeadershipTransfer {
  private static final Logger LOG = LoggerFactory.getLogger(LeadershipTransfer.class);

  /**
   * The most entries that a successor may lack. It receives them while nobody leads with a lease,
   * so they are bounded to some megabytes; entries that are on their way to it count too.
   */
  static final long LAG_MAX = 32;

  /** A follower answers twice in an election timeout; one that is silent for two is gone. */
  private static final int SILENT_ELECTION_TIMEOUTS = 2;

  /** The time beyond Ratis' own timeout for its reply to arrive. */
  private static final long REPLY_GRACE_MILLIS = 1000;

  private final RaftClientContext wire;
  private final RaftGroupId group;
  private final RatisLog.Replica replica;

  LeadershipTransfer(RaftClientContext wire, RaftGroupId group, RatisLog.Replica replica) {
    this.wire = wire;
    this.group = group;
    this.replica = replica;
  }

  /**
   * Returns why the peer cannot take over now, or nothing. A peer that has not caught up could not
   * be elected in time: the group would be without an owner until this node leads a new term.
   */
  Optional<String> obstacle(String peer) {
    if (replica.machine().lease().isEmpty()) return Optional.of("this node does not lead it");
    if (!isMember(peer)) return Optional.of(peer + " is no member of it");
    if (isSelf(peer)) return Optional.empty();
    FollowerInfo follower = replica.machine().followers().get(RaftPeerId.valueOf(peer));
    if (follower == null || isSilent(follower, replica.machine().electionMin()))
      return Optional.of(peer + " does not answer");
    TermIndex last = replica.division().getRaftLog().getLastEntryTermIndex();
    long lag = last == null ? 0 : last.getIndex() - follower.getMatchIndex();
    return lag > LAG_MAX
        ? Optional.of(peer + " has not caught up: it lacks " + lag + " entries")
        : Optional.empty();
  }

  /**
   * Ends the lease, brings the peer up to date and has it elected. Changes nothing when there is an
   * {@link #obstacle}. After a failure the lease stays ended, since the peer's election may still
   * succeed. This node then steps down, so that a new term with a lease follows.
   */
  boolean transferTo(String peer, Duration timeout) {
    LeaderLease term = replica.machine().lease().orElse(null);
    Optional<String> obstacle = obstacle(peer);
    if (obstacle.isPresent())
      LOG.info(
          "event=leadership_transfer_refused group={} to={} reason=\"{}\"",
          replica.machine().group(),
          peer,
          obstacle.get());
    if (term == null || obstacle.isPresent()) return false;
    if (isSelf(peer)) return true;
    term.revoke();
    boolean transferred = request(RaftPeerId.valueOf(peer), timeout);
    if (!transferred) request(null, timeout);
    LOG.info("event=leadership_transfer to={} success={}", peer, transferred);
    return transferred;
  }

  static boolean isSilent(FollowerInfo follower, Duration electionMin) {
    long answered =
        follower.getLastRespondedAppendEntriesSendTime().elapsedTime().toLong(TimeUnit.NANOSECONDS);
    return answered > electionMin.toNanos() * SILENT_ELECTION_TIMEOUTS;
  }

  private boolean isSelf(String peer) {
    return replica.division().getId().toString().equals(peer);
  }

  private boolean isMember(String peer) {
    return replica.division().getRaftConf().getPeer(RaftPeerId.valueOf(peer)) != null;
  }

  private boolean request(@Nullable RaftPeerId successor, Duration timeout) {
    RaftServer.Division division = replica.division();
    long millis = Math.max(1, timeout.toMillis());
    var request =
        new TransferLeadershipRequest(
            wire.clientId(), division.getId(), group, wire.nextCallId(), successor, millis);
    try {
      RaftClientReply reply =
          division
              .getRaftServer()
              .transferLeadershipAsync(request)
              .get(millis + REPLY_GRACE_MILLIS, TimeUnit.MILLISECONDS);
      return reply.isSuccess();
    } catch (ExecutionException | TimeoutException | IOException e) {
      LOG.warn("event=leadership_transfer_failed reason=\"{}\"", e.getMessage());
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
