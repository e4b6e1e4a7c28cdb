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

  /**
   * The time without data after which the other side is asked whether it is there, and the time for
   * its answer. A connection whose end was lost with the network would stay open for good.
   */
  private static final Duration KEEPALIVE_TIME = Duration.ofSeconds(30);

  private static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(20);

  private final String self;
  private final BiPredicate<X509Certificate, String> maySpeakAs;
  private final StalledConnectionDetector contacts;

  /**
   * @param self the peer that this node is
   * @param maySpeakAs whether the holder of a certificate may send requests as a peer
   * @param contacts gets the requests of each peer
   */
  ReplicationPort(
      String self,
      BiPredicate<X509Certificate, String> maySpeakAs,
      StalledConnectionDetector contacts) {
    this.self = self;
    this.maySpeakAs = maySpeakAs;
    this.contacts = contacts;
  }

  @Override
  public NettyServerBuilder customize(
      NettyServerBuilder builder, EnumSet<GrpcServices.Type> types) {
    return builder
        .handshakeTimeout(HANDSHAKE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTime(KEEPALIVE_TIME.toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(KEEPALIVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .intercept(new RequestorCheck(self, maySpeakAs, contacts));
  }
}
