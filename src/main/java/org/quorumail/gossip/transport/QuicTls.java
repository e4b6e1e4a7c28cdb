package org.quorumail.gossip.transport;

import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicClosedChannelException;
import io.netty.handler.codec.quic.QuicConnectionCloseEvent;
import io.netty.handler.codec.quic.QuicSslContext;
import io.netty.handler.codec.quic.QuicSslContextBuilder;
import io.netty.handler.ssl.ClientAuth;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.TrustManager;

/**
 * The TLS 1.3 contexts of both roles of a node: each end shows its certificate and asks for the
 * other's. The protocol's name (ALPN) carries the cluster's tag, so clusters that share an
 * authority by mistake cannot connect. There is no early data, because it could be replayed.
 */
record QuicTls(QuicSslContext server, QuicSslContext client) {
  /**
   * Creates contexts with fresh keys for session tickets: a session from before a rotation cannot
   * be resumed, so the new certificate is always checked.
   *
   * @param key shows this node's certificate
   * @param trust checks the other end's certificate
   */
  static QuicTls of(KeyManager key, TrustManager trust, KeyRing ring) {
    String protocol = alpnProtocol(ring);
    return new QuicTls(
        QuicSslContextBuilder.forServer(key, null)
            .trustManager(trust)
            .clientAuth(ClientAuth.REQUIRE)
            .applicationProtocols(protocol)
            .earlyData(false)
            .build(),
        QuicSslContextBuilder.forClient()
            .keyManager(key, null)
            .trustManager(trust)
            .endpointIdentificationAlgorithm("") // the authority is trusted, not a host name
            .applicationProtocols(protocol)
            .earlyData(false)
            .build());
  }

  /** The ALPN protocol name of one cluster (RFC 7301). */
  static String alpnProtocol(KeyRing ring) {
    return "quorumail-gossip/1 %04x".formatted(ring.clusterTag() & 0xffff);
  }

  /** The other end's certificate, which the handshake has verified. */
  static Optional<X509Certificate> peerCertificate(QuicChannel open) {
    SSLEngine tls = open.sslEngine();
    if (tls == null) return Optional.empty();
    try {
      return Optional.of((X509Certificate) tls.getSession().getPeerCertificates()[0]);
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty();
    }
  }

  /** True when one of the ends aborted the handshake. */
  static boolean isHandshakeFailure(Throwable cause) {
    if (cause instanceof SSLException) return true;
    QuicConnectionCloseEvent end =
        cause instanceof QuicClosedChannelException closed ? closed.event() : null;
    return end != null && end.isTlsError();
  }
}
