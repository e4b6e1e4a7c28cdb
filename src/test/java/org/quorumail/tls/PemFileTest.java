package org.quorumail.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.interfaces.ECPrivateKey;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.util.io.pem.PemObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.smtp.TestCertificates;

class PemFileTest {
  @TempDir Path folder;

  static Stream<KeyPair> keys() throws Exception {
    KeyPairGenerator wide = KeyPairGenerator.getInstance("EC");
    wide.initialize(384);
    return Stream.of(
        TestCertificates.ec(),
        wide.generateKeyPair(),
        TestCertificates.rsa(2048),
        KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
  }

  @ParameterizedTest
  @MethodSource("keys")
  void aKeyIsReadInEachFormThatOpenSslWrites(KeyPair pair) throws Exception {
    PrivateKeyInfo info = PrivateKeyInfo.getInstance(pair.getPrivate().getEncoded());
    Path modern = pem("modern", new PemObject("PRIVATE KEY", info.getEncoded()));
    assertThat(PemFile.privateKey(modern)).isEqualTo(pair.getPrivate());
    String algorithm = pair.getPrivate().getAlgorithm();
    if (algorithm.equals("EdDSA")) return; // it has no older form
    Path older = algorithm.equals("EC") ? sec1(info) : pkcs1(info);
    assertThat(Files.readString(older)).containsPattern("BEGIN (RSA|EC) PRIVATE KEY");
    PrivateKey read = PemFile.privateKey(older);
    if (read instanceof ECPrivateKey ec) {
      assertThat(ec.getS()).isEqualTo(((ECPrivateKey) pair.getPrivate()).getS());
      assertThat(ec.getParams()).isEqualTo(((ECPrivateKey) pair.getPrivate()).getParams());
    } else {
      assertThat(read).isEqualTo(pair.getPrivate());
    }
  }

  private Path pkcs1(PrivateKeyInfo info) throws IOException {
    return pem(
        "older",
        new PemObject("RSA PRIVATE KEY", info.parsePrivateKey().toASN1Primitive().getEncoded()));
  }

  /** As {@code openssl ecparam -genkey} writes it: the curve in a block of its own, and inside. */
  private Path sec1(PrivateKeyInfo info) throws IOException {
    ASN1Encodable curve = info.getPrivateKeyAlgorithm().getParameters();
    var bare = org.bouncycastle.asn1.sec.ECPrivateKey.getInstance(info.parsePrivateKey());
    int bits = bare.getKey().bitLength() > 256 ? 384 : 256;
    var key = new org.bouncycastle.asn1.sec.ECPrivateKey(bits, bare.getKey(), curve);
    Path file = pem("older", new PemObject("EC PARAMETERS", curve.toASN1Primitive().getEncoded()));
    String parameters = Files.readString(file);
    Files.writeString(
        file,
        parameters + Files.readString(pem("x", new PemObject("EC PRIVATE KEY", key.getEncoded()))));
    return file;
  }

  @Test
  void aKeyWithAPasswordIsRefusedInOneSentence() throws Exception {
    String scheme = "PBEWithSHA1AndDESede";
    Cipher cipher = Cipher.getInstance(scheme);
    cipher.init(
        Cipher.ENCRYPT_MODE,
        SecretKeyFactory.getInstance(scheme)
            .generateSecret(new PBEKeySpec("secret".toCharArray())));
    byte[] locked = cipher.doFinal(TestCertificates.ec().getPrivate().getEncoded());
    byte[] der = new EncryptedPrivateKeyInfo(cipher.getParameters(), locked).getEncoded();
    Path file = pem("locked", new PemObject("ENCRYPTED PRIVATE KEY", der));
    assertThatThrownBy(() -> PemFile.privateKey(file))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining("locked holds a private key with a password");
    String old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
    Path older = folder.resolve("older");
    Files.writeString(
        older,
        old
            + "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
            + "-----END RSA PRIVATE KEY-----\n");
    assertThatThrownBy(() -> PemFile.privateKey(older)).hasMessageContaining("with a password");
  }

  @Test
  void oneFileMayHoldTheChainAndTheKey() throws Exception {
    TestCertificates.Issued one = TestCertificates.write(folder, "one");
    TestCertificates.Issued two = TestCertificates.write(folder, "two");
    Path both = folder.resolve("both");
    Files.writeString(
        both, "a comment\n" + text("one.key") + text("one.pem") + text("two.pem") + "the end\n");
    assertThat(PemFile.certificates(both)).containsExactly(one.certificate(), two.certificate());
    assertThat(PemFile.privateKey(both)).isEqualTo(one.keys().getPrivate());
  }

  @Test
  void aKeyMatchesItsOwnCertificateOnly() throws Exception {
    TestCertificates.Issued one = TestCertificates.write(folder, "one");
    TestCertificates.Issued two = TestCertificates.write(folder, "two");
    assertThat(PemFile.matches(one.keys().getPrivate(), one.certificate())).isTrue();
    assertThat(PemFile.matches(one.keys().getPrivate(), two.certificate())).isFalse();
    assertThat(PemFile.matches(TestCertificates.rsa(2048).getPrivate(), one.certificate()))
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"one.pem", "one.key"})
  void aDamagedFileIsReadOrRefusedWithItsName(String name) throws Exception {
    TestCertificates.write(folder, "one");
    String whole = text(name);
    SplittableRandom random = new SplittableRandom(20261130);
    Path file = folder.resolve("damaged");
    int refused = 0;
    for (int round = 0; round < 500; round++) {
      StringBuilder text = new StringBuilder(whole);
      text.setCharAt(random.nextInt(text.length()), (char) random.nextInt(256));
      Files.write(file, text.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
      try {
        if (name.endsWith(".pem")) PemFile.certificates(file);
        else PemFile.privateKey(file);
      } catch (CertificateException e) {
        assertThat(e).hasMessageContaining("damaged");
        refused++;
      }
    }
    assertThat(refused).as("files that were refused").isBetween(100, 499);
  }

  private String text(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }

  private Path pem(String name, Object content) throws IOException {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(content);
    }
    Path file = folder.resolve(name);
    Files.writeString(file, text.toString());
    return file;
  }
}
