package org.quorumail.replication;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;

/**
 * The limits of the replication port towards other hosts, and the check of who speaks there, and to
 * whom.
 */
final class ReplicationPort implements GrpcServices.Customizer {
  /**
   * The limit for TLS and the settings of HTTP/2 together; a member needs some round trips. gRPC's
   * own is two minutes.
   */
  private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(5);

  private final String self;
  private final BiPredicate<X509Certificate, String> maySpeakAs;

  /**
   * @param self the peer that this node is
   * @param maySpeakAs whether the holder of a certificate may send requests as a peer
   */
  ReplicationPort(String self, BiPredicate<X509Certificate, String> maySpeakAs) {
    this.self = self;
    this.maySpeakAs = maySpeakAs;
  }

  @Override
  public NettyServerBuilder customize(
      NettyServerBuilder builder, EnumSet<GrpcServices.Type> types) {
    return builder
        .handshakeTimeout(HANDSHAKE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .intercept(new RequestorCheck(self, maySpeakAs));
  }
}
