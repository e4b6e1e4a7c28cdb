package org.quorumail.gossip.transport;

import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;

/** The choice of transport, the same on all nodes of a cluster. */
public sealed interface TransportSettings {
  /** UDP and TCP on one port, sealed with the keys of the ring. */
  record SealedUdp() implements TransportSettings {}

  /**
   * QUIC with mutual TLS; the key ring then only separates clusters.
   *
   * @param keyManager shows this node's certificate
   * @param trustManager checks other nodes' certificates; both are asked at each handshake
   * @param certificateNames the node ids that a certificate is valid for
   */
  record Quic(
      KeyManager keyManager,
      TrustManager trustManager,
      Function<X509Certificate, Set<String>> certificateNames)
      implements TransportSettings {
    /** The reason, a sentence, why this platform has no QUIC; empty when it has. */
    public static Optional<String> unavailableReason() {
      if (io.netty.handler.codec.quic.Quic.isAvailable()) return Optional.empty();
      return Optional.of(
          ("QUIC's native library does not load: either there is none for %s on %s, or %s is"
                  + " mounted noexec; use udp")
              .formatted(
                  System.getProperty("os.name"),
                  System.getProperty("os.arch"),
                  System.getProperty("java.io.tmpdir")));
    }
  }
}
