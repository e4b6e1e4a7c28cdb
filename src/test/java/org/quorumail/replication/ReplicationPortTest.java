package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The replication port of a node, as strangers and other members reach it. */
@Timeout(60)
class ReplicationPortTest {
  @TempDir private Path root;
  private TestAuthority authority;
  private RaftNode node;

  @BeforeEach
  void start() throws Exception {
    authority = new TestAuthority("authority");
    RaftSettings settings =
        RaftSettings.clusterMember(
            "test", "n1", "127.0.0.1", freePort(), root.resolve("raft"), authority.issue("n1"));
    node =
        RaftNode.start(
            settings,
            new io.micrometer.core.instrument.simple.SimpleMeterRegistry(),
            failure -> {
              throw new IllegalStateException(failure);
            });
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void aStrangerThatDripsItsHandshakeIsClosedAtTheTimeout() throws Exception {
    try (Socket stranger = new Socket("127.0.0.1", node.port())) {
      stranger.getOutputStream().write(new byte[] {22, 3, 1, 2, 0}); // a record of 512 octets
      awaitClosed(stranger);
    }
  }

  @Test
  void aMemberThatSaysNothingIsClosedAtTheTimeout() throws Exception {
    RaftTls.Managers member = (RaftTls.Managers) authority.issue("n2");
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(new KeyManager[] {member.key()}, new TrustManager[] {member.trust()}, null);
    try (SSLSocket socket =
        (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", node.port())) {
      socket.setSoTimeout(8_000);
      var parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2"});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      int octets = socket.getInputStream().readAllBytes().length; // its settings, then the end
      assertThat(octets).isLessThan(1_000);
    }
  }

  private static void awaitClosed(Socket socket) {
    await()
        .pollInterval(Duration.ofMillis(500))
        .atMost(Duration.ofSeconds(8))
        .until(() -> !drip(socket));
  }

  /** Sends one more octet; false when the other end has closed the connection. */
  private static boolean drip(Socket socket) {
    try {
      socket.getOutputStream().write(1);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new java.net.ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
