package org.quorumail.replication;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collection;
import org.apache.ratis.client.ClientFactory;
import org.apache.ratis.client.RaftClientRpc;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotReplyProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteReplyProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionReplyProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpc;
import org.apache.ratis.server.ServerFactory;

/**
 * The transport of a node that stands alone: it opens no port and reaches nobody. Any user of the
 * machine could otherwise read the queue through a port on loopback, or append to the log. Groups
 * have one member, and appends go straight into the local server. Ratis finds the class by its
 * name, hence it is public.
 */
public final class LocalRpc implements RpcType {
  @Override
  public String name() {
    return "LOCAL";
  }

  @Override
  public RpcFactory newFactory(Parameters parameters) {
    return new Factory(this);
  }

  private static UnsupportedOperationException noOtherMember() {
    return new UnsupportedOperationException("a node that stands alone reaches no other member");
  }

  private record Factory(LocalRpc type) implements ServerFactory, ClientFactory {
    @Override
    public RpcType getRpcType() {
      return type;
    }

    @Override
    public RaftServerRpc newRaftServerRpc(RaftServer server) {
      return new Server(type);
    }

    @Override
    public RaftClientRpc newRaftClientRpc(ClientId clientId, RaftProperties properties) {
      return new Client();
    }
  }

  private record Server(LocalRpc type) implements RaftServerRpc {
    @Override
    public RpcType getRpcType() {
      return type;
    }

    @Override
    public void start() {
      // there is no port to listen on
    }

    /** Port 0: Ratis wants an address, and nothing listens there. */
    @Override
    public InetSocketAddress getInetSocketAddress() {
      return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Override
    public void addRaftPeers(Collection<RaftPeer> peers) {
      // the one member is this node
    }

    @Override
    public void handleException(RaftPeerId peer, Exception failure, boolean reconnect) {
      // there is no connection
    }

    @Override
    public RequestVoteReplyProto requestVote(RequestVoteRequestProto request) {
      throw noOtherMember();
    }

    @Override
    public AppendEntriesReplyProto appendEntries(AppendEntriesRequestProto request) {
      throw noOtherMember();
    }

    @Override
    public InstallSnapshotReplyProto installSnapshot(InstallSnapshotRequestProto request) {
      throw noOtherMember();
    }

    @Override
    public StartLeaderElectionReplyProto startLeaderElection(
        StartLeaderElectionRequestProto request) {
      throw noOtherMember();
    }

    @Override
    public void close() {
      // there is no port to close
    }
  }

  private record Client() implements RaftClientRpc {
    @Override
    public RaftClientReply sendRequest(RaftClientRequest request) {
      throw noOtherMember();
    }

    @Override
    public void addRaftPeers(Collection<RaftPeer> peers) {
      // the one member is this node
    }

    @Override
    public void close() {
      // there is no connection
    }
  }
}
