package org.quorumail.gossip.transport;

import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;

/** What carries the messages between nodes; the same on all of them. */
public sealed interface TransportSettings {
  /** UDP and TCP on one port, sealed with the keys of the ring. */
  record SealedUdp() implements TransportSettings {}

  /**
   * QUIC with mutual TLS; the ring then only tells clusters apart.
   *
   * @param keyManager shows this node's certificate
   * @param trustManager decides which certificates are members'; both are asked at each handshake
   * @param certificateNames the ids of nodes that a certificate speaks for
   */
  record Quic(
      KeyManager keyManager,
      TrustManager trustManager,
      Function<X509Certificate, Set<String>> certificateNames)
      implements TransportSettings {
    /** Why this platform has no QUIC, in a sentence; empty when it has. */
    public static Optional<String> unavailableReason() {
      if (io.netty.handler.codec.quic.Quic.isAvailable()) return Optional.empty();
      return Optional.of(
          "QUIC's native library does not load: either there is none for %s on %s here, or nothing may be run from %s; use udp"
              .formatted(
                  System.getProperty("os.name"),
                  System.getProperty("os.arch"),
                  System.getProperty("java.io.tmpdir")));
    }
  }
}
