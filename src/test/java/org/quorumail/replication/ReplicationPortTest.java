package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftGroupIdProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.TermIndexProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.StatusRuntimeException;
import org.apache.ratis.thirdparty.io.grpc.netty.GrpcSslContexts;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.SlowStranger;

/** The replication port of a node, as strangers and other members reach it. */
@Timeout(60)
@Execution(ExecutionMode.CONCURRENT)
class ReplicationPortTest {
  @TempDir private Path root;
  private TestAuthority authority;
  private RaftNode node;

  @BeforeEach
  void start() throws Exception {
    authority = new TestAuthority("authority");
    RaftSettings settings =
        RaftSettings.clusterMember(
            "test", "n1", "127.0.0.1", freePort(), root.resolve("raft"), authority.issue("n1"));
    node =
        RaftNode.start(
            settings,
            new io.micrometer.core.instrument.simple.SimpleMeterRegistry(),
            failure -> {
              throw new IllegalStateException(failure);
            });
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void aStrangerThatDripsItsHandshakeIsClosedAtTheTimeout() throws Exception {
    try (Socket stranger = new Socket("127.0.0.1", node.port())) {
      stranger.getOutputStream().write(new byte[] {22, 3, 1, 2, 0}); // a record of 512 octets
      SlowStranger.awaitClosed(stranger, Duration.ofSeconds(8));
    }
  }

  @Test
  void aMemberThatSaysNothingIsClosedAtTheTimeout() throws Exception {
    RaftTls.Managers member = (RaftTls.Managers) authority.issue("n2");
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(new KeyManager[] {member.key()}, new TrustManager[] {member.trust()}, null);
    try (SSLSocket socket =
        (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", node.port())) {
      socket.setSoTimeout(8_000);
      var parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2"});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      int octets = socket.getInputStream().readAllBytes().length; // its settings, then the end
      assertThat(octets).isLessThan(1_000);
    }
  }

  @Test
  void aMemberVotesAndAppendsUnderItsOwnNameOnly() throws Exception {
    List<RaftMember> members = new ArrayList<>();
    for (String id : List.of("n1", "n2", "n3")) members.add(new RaftMember(id, "127.0.0.1", 1));
    GroupSpec group = new GroupSpec("spool-n1", members);
    node.open(group, new CountingState(root));
    ManagedChannel channel = channel("n2");
    try {
      var service = RaftServerProtocolServiceGrpc.newBlockingStub(channel);
      assertThatThrownBy(() -> service.requestVote(vote(group, "n3", 1_000)))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("PERMISSION_DENIED")
          .hasMessageContaining("n3");
      var reply = service.requestVote(vote(group, "n2", 2_000));
      assertThat(reply.getTerm()).as("the first request changed nothing").isEqualTo(2_000);
      assertThat(appendAs(channel, group, "n3")).isEqualTo(Status.Code.PERMISSION_DENIED);
      assertThat(appendAs(channel, group, "n2")).isEqualTo(Status.Code.OK);
    } finally {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** The disk of one node would count as two where addresses were swapped. */
  @Test
  void aRequestForAnotherNodeIsRefused() throws Exception {
    List<RaftMember> members = new ArrayList<>();
    for (String id : List.of("n1", "n2", "n3")) members.add(new RaftMember(id, "127.0.0.1", 1));
    GroupSpec group = new GroupSpec("spool-n1", members);
    node.open(group, new CountingState(root));
    ManagedChannel channel = channel("n2");
    try {
      var service = RaftServerProtocolServiceGrpc.newBlockingStub(channel);
      RequestVoteRequestProto wrong = vote(group, "n2", "n3", 1_000);
      assertThatThrownBy(() -> service.requestVote(wrong))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("this is not n3");
      var reply = service.requestVote(vote(group, "n2", 500));
      assertThat(reply.getTerm()).as("the first request changed nothing").isEqualTo(500);
    } finally {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  private ManagedChannel channel(String as) throws Exception {
    RaftTls.Managers member = (RaftTls.Managers) authority.issue(as);
    return NettyChannelBuilder.forAddress("127.0.0.1", node.port())
        .sslContext(
            GrpcSslContexts.forClient()
                .keyManager(member.key())
                .trustManager(member.trust())
                .build())
        .build();
  }

  private static RaftRpcRequestProto.Builder request(GroupSpec group, String from, String to) {
    return RaftRpcRequestProto.newBuilder()
        .setRequestorId(ByteString.copyFromUtf8(from))
        .setReplyId(ByteString.copyFromUtf8(to))
        .setRaftGroupId(RaftGroupIdProto.newBuilder().setId(group.groupId("test").toByteString()));
  }

  private static RequestVoteRequestProto vote(GroupSpec group, String from, long term) {
    return vote(group, from, "n1", term);
  }

  private static RequestVoteRequestProto vote(GroupSpec group, String from, String to, long term) {
    return RequestVoteRequestProto.newBuilder()
        .setServerRequest(request(group, from, to))
        .setCandidateTerm(term)
        .setCandidateLastEntry(TermIndexProto.newBuilder().setTerm(term).setIndex(1_000))
        .build();
  }

  /** Sends a heartbeat as the leader of a later term; returns the status of the call. */
  private static Status.Code appendAs(ManagedChannel channel, GroupSpec group, String from)
      throws Exception {
    CompletableFuture<Status.Code> end = new CompletableFuture<>();
    var requests =
        RaftServerProtocolServiceGrpc.newStub(channel)
            .appendEntries(
                new StreamObserver<AppendEntriesReplyProto>() {
                  @Override
                  public void onNext(AppendEntriesReplyProto reply) {
                    end.complete(Status.Code.OK);
                  }

                  @Override
                  public void onError(Throwable cause) {
                    end.complete(Status.fromThrowable(cause).getCode());
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.Code.UNKNOWN);
                  }
                });
    requests.onNext(
        AppendEntriesRequestProto.newBuilder()
            .setServerRequest(request(group, from, "n1"))
            .setLeaderTerm(5_000)
            .build());
    return end.get(10, TimeUnit.SECONDS);
  }

  private static int freePort() throws IOException {
    try (var socket = new java.net.ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
