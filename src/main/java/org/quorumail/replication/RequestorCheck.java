package org.quorumail.replication;

import java.net.SocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiPredicate;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.ReadIndexRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Grpc;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The check of who sends a request of Raft, and to whom. A member must not vote, append or install
 * a snapshot as another one: the certificate of the connection decides. A request for another node
 * is refused, too: where nodes have swapped their addresses, one disk would count as two. The
 * requests of clients name no node and pass. Thread-safe; each call has its own listener.
 */
final class RequestorCheck implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(RequestorCheck.class);

  /** The least time between two lines of the log; an impostor tries again at once. */
  private static final Duration LOG_INTERVAL = Duration.ofSeconds(10);

  private final ByteString self;
  private final BiPredicate<X509Certificate, String> maySpeakAs;
  private final StalledConnectionDetector contacts;
  private final AtomicLong loggedAt = new AtomicLong(System.nanoTime() - LOG_INTERVAL.toNanos());

  /**
   * @param self the peer that this node is
   * @param contacts gets the requests that are accepted
   */
  RequestorCheck(
      String self,
      BiPredicate<X509Certificate, String> maySpeakAs,
      StalledConnectionDetector contacts) {
    this.self = ByteString.copyFromUtf8(self);
    this.maySpeakAs = maySpeakAs;
    this.contacts = contacts;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    return new CheckedListener<>(call, next.startCall(call, headers));
  }

  /** The messages of one call, until one claims another sender than the certificate allows. */
  private final class CheckedListener<Q, R>
      extends ForwardingServerCallListener.SimpleForwardingServerCallListener<Q> {
    private final ServerCall<Q, R> call;
    private @Nullable ByteString accepted;
    private StalledConnectionDetector.@Nullable Contact contact;
    private boolean refused;

    CheckedListener(ServerCall<Q, R> call, ServerCall.Listener<Q> next) {
      super(next);
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      if (refused) return;
      RaftRpcRequestProto request = request(message);
      if (request != null && !request.getReplyId().equals(self)) {
        refuse(Status.NOT_FOUND, "this is not " + request.getReplyId().toStringUtf8());
        return;
      }
      ByteString requestor = request == null ? null : request.getRequestorId();
      if (requestor == null || requestor.equals(accepted)) {
        if (requestor != null && contact != null) contact.received();
        super.onMessage(message);
        return;
      }
      X509Certificate certificate = certificate(call);
      String claimed = requestor.toStringUtf8();
      if (certificate != null && maySpeakAs.test(certificate, claimed)) {
        accepted = requestor;
        contact = contacts.of(claimed);
        contact.received();
        super.onMessage(message);
        return;
      }
      log(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR), certificate, claimed);
      refuse(Status.PERMISSION_DENIED, "the certificate is not that of " + claimed);
    }

    private void refuse(Status status, String reason) {
      refused = true;
      call.close(status.withDescription(reason), new Metadata());
    }

    @Override
    public void onHalfClose() {
      if (!refused) super.onHalfClose(); // else it would answer the closed call
    }
  }

  /** The head of a request of Raft, with its sender and its receiver; null for other messages. */
  private static @Nullable RaftRpcRequestProto request(Object message) {
    return switch (message) {
      case AppendEntriesRequestProto append -> append.getServerRequest();
      case RequestVoteRequestProto vote -> vote.getServerRequest();
      case InstallSnapshotRequestProto snapshot -> snapshot.getServerRequest();
      case StartLeaderElectionRequestProto election -> election.getServerRequest();
      case ReadIndexRequestProto read -> read.getServerRequest();
      default -> null;
    };
  }

  private static @Nullable X509Certificate certificate(ServerCall<?, ?> call) {
    SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    try {
      return session == null ? null : (X509Certificate) session.getPeerCertificates()[0];
    } catch (SSLPeerUnverifiedException e) {
      return null;
    }
  }

  private void log(
      @Nullable SocketAddress from, @Nullable X509Certificate certificate, String claimed) {
    long now = System.nanoTime();
    long last = loggedAt.get();
    if (now - last < LOG_INTERVAL.toNanos() || !loggedAt.compareAndSet(last, now)) return;
    LOG.warn(
        "event=raft_request_refused from={} claimed=\"{}\" certificate=\"{}\" reason=\"the"
            + " certificate does not name the node that the request claims to be from: check"
            + " cluster.tls of both\"",
        from,
        claimed,
        certificate == null ? "none" : certificate.getSubjectX500Principal());
  }
}
