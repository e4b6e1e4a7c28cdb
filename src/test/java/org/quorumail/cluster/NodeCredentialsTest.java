package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.Test;
import org.quorumail.config.Secret;

class NodeCredentialsTest {
  private static final String HOST = "127.0.0.1";

  @Test
  void theNodeAtAnAddressIsTheOneThatItsCertificateNames() throws Exception {
    try (SSLServerSocket port = port(certificate('s', "node-2"))) {
      Thread.ofVirtual().start(() -> handshakes(port));
      NodeCredentials one = credentials('s', "node-1");
      assertThat(one.identityProblem(HOST, port.getLocalPort(), "node-2-0a1b", true)).isEmpty();
      assertThat(one.identityProblem(HOST, port.getLocalPort(), "node-3-0a1b", true))
          .contains("at 127.0.0.1:" + port.getLocalPort() + " is CN=node-2");
      assertThat(one.identityProblem(HOST, port.getLocalPort(), "node-3-0a1b", false)).isEmpty();
      assertThat(
              credentials('t', "node-1")
                  .identityProblem(HOST, port.getLocalPort(), "node-2-0a1b", true))
          .as("of another secret")
          .isPresent();
      port.close();
      assertThat(one.identityProblem(HOST, port.getLocalPort(), "node-2-0a1b", true))
          .as("nobody listens")
          .isPresent();
    }
  }

  private static SSLServerSocket port(NodeCertificate certificate) throws IOException {
    SSLServerSocket port =
        (SSLServerSocket)
            certificate
                .context()
                .getServerSocketFactory()
                .createServerSocket(0, 10, InetAddress.getByName(HOST));
    port.setNeedClientAuth(true);
    return port;
  }

  private static void handshakes(SSLServerSocket port) {
    while (!port.isClosed()) {
      try (Socket peer = port.accept()) {
        peer.getInputStream().read();
      } catch (IOException e) {
        // refused, or closed by the test
      }
    }
  }

  private static NodeCredentials credentials(char secret, String node) {
    return new NodeCredentials(certificate(secret, node), List.of());
  }

  private static NodeCertificate certificate(char secret, String node) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) secret);
    return NodeCertificate.derive(new Secret(bytes), node, Set.of(HOST));
  }
}
