package org.quorumail.replication;

import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcFactory;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.server.leader.LeaderState;
import org.apache.ratis.server.leader.LogAppender;

/**
 * Ratis' gRPC transport, which also gives the state machine the leader's record of each follower.
 * The record has the send times of answered requests, from which {@link LeaderLease} is computed.
 * Its senders pin the snapshots that they send. Ratis finds the class by its name, hence it is
 * public.
 */
public final class LeaseTrackingRpc implements RpcType {
  @Override
  public String name() {
    return "GRPC_WITH_LEASE";
  }

  @Override
  public RpcFactory newFactory(Parameters parameters) {
    return new Factory(parameters);
  }

  private static final class Factory extends GrpcFactory {
    Factory(Parameters parameters) {
      super(parameters);
    }

    @Override
    public LogAppender newLogAppender(
        RaftServer.Division division, LeaderState leader, FollowerInfo follower) {
      if (!(division.getStateMachine() instanceof ReplicaStateMachine machine))
        return super.newLogAppender(division, leader, follower);
      machine.followers().put(follower.getId(), follower);
      return new SnapshotPinningAppender(division, leader, follower, machine.snapshots());
    }
  }
}
