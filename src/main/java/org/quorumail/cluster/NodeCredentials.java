package org.quorumail.cluster;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The credentials of this node for replication and QUIC: its certificate and the authorities that
 * it trusts. A rotation of the secret replaces both for the next handshake; open connections stay
 * open. Thread-safe.
 */
public final class NodeCredentials {
  /** The time for a node to present its certificate. */
  private static final Duration CHECK_TIMEOUT = Duration.ofSeconds(5);

  private volatile X509ExtendedKeyManager currentKey;
  private volatile X509ExtendedTrustManager currentTrust;

  /**
   * @param own presented to the other nodes
   * @param accepted authorities that are trusted beside the own one
   */
  public NodeCredentials(NodeCertificate own, List<X509Certificate> accepted) {
    this.currentKey = (X509ExtendedKeyManager) own.keyManager();
    this.currentTrust = (X509ExtendedTrustManager) own.trustManager(accepted);
  }

  /** Replaces the credentials from the next handshake on. */
  public void replace(NodeCertificate own, List<X509Certificate> accepted) {
    currentTrust = (X509ExtendedTrustManager) own.trustManager(accepted);
    currentKey = (X509ExtendedKeyManager) own.keyManager();
  }

  /**
   * Connects to a replication port and returns why the node there is not the peer, or nothing.
   *
   * @param mustName whether the certificate must name the node, beside being of the authority
   */
  public Optional<String> identityProblem(String host, int port, String peerId, boolean mustName) {
    try (Socket plain = new Socket()) {
      int millis = (int) CHECK_TIMEOUT.toMillis();
      plain.connect(new InetSocketAddress(host, port), millis);
      plain.setSoTimeout(millis);
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(new KeyManager[] {keyManager()}, new TrustManager[] {trustManager()}, null);
      try (SSLSocket tls =
          (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, false)) {
        tls.startHandshake();
        X509Certificate found = (X509Certificate) tls.getSession().getPeerCertificates()[0];
        if (!mustName || NodeCertificate.isOfPeer(found, peerId)) return Optional.empty();
        return Optional.of("at %s:%d is %s".formatted(host, port, found.getSubjectX500Principal()));
      }
    } catch (IOException | GeneralSecurityException e) {
      return Optional.of("at %s:%d: %s".formatted(host, port, e.getMessage()));
    }
  }

  public KeyManager keyManager() {
    return new CurrentKeyManager();
  }

  public TrustManager trustManager() {
    return new CurrentTrustManager();
  }

  private final class CurrentKeyManager extends X509ExtendedKeyManager {
    @Override
    public String @Nullable [] getClientAliases(String type, Principal @Nullable [] issuers) {
      return currentKey.getClientAliases(type, issuers);
    }

    @Override
    public @Nullable String chooseClientAlias(
        String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return currentKey.chooseClientAlias(types, issuers, socket);
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
        String[] types, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return currentKey.chooseEngineClientAlias(types, issuers, engine);
    }

    @Override
    public String @Nullable [] getServerAliases(String type, Principal @Nullable [] issuers) {
      return currentKey.getServerAliases(type, issuers);
    }

    @Override
    public @Nullable String chooseServerAlias(
        String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return currentKey.chooseServerAlias(type, issuers, socket);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
        String type, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return currentKey.chooseEngineServerAlias(type, issuers, engine);
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
      return currentKey.getCertificateChain(alias);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
      return currentKey.getPrivateKey(alias);
    }
  }

  private final class CurrentTrustManager extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      currentTrust.checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      currentTrust.checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      currentTrust.checkClientTrusted(chain, type, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      currentTrust.checkServerTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      currentTrust.checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      currentTrust.checkServerTrusted(chain, type, engine);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return currentTrust.getAcceptedIssuers();
    }
  }
}
