package org.quorumail.replication;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Checks the three PEM files before the server uses them: otherwise a mistake shows only later, as
 * handshakes that fail on both sides.
 */
final class PemCheck {
  private final RaftTls.Pem files;

  PemCheck(RaftTls.Pem files) {
    this.files = files;
  }

  void pass() throws RaftStartException {
    List<X509Certificate> chain = certificates(files.certificate());
    PrivateKey key = key(chain.getFirst().getPublicKey().getAlgorithm());
    if (!belongTogether(key, chain.getFirst().getPublicKey()))
      throw new RaftStartException(
          "The key "
              + files.key()
              + " does not belong to the certificate "
              + files.certificate()
              + ".");
    try {
      checkChain(chain);
    } catch (GeneralSecurityException e) {
      throw new RaftStartException(
          "The certificate "
              + files.certificate()
              + " is not valid under the authority "
              + files.authority()
              + ": "
              + e.getMessage()
              + ".",
          e);
    }
  }

  private void checkChain(List<X509Certificate> chain)
      throws GeneralSecurityException, RaftStartException {
    Set<TrustAnchor> anchors = new HashSet<>();
    for (X509Certificate authority : certificates(files.authority()))
      anchors.add(new TrustAnchor(authority, null));
    List<X509Certificate> path = new ArrayList<>(chain);
    path.removeIf(
        certificate -> anchors.stream().anyMatch(a -> certificate.equals(a.getTrustedCert())));
    CertPath certPath = CertificateFactory.getInstance("X.509").generateCertPath(path);
    PKIXParameters parameters = new PKIXParameters(anchors);
    parameters.setRevocationEnabled(false);
    CertPathValidator.getInstance("PKIX").validate(certPath, parameters);
  }

  private static List<X509Certificate> certificates(Path file) throws RaftStartException {
    try (InputStream in = Files.newInputStream(file)) {
      List<X509Certificate> found = new ArrayList<>();
      for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in))
        if (each instanceof X509Certificate certificate) found.add(certificate);
      if (found.isEmpty()) throw new CertificateException("no certificate in it");
      return found;
    } catch (IOException | CertificateException e) {
      throw new RaftStartException(
          "The TLS file " + file + " cannot be read: " + e.getMessage() + ".", e);
    }
  }

  private PrivateKey key(String algorithm) throws RaftStartException {
    try {
      String pem = Files.readString(files.key(), StandardCharsets.US_ASCII);
      String begin = "-----BEGIN PRIVATE KEY-----";
      int from = pem.indexOf(begin);
      int to = pem.indexOf("-----END PRIVATE KEY-----");
      if (from < 0 || to < from)
        throw new RaftStartException(
            "The TLS file " + files.key() + " holds no PKCS #8 key (BEGIN PRIVATE KEY).");
      byte[] der = Base64.getMimeDecoder().decode(pem.substring(from + begin.length(), to));
      return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      throw new RaftStartException(
          "The TLS file "
              + files.key()
              + " cannot be read as a key for "
              + files.certificate()
              + ".",
          e);
    }
  }

  private static boolean belongTogether(PrivateKey key, PublicKey certified)
      throws RaftStartException {
    byte[] challenge = "quorumail".getBytes(StandardCharsets.US_ASCII);
    String algorithm =
        switch (key.getAlgorithm()) {
          case "EC" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          default -> key.getAlgorithm();
        };
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(challenge);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      signature.update(challenge);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      throw new RaftStartException(
          "Keys of the kind " + key.getAlgorithm() + " cannot be used for replication.", e);
    }
  }
}
