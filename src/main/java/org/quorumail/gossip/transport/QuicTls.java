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
 * TLS 1.3 in both roles of a node: each end shows its certificate and asks for the other's. The
 * protocol's name (ALPN) carries the cluster's tag, so clusters that share an authority by mistake
 * do not get to speak. No early data: it could be replayed.
 */
record QuicTls(QuicSslContext server, QuicSslContext client) {
  /**
   * Contexts of their own keys for session tickets: whoever held a certificate before a rotation
   * cannot resume past the check of the new one.
   *
   * @param key shows this node's certificate
   * @param trust decides whom to believe
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
            .endpointIdentificationAlgorithm("") // the authority, not a host's name, is the trust
            .applicationProtocols(protocol)
            .earlyData(false)
            .build());
  }

  /** The name under which the ends of one cluster find that they speak the same (RFC 7301). */
  static String alpnProtocol(KeyRing ring) {
    return "quorumail-gossip/1 %04x".formatted(ring.clusterTag() & 0xffff);
  }

  /** What the other end has shown; the handshake has found it to be a member's. */
  static Optional<X509Certificate> peerCertificate(QuicChannel open) {
    SSLEngine tls = open.sslEngine();
    if (tls == null) return Optional.empty();
    try {
      return Optional.of((X509Certificate) tls.getSession().getPeerCertificates()[0]);
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty();
    }
  }

  /** Whether this is a handshake that one of the ends did not want to finish. */
  static boolean isHandshakeFailure(Throwable cause) {
    if (cause instanceof SSLException) return true;
    QuicConnectionCloseEvent end =
        cause instanceof QuicClosedChannelException closed ? closed.event() : null;
    return end != null && end.isTlsError();
  }
}
