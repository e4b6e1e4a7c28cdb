package org.quorumail.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * A certificate chain, own certificate first, and the private key that belongs to it.
 *
 * @param names the host names that it is for, in lower case; {@code *.} stands for one label
 */
public record CertifiedKey(List<X509Certificate> chain, PrivateKey key, Set<String> names) {
  private static final String KEY_BEGIN = "-----BEGIN PRIVATE KEY-----";
  private static final String KEY_END = "-----END PRIVATE KEY-----";
  private static final long MAX_FILE = 1 << 20; // a chain has a few KiB; this is some other file
  private static final int MIN_RSA_BITS = 2048; // RFC 9325 §4.5
  private static final int DNS_NAME = 2; // GeneralName, RFC 5280 §4.2.1.6

  public CertifiedKey {
    chain = List.copyOf(chain);
    names = Set.copyOf(names);
  }

  /**
   * Reads a chain and its unencrypted PKCS#8 key.
   *
   * @throws CertificateException with one sentence that names the file and the problem
   */
  public static CertifiedKey read(KeyPairFiles files) throws CertificateException {
    List<X509Certificate> chain = readChain(files.certificate());
    X509Certificate own = chain.getFirst();
    PrivateKey key = readKey(files.key(), own.getPublicKey().getAlgorithm());
    if (!keyMatches(key, own.getPublicKey())) {
      throw new CertificateException(
          "the key in "
              + files.key()
              + " does not belong to the first certificate in "
              + files.certificate());
    }
    if (key instanceof RSAKey rsa && rsa.getModulus().bitLength() < MIN_RSA_BITS) {
      throw new CertificateException(
          "the RSA key in " + files.key() + " has fewer than " + MIN_RSA_BITS + " bits");
    }
    return new CertifiedKey(chain, key, namesOf(own));
  }

  /** All certificates of a PEM file. */
  static List<X509Certificate> readChain(Path file) throws CertificateException {
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

  /** Alternative names; only where there are none, the common name (RFC 6125 §6.4.4). */
  private static Set<String> namesOf(X509Certificate certificate) throws CertificateException {
    Set<String> names = alternativeNames(certificate, DNS_NAME);
    if (!names.isEmpty()) return names;
    try {
      LdapName subject = new LdapName(certificate.getSubjectX500Principal().getName());
      for (Rdn part : subject.getRdns()) {
        if (part.getType().equalsIgnoreCase("CN")) names.add(lower(part.getValue()));
      }
    } catch (InvalidNameException e) {
      // it serves clients that name no server
    }
    return names;
  }

  static Set<String> alternativeNames(X509Certificate certificate, int kind)
      throws CertificateException {
    Set<String> names = new LinkedHashSet<>();
    Collection<List<?>> all = certificate.getSubjectAlternativeNames();
    if (all == null) return names;
    for (List<?> name : all) {
      if (name.getFirst().equals(kind)) names.add(lower(name.getLast()));
    }
    return names;
  }

  private static String lower(Object text) {
    return text.toString().toLowerCase(Locale.ROOT);
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
  private static boolean keyMatches(PrivateKey key, PublicKey certified) {
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
}
