package org.quorumail.replication;

import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;

/** The way in which nodes authenticate each other on the replication port. */
public sealed interface RaftTls {
  /**
   * Mutual TLS from objects. An {@code X509ExtendedTrustManager} decides alone whom it trusts, so
   * that it can check a node's id in place of its host name.
   */
  record Managers(KeyManager key, TrustManager trust) implements RaftTls {}

  /** No TLS: accepted only on a loopback address, for a node that stands alone. */
  record Plaintext() implements RaftTls {}
}
