package org.quorumail.tls;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.quorumail.tls.CertificateName.Kind;

/**
 * The verifier of client certificates. A name in a certificate counts only when a configured
 * authority signed the certificate. The fingerprint always counts, because the handshake has proved
 * that the client has the key.
 */
final class ClientCertificateVerifier {
  private static final int RFC822_NAME = 1; // GeneralName, RFC 5280 §4.2.1.6
  private static final int DNS_NAME = 2;

  private final ClientCertificates mode;
  private final @Nullable X509TrustManager authorities;

  private ClientCertificateVerifier(
      ClientCertificates wanted, @Nullable X509TrustManager authorities) {
    this.mode = wanted;
    this.authorities = authorities;
  }

  /**
   * @throws CertificateException with one sentence that names the file and the problem
   */
  static ClientCertificateVerifier of(ClientCertificates wanted, Optional<Path> caFile)
      throws CertificateException {
    if (wanted == ClientCertificates.NONE || caFile.isEmpty())
      return new ClientCertificateVerifier(wanted, null);
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      List<X509Certificate> signers = PemFile.certificates(caFile.get());
      for (int i = 0; i < signers.size(); i++) {
        store.setCertificateEntry(Integer.toString(i), signers.get(i));
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      return new ClientCertificateVerifier(
          wanted, (X509TrustManager) factory.getTrustManagers()[0]);
    } catch (CertificateException e) {
      throw e;
    } catch (GeneralSecurityException | IOException e) {
      throw new CertificateException(
          "the certificates in " + caFile.get() + " cannot be used: " + e.getMessage(), e);
    }
  }

  void configure(SSLParameters parameters) {
    switch (mode) {
      case NONE -> {}
      case REQUEST -> parameters.setWantClientAuth(true);
      case REQUIRE -> parameters.setNeedClientAuth(true);
    }
  }

  /** The trust managers of the handshake, which reject a certificate only in the mode REQUIRE. */
  TrustManager[] trustManagers() {
    return new TrustManager[] {new HandshakeTrustManager()};
  }

  /** Returns the names that the client's certificate proves, fingerprint included. */
  Set<CertificateName> names(SSLSession session) {
    if (mode == ClientCertificates.NONE) return Set.of();
    try {
      Certificate[] sent = session.getPeerCertificates();
      X509Certificate[] chain = new X509Certificate[sent.length];
      for (int i = 0; i < sent.length; i++) chain[i] = (X509Certificate) sent[i];
      chain[0].checkValidity(); // resumption may be a day after the handshake
      Set<CertificateName> names = new LinkedHashSet<>();
      names.add(new CertificateName(Kind.SHA256, fingerprint(chain[0])));
      if (isSignedByAuthority(chain)) {
        for (String name : CertifiedKey.alternativeNames(chain[0], DNS_NAME)) {
          names.add(new CertificateName(Kind.DNS, name));
        }
        for (String name : CertifiedKey.alternativeNames(chain[0], RFC822_NAME)) {
          names.add(new CertificateName(Kind.EMAIL, name));
        }
      }
      return Set.copyOf(names);
    } catch (SSLPeerUnverifiedException | CertificateException e) {
      return Set.of();
    }
  }

  private boolean isSignedByAuthority(X509Certificate[] chain) {
    if (authorities == null) return false;
    try {
      authorities.checkClientTrusted(chain, chain[0].getPublicKey().getAlgorithm());
      return true;
    } catch (CertificateException e) {
      return false;
    }
  }

  private static String fingerprint(X509Certificate certificate) throws CertificateException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(certificate.getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new CertificateException(e);
    }
  }

  /** The type is the extended one, since the JDK wraps other trust managers in its own checks. */
  private final class HandshakeTrustManager extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      if (mode != ClientCertificates.REQUIRE) return;
      if (!isSignedByAuthority(chain))
        throw new CertificateException("not signed by tls.client_ca");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      checkClientTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("this side is the server");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      checkServerTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      checkServerTrusted(chain, type);
    }

    /**
     * Names the authorities only in the mode REQUIRE; a client would otherwise not send a
     * certificate of another authority.
     */
    @Override
    public X509Certificate[] getAcceptedIssuers() {
      if (mode != ClientCertificates.REQUIRE || authorities == null) {
        return new X509Certificate[0];
      }
      return authorities.getAcceptedIssuers();
    }
  }
}
