package org.quorumail.tls;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/**
 * A PEM file (RFC 7468) with certificates or with a private key. Keys are PKCS#8, PKCS#1 (RSA) or
 * SEC1 (EC), without a password, since a server starts with nobody there to type one. Blocks of
 * another kind are skipped, so one file may hold both. All problems are reported as one sentence
 * that names the file.
 */
public final class PemFile {
  /** The octets of U+FEFF in UTF-8, as some editors put them first, read as Latin-1. */
  private static final String BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF";

  private static final long MAX_FILE = 1 << 20; // octets; a chain has a few KiB

  private PemFile() {}

  /** Reads all certificates of the file, at least one, in their order. */
  public static List<X509Certificate> certificates(Path file) throws CertificateException {
    List<X509Certificate> chain = new ArrayList<>();
    JcaX509CertificateConverter converter = new JcaX509CertificateConverter();
    String pem = text(file, "certificate");
    try {
      for (Object block : blocks(pem)) {
        if (block instanceof X509CertificateHolder holder) {
          chain.add(converter.getCertificate(holder));
        }
      }
    } catch (IOException | CertificateException e) {
      throw new CertificateException(file + " holds a certificate that cannot be read", e);
    }
    if (chain.isEmpty()) {
      throw new CertificateException(file + " holds no certificate in PEM form");
    }
    return chain;
  }

  /** Reads the first private key of the file. */
  public static PrivateKey privateKey(Path file) throws CertificateException {
    String pem = text(file, "private key");
    try {
      for (Object block : blocks(pem)) {
        switch (block) {
          case PEMKeyPair pair -> {
            return converter().getPrivateKey(pair.getPrivateKeyInfo());
          }
          case PrivateKeyInfo info -> {
            return converter().getPrivateKey(info);
          }
          case PEMEncryptedKeyPair encrypted -> throw encrypted(file);
          case PKCS8EncryptedPrivateKeyInfo encrypted -> throw encrypted(file);
          default -> {}
        }
      }
    } catch (IOException e) {
      throw new CertificateException(file + " holds a private key that cannot be read", e);
    }
    throw new CertificateException(file + " holds no private key in PEM form");
  }

  /** Whether the certificate's public key verifies what the private key signs. */
  public static boolean matches(PrivateKey key, X509Certificate certificate) {
    PublicKey certified = certificate.getPublicKey();
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

  private static List<Object> blocks(String pem) throws IOException {
    List<Object> blocks = new ArrayList<>();
    try (PEMParser parser = new PEMParser(new StringReader(pem))) {
      for (Object block = parser.readObject(); block != null; block = parser.readObject()) {
        blocks.add(block);
      }
      return blocks;
    } catch (RuntimeException e) { // thrown by the parser for damaged base64
      throw new IOException(e);
    }
  }

  private static String text(Path file, String kind) throws CertificateException {
    try {
      if (Files.size(file) > MAX_FILE) {
        throw new CertificateException(file + " is too large for a " + kind);
      }
      String pem = Files.readString(file, StandardCharsets.ISO_8859_1);
      return pem.startsWith(BYTE_ORDER_MARK) ? pem.substring(BYTE_ORDER_MARK.length()) : pem;
    } catch (NoSuchFileException e) {
      throw new CertificateException("there is no " + kind + " file " + file, e);
    } catch (IOException e) {
      throw new CertificateException("cannot read the " + kind + " file " + file, e);
    }
  }

  /** Maps to the JDK's name of the algorithm; Bouncy Castle's own would be ECDSA. */
  private static JcaPEMKeyConverter converter() {
    JcaPEMKeyConverter converter = new JcaPEMKeyConverter();
    converter.setAlgorithmMapping(X9ObjectIdentifiers.id_ecPublicKey, "EC");
    return converter;
  }

  private static CertificateException encrypted(Path file) {
    return new CertificateException(
        file
            + " holds a private key with a password, which cannot be asked for; remove it with"
            + " `openssl pkey -in KEY -out NEW`");
  }
}
