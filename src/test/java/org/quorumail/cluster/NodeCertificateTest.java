package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

  private NodeCertificate read(String certificate, String key, String authority) throws Exception {
    return NodeCertificate.read(
        new ClusterTlsFiles(
            folder.resolve(certificate + ".pem"),
            folder.resolve(key + ".key"),
            folder.resolve(authority + ".pem")));
  }
}
