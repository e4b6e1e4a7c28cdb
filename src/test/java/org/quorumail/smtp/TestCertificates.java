package org.quorumail.smtp;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** Certificates with their keys as PEM files, for tests. */
public final class TestCertificates {
  private TestCertificates() {}

  /**
   * A certificate and its key, as they stand in the files {@code NAME.pem} and {@code NAME.key}.
   */
  public record Issued(X509Certificate certificate, KeyPair keys) {}

  /** Writes {@code NAME.pem} and {@code NAME.key} into the folder: signed by itself, P-256. */
  public static Issued write(Path folder, String name)
      throws IOException, GeneralSecurityException {
    return issue(folder, name, null, ec());
  }

  /** As above, with the alternative names of a host; the first names the files. */
  public static Issued forHosts(Path folder, @Nullable Issued by, String file, String... hosts)
      throws IOException, GeneralSecurityException {
    return issue(folder, file, by, ec(), hosts);
  }

  public static KeyPair ec() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    return generator.generateKeyPair();
  }

  public static KeyPair rsa(int bits) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  /**
   * @param by null: signed by itself, and fit to sign others
   */
  public static Issued issue(
      Path folder, String file, @Nullable Issued by, KeyPair pair, String... hosts)
      throws IOException, GeneralSecurityException {
    X500Name subject = new X500Name("CN=" + file);
    X500Name issuer = by == null ? subject : subjectOf(by.certificate());
    Instant now = Instant.now();
    JcaX509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            issuer,
            BigInteger.valueOf(System.nanoTime()),
            Date.from(now.minus(1, ChronoUnit.HOURS)),
            Date.from(now.plus(1, ChronoUnit.DAYS)),
            subject,
            pair.getPublic());
    try {
      addNames(builder, by == null, hosts);
      KeyPair signer = by == null ? pair : by.keys();
      String algorithm =
          signer.getPrivate().getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
      X509Certificate certificate =
          new JcaX509CertificateConverter()
              .getCertificate(
                  builder.build(new JcaContentSignerBuilder(algorithm).build(signer.getPrivate())));
      pem(folder.resolve(file + ".pem"), "CERTIFICATE", certificate.getEncoded());
      pem(folder.resolve(file + ".key"), "PRIVATE KEY", pair.getPrivate().getEncoded());
      return new Issued(certificate, pair);
    } catch (OperatorCreationException e) {
      throw new GeneralSecurityException(e);
    }
  }

  private static X500Name subjectOf(X509Certificate certificate) {
    return X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
  }

  private static void addNames(
      JcaX509v3CertificateBuilder builder, boolean authority, String... hosts)
      throws CertIOException {
    if (authority) {
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    }
    if (hosts.length == 0) return;
    GeneralName[] names =
        Arrays.stream(hosts)
            .map(
                host ->
                    new GeneralName(
                        host.contains("@") ? GeneralName.rfc822Name : GeneralName.dNSName, host))
            .toArray(GeneralName[]::new);
    builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
  }

  private static void pem(Path file, String type, byte[] der) throws IOException {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        file, "-----BEGIN " + type + "-----\n" + base64 + "\n-----END " + type + "-----\n");
  }
}
