package org.quorumail.replication;

import java.security.cert.X509Certificate;
import java.util.function.BiPredicate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;

/** The replication port: how nodes authenticate each other there, or that there is none. */
public sealed interface RaftTls {
  /**
   * Mutual TLS from objects. An {@code X509ExtendedTrustManager} decides alone whom it trusts, so
   * that it can check a node's id in place of its host name.
   *
   * @param maySpeakAs whether the holder of a certificate may send requests as a peer
   */
  record Managers(
      KeyManager key, TrustManager trust, BiPredicate<X509Certificate, String> maySpeakAs)
      implements RaftTls {}

  /** No port at all: for a node that stands alone, whose groups have one member. */
  record NoPort() implements RaftTls {}
}
