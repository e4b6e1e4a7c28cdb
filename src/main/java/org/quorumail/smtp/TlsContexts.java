package org.quorumail.smtp;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** Makes TLS contexts from PEM files, for listeners and for outgoing connections. */
public final class TlsContexts {
  /** RFC 8996 forbids what came before. */
  public static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");

  private static final String KEY_BEGIN = "-----BEGIN PRIVATE KEY-----";
  private static final String KEY_END = "-----END PRIVATE KEY-----";
  private static final long MAX_FILE = 1 << 20; // a chain has a few KiB; this is some other file

  private TlsContexts() {}

  /** What a listener needs to shake hands. */
  public record ServerTls(SSLContext context, List<String> protocols) {}

  /**
   * Reads a certificate chain (own certificate first) and its unencrypted PKCS#8 key.
   *
   * @param minVersion {@code "1.2"} or {@code "1.3"}
   * @throws CertificateException with one sentence that names the file and the problem
   */
  public static ServerTls server(Path chainFile, Path keyFile, String minVersion)
      throws CertificateException {
    List<X509Certificate> chain = readChain(chainFile);
    PrivateKey key = readKey(keyFile, chain.getFirst().getPublicKey().getAlgorithm());
    if (!fits(key, chain.getFirst().getPublicKey())) throw misfit(chainFile, keyFile);
    try {
      char[] password = {};
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, password);
      store.setKeyEntry("server", key, password, chain.toArray(Certificate[]::new));
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, password);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), null, null);
      return new ServerTls(context, minVersion.equals("1.3") ? List.of("TLSv1.3") : PROTOCOLS);
    } catch (GeneralSecurityException | IOException e) {
      throw new CertificateException(
          "the certificate in " + chainFile + " cannot be used for TLS: " + e.getMessage(), e);
    }
  }

  /** For next hops that must prove who they are: issuers are those that the JDK trusts. */
  public static SSLContext verifyingClient() {
    return client(null);
  }

  /** For opportunistic TLS (RFC 7435): encrypts with whoever answers, since plain text would do. */
  public static SSLContext opportunisticClient() {
    return client(new TrustManager[] {new TrustAnyone()});
  }

  private static SSLContext client(TrustManager @Nullable [] trust) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no TLS", e);
    }
  }

  private static List<X509Certificate> readChain(Path file) throws CertificateException {
    String pem = read(file, "certificate");
    try {
      List<X509Certificate> chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8)))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (!chain.isEmpty()) return chain;
    } catch (CertificateException e) {
      throw new CertificateException(file + " holds no certificate in PEM form", e);
    }
    throw new CertificateException(file + " holds no certificate in PEM form");
  }

  private static PrivateKey readKey(Path file, String algorithm) throws CertificateException {
    String pem = read(file, "private key");
    int begin = pem.indexOf(KEY_BEGIN);
    int end = pem.indexOf(KEY_END);
    if (begin < 0 || end < begin) {
      throw new CertificateException(
          file
              + " holds no unencrypted PKCS#8 key; convert it with"
              + " `openssl pkcs8 -topk8 -nocrypt`");
    }
    String base64 = pem.substring(begin + KEY_BEGIN.length(), end);
    try {
      byte[] der = Base64.getMimeDecoder().decode(base64);
      return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new CertificateException(
          "the key in " + file + " is not the " + algorithm + " key that the certificate needs", e);
    }
  }

  private static String read(Path file, String what) throws CertificateException {
    try {
      if (Files.size(file) > MAX_FILE) {
        throw new CertificateException(file + " is too large for a " + what);
      }
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      throw new CertificateException("there is no " + what + " file " + file, e);
    } catch (IOException e) {
      throw new CertificateException("cannot read the " + what + " file " + file, e);
    }
  }

  /** Whether what the key signs, the certificate verifies. */
  private static boolean fits(PrivateKey key, PublicKey certified) {
    String algorithm =
        switch (certified.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> certified.getAlgorithm(); // EdDSA names itself
        };
    try {
      byte[] probe = {1, 2, 3};
      Signature signer = Signature.getInstance(algorithm);
      signer.initSign(key);
      signer.update(probe);
      byte[] signature = signer.sign();
      signer.initVerify(certified);
      signer.update(probe);
      return signer.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static CertificateException misfit(Path chain, Path key) {
    return new CertificateException(
        "the key in " + key + " does not belong to the first certificate in " + chain);
  }

  /** Extended, because the JDK adds checks of its own around any simpler trust manager. */
  private static final class TrustAnyone extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
