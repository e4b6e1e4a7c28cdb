package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.ClusterTlsFiles.Verification;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.smtp.TestCertificates.Issued;

class NodeCertificateTest {
  @TempDir Path folder;

  @BeforeEach
  void certificates() throws Exception {
    Issued authority = TestCertificates.write(folder, "authority");
    TestCertificates.write(folder, "stranger");
    TestCertificates.forHosts(folder, authority, "one", "one.example");
    TestCertificates.forHosts(folder, authority, "other", "other.example");
  }

  @Test
  void filesThatFitAreTaken() throws Exception {
    NodeCertificate read = read("one", "one", "authority");
    assertThat(NodeCertificate.names(read.certificate())).contains("one", "one.example");
    read.context();
  }

  @Test
  void aFileThatDoesNotFitTheOthersIsNamedWithItsKey() {
    assertThatThrownBy(() -> read("one", "other", "authority"))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageStartingWith("cluster.tls.key: ")
        .hasMessageContaining("other.key");
    assertThatThrownBy(() -> read("one", "one", "stranger"))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageStartingWith("cluster.tls.ca: ")
        .hasMessageContaining("did not sign");
    assertThatThrownBy(() -> read("none", "one", "authority"))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageStartingWith("cluster.tls.certificate: there is no certificate file ");
    assertThatThrownBy(() -> read("one", "none", "authority"))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageStartingWith("cluster.tls.key: there is no private key file ");
  }

  @Test
  void aCertificateMustNameItsNodeUnlessTheConfigurationSaysOtherwise() throws Exception {
    Verification node = Verification.NODE;
    assertThat(NodeCertificate.read(files("one", "one", "authority", node), "one")).isNotNull();
    assertThatThrownBy(() -> NodeCertificate.read(files("one", "one", "authority", node), "two"))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageStartingWith("cluster.tls.certificate: ")
        .hasMessageContaining("one.example")
        .hasMessageContaining("not this node, two")
        .hasMessageContaining("cluster.tls.verify");
    ClusterTlsFiles shared = files("one", "one", "authority", Verification.AUTHORITY);
    assertThat(NodeCertificate.read(shared, "two")).isNotNull();
  }

  @Test
  void aPeerOfRaftIsANodeAndASuffix() throws Exception {
    X509Certificate one = read("one", "one", "authority").certificate();
    assertThat(NodeCertificate.isOfPeer(one, "one-0a1b2c3d")).isTrue();
    for (String other : List.of("other-0a1b2c3d", "one", "one-two-0a1b2c3d", "-0a1b2c3d", "")) {
      assertThat(NodeCertificate.isOfPeer(one, other)).as(other).isFalse();
    }
  }

  private NodeCertificate read(String certificate, String key, String authority) throws Exception {
    return NodeCertificate.read(files(certificate, key, authority, Verification.NODE));
  }

  private ClusterTlsFiles files(
      String certificate, String key, String authority, Verification verification) {
    return new ClusterTlsFiles(
        folder.resolve(certificate + ".pem"),
        folder.resolve(key + ".key"),
        folder.resolve(authority + ".pem"),
        verification);
  }
}
