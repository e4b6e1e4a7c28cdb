package org.quorumail.replication;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority for one test. */
final class TestAuthority {
  private final Path directory;
  private final KeyPair keys = newKeys();
  private final X500Principal name;
  private final Path certificate;

  TestAuthority(Path directory, String name) throws Exception {
    this.directory = Files.createDirectories(directory);
    this.name = new X500Principal("CN=" + name);
    this.certificate =
        write(name + ".crt", "CERTIFICATE", sign(this.name, keys, true).getEncoded());
  }

  RaftTls.Pem issue(String node) throws Exception {
    KeyPair nodeKeys = newKeys();
    X509Certificate issued = sign(new X500Principal("CN=" + node), nodeKeys, false);
    return new RaftTls.Pem(
        write(node + ".key", "PRIVATE KEY", nodeKeys.getPrivate().getEncoded()),
        write(node + ".crt", "CERTIFICATE", issued.getEncoded()),
        certificate);
  }

  private X509Certificate sign(X500Principal subject, KeyPair subjectKeys, boolean authority)
      throws Exception {
    var builder =
        new JcaX509v3CertificateBuilder(
            name,
            BigInteger.valueOf(System.nanoTime()),
            Date.from(Instant.now().minus(1, ChronoUnit.HOURS)),
            Date.from(Instant.now().plus(1, ChronoUnit.DAYS)),
            subject,
            subjectKeys.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
    if (!authority)
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(new GeneralName(GeneralName.iPAddress, "127.0.0.1")));
    var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate());
    return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
  }

  private Path write(String file, String type, byte[] der) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        directory.resolve(file),
        "-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n");
  }

  private static KeyPair newKeys() {
    try {
      var generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      return generator.generateKeyPair();
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
