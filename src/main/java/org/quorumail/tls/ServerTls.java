package org.quorumail.tls;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * The TLS of a listener. It chooses the certificate by the name that the client asks for (RFC 6066
 * §3). It allows the protocols and algorithms of RFC 9325 §4.2: only forward secrecy and
 * authenticated encryption.
 */
public final class ServerTls {
  /** Cipher suites by preference; in TLS 1.2 only ephemeral elliptic curves with AEAD. */
  private static final String[] SUITES = {
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  };

  private static final String[] GROUPS = {"x25519", "secp256r1", "x448", "secp384r1", "secp521r1"};

  private static final String[] SIGNATURES = {
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "ed25519",
    "ed448",
    "rsa_pss_rsae_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512",
    "rsa_pss_pss_sha256",
    "rsa_pss_pss_sha384",
    "rsa_pss_pss_sha512",
    "rsa_pkcs1_sha256",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha512",
  };

  /** Sessions kept for clients without tickets; each has some 2 KiB and the client's chain. */
  private static final int MAX_SESSIONS = 2_000;

  /** A stolen ticket key opens the sessions of this time at most. */
  private static final int SESSION_SECONDS = 2 * 3600;

  private final SSLContext byDefault;
  private final Map<String, SSLContext> byName; // exact, and "*.example.org"
  private final String[] protocols;
  private final ClientCertificateVerifier clients;
  private final List<CertifiedKey> keys;

  private ServerTls(
      List<CertifiedKey> keys,
      SSLContext byDefault,
      Map<String, SSLContext> byName,
      String[] protocols,
      ClientCertificateVerifier clients) {
    this.keys = keys;
    this.byDefault = byDefault;
    this.byName = byName;
    this.protocols = protocols;
    this.clients = clients;
  }

  /** Reads one certificate; clients are not asked for theirs. */
  public static ServerTls of(Path chainFile, Path keyFile, String minVersion)
      throws CertificateException {
    KeyPairFiles pair = new KeyPairFiles(chainFile, keyFile);
    return of(List.of(pair), minVersion, ClientCertificates.NONE, Optional.empty());
  }

  /**
   * Reads certificates, keys and the authorities of client certificates.
   *
   * @param pairs at least one; the first serves clients that name no server, or an unknown one. Of
   *     several for one name, the client's signature algorithms choose
   * @param minVersion {@code "1.2"} or {@code "1.3"}
   * @param clientCa the authorities that sign the certificates of clients
   * @throws CertificateException with one sentence that names the file and the problem
   */
  public static ServerTls of(
      List<KeyPairFiles> pairs,
      String minVersion,
      ClientCertificates wanted,
      Optional<Path> clientCa)
      throws CertificateException {
    ClientCertificateVerifier clients = ClientCertificateVerifier.of(wanted, clientCa);
    List<CertifiedKey> keys = new ArrayList<>();
    for (KeyPairFiles pair : pairs) keys.add(CertifiedKey.read(pair));
    Map<Set<CertifiedKey>, SSLContext> contexts = new HashMap<>();
    Map<String, SSLContext> byName = new HashMap<>();
    try {
      for (CertifiedKey key : keys) {
        for (String name : key.names()) {
          Set<CertifiedKey> forName = withName(keys, name);
          SSLContext context = contexts.get(forName);
          if (context == null) contexts.put(forName, context = context(forName, clients));
          byName.put(name, context);
        }
      }
      Set<CertifiedKey> first = new LinkedHashSet<>(List.of(keys.getFirst()));
      for (CertifiedKey key : keys) {
        if (key.names().equals(keys.getFirst().names())) first.add(key);
      }
      SSLContext byDefault = contexts.get(first);
      if (byDefault == null) byDefault = context(first, clients);
      String[] protocols =
          minVersion.equals("1.3") ? new String[] {"TLSv1.3"} : new String[] {"TLSv1.3", "TLSv1.2"};
      return new ServerTls(List.copyOf(keys), byDefault, Map.copyOf(byName), protocols, clients);
    } catch (GeneralSecurityException | IOException e) {
      throw new CertificateException(
          "the certificate in "
              + pairs.getFirst().certificate()
              + " cannot be used for TLS: "
              + e.getMessage(),
          e);
    }
  }

  private static Set<CertifiedKey> withName(List<CertifiedKey> keys, String name) {
    Set<CertifiedKey> found = new LinkedHashSet<>();
    for (CertifiedKey key : keys) if (key.names().contains(name)) found.add(key);
    return found;
  }

  private static SSLContext context(Set<CertifiedKey> keys, ClientCertificateVerifier clients)
      throws GeneralSecurityException, IOException {
    char[] password = {};
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, password);
    for (CertifiedKey key : keys) {
      Certificate[] chain = key.chain().toArray(Certificate[]::new);
      store.setKeyEntry("key-" + store.size(), key.key(), password, chain);
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), clients.trustManagers(), null);
    SSLSessionContext sessions = context.getServerSessionContext();
    sessions.setSessionCacheSize(MAX_SESSIONS);
    sessions.setSessionTimeout(SESSION_SECONDS);
    return context;
  }

  /** The certificates of this listener, the default first. */
  public List<CertifiedKey> keys() {
    return keys;
  }

  /** Makes the TLS socket on an accepted connection; the caller starts the handshake. */
  public SSLSocket wrap(Socket socket, ClientHello hello) throws IOException {
    SSLSocketFactory factory = contextFor(hello).getSocketFactory();
    SSLSocket secured = (SSLSocket) factory.createSocket(socket, hello.replay(), true);
    secured.setUseClientMode(false);
    secured.setSSLParameters(restrict(secured.getSSLParameters()));
    return secured;
  }

  /**
   * Makes the engine of a connection whose first message is read; it must be given that message.
   *
   * @param applicationProtocol the only one that a client with ALPN (RFC 7301) may choose
   */
  public SSLEngine engine(ClientHello hello, String applicationProtocol) {
    SSLEngine engine = contextFor(hello).createSSLEngine();
    engine.setUseClientMode(false);
    SSLParameters parameters = restrict(engine.getSSLParameters());
    parameters.setApplicationProtocols(new String[] {applicationProtocol});
    engine.setSSLParameters(parameters);
    return engine;
  }

  private SSLParameters restrict(SSLParameters parameters) {
    parameters.setProtocols(protocols);
    parameters.setCipherSuites(SUITES);
    parameters.setUseCipherSuitesOrder(true);
    parameters.setNamedGroups(GROUPS);
    parameters.setSignatureSchemes(SIGNATURES);
    clients.configure(parameters);
    return parameters;
  }

  /** The names that the client's certificate proves. */
  public Set<CertificateName> clientNames(SSLSession session) {
    return clients.names(session);
  }

  private SSLContext contextFor(ClientHello hello) {
    return hello.serverName().map(this::contextFor).orElse(byDefault);
  }

  /** An exact name precedes one with a star, which stands for the first label only. */
  private SSLContext contextFor(String name) {
    SSLContext exact = byName.get(name);
    if (exact != null) return exact;
    int dot = name.indexOf('.');
    SSLContext starred = dot < 0 ? null : byName.get("*" + name.substring(dot));
    return starred == null ? byDefault : starred;
  }
}
