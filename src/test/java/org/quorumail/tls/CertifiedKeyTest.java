package org.quorumail.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.smtp.TestCertificates;

class CertifiedKeyTest {
  @TempDir Path folder;

  @Test
  void aKeyOfAnotherCertificateIsRefusedInOneSentence() throws Exception {
    TestCertificates.write(folder, "one");
    TestCertificates.write(folder, "two");
    assertThatThrownBy(() -> read("one.pem", "two.key"))
        .hasMessageContaining("two.key does not belong to the first certificate in ")
        .hasMessageContaining("one.pem");
  }

  @Test
  void filesThatAreNoCertificateOrKeyAreNamed() throws Exception {
    TestCertificates.write(folder, "one");
    Files.writeString(folder.resolve("junk"), "junk");
    assertThatThrownBy(() -> read("junk", "one.key"))
        .hasMessageContaining("junk holds no certificate");
    assertThatThrownBy(() -> read("one.pem", "junk"))
        .hasMessageContaining("junk holds no private key in PEM form");
    assertThatThrownBy(() -> read("none", "one.key"))
        .hasMessageContaining("there is no certificate file");
  }

  @Test
  void anRsaKeyMustHave2048Bits() throws Exception {
    TestCertificates.issue(folder, "short", null, TestCertificates.rsa(1024));
    assertThatThrownBy(() -> read("short.pem", "short.key"))
        .hasMessageContaining("short.key has fewer than 2048 bits");
  }

  @Test
  void alternativeNamesComeBeforeTheCommonName() throws Exception {
    TestCertificates.write(folder, "mx.test.example");
    TestCertificates.forHosts(folder, null, "other", "A.test.example", "*.b.test.example");
    assertThat(read("mx.test.example.pem", "mx.test.example.key").names())
        .containsExactly("mx.test.example");
    assertThat(read("other.pem", "other.key").names())
        .containsExactlyInAnyOrder("a.test.example", "*.b.test.example");
  }

  private CertifiedKey read(String chain, String key) throws Exception {
    return CertifiedKey.read(new KeyPairFiles(folder.resolve(chain), folder.resolve(key)));
  }
}
