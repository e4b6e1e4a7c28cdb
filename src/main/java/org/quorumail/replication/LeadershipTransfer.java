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

/** An orderly hand-over of a group that this node leads. */
final class LeadershipTransfer {
  private static final Logger LOG = LoggerFactory.getLogger(LeadershipTransfer.class);

  /** Beyond the patience that Ratis was given: for its answer to arrive. */
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
   * Ends the lease, brings the peer up to date and has it elected. When it fails the lease stays
   * ended: the peer's election may still succeed. We step down then, so that a term with a lease
   * follows, here or there.
   */
  boolean transferTo(String peer, Duration patience) {
    LeaderLease term = replica.machine().lease().orElse(null);
    if (term == null || !isMember(peer)) return false;
    if (replica.division().getId().toString().equals(peer)) return true;
    term.revoke();
    boolean transferred = request(RaftPeerId.valueOf(peer), patience);
    if (!transferred) request(null, patience);
    LOG.info("event=leadership_transfer to={} success={}", peer, transferred);
    return transferred;
  }

  private boolean isMember(String peer) {
    return replica.division().getRaftConf().getPeer(RaftPeerId.valueOf(peer)) != null;
  }

  private boolean request(@Nullable RaftPeerId successor, Duration patience) {
    RaftServer.Division division = replica.division();
    long millis = Math.max(1, patience.toMillis());
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
