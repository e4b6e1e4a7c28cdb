package org.quorumail.replication;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An orderly transfer of a group that this node leads. */
final class LeadershipTransfer {
  private static final Logger LOG = LoggerFactory.getLogger(LeadershipTransfer.class);

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
   * Ends the lease, brings the peer up to date and has it elected. After a failure the lease stays
   * ended, since the peer's election may still succeed. This node then steps down, so that a new
   * term with a lease follows.
   */
  boolean transferTo(String peer, Duration timeout) {
    LeaderLease term = replica.machine().lease().orElse(null);
    if (term == null || !isMember(peer)) return false;
    if (replica.division().getId().toString().equals(peer)) return true;
    term.revoke();
    boolean transferred = request(RaftPeerId.valueOf(peer), timeout);
    if (!transferred) request(null, timeout);
    LOG.info("event=leadership_transfer to={} success={}", peer, transferred);
    return transferred;
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
