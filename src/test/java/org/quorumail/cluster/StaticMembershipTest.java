package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.DataOutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.SlowStranger;
import org.quorumail.cluster.ClusterTlsFiles.Verification;
import org.quorumail.config.HostPort;
import org.quorumail.config.Secret;

@Execution(ExecutionMode.CONCURRENT)
class StaticMembershipTest {
  private static final Secret SECRET = secret((byte) 1);

  private final List<Membership> running = new ArrayList<>();

  private static Secret secret(byte filler) {
    byte[] bytes = new byte[32];
    java.util.Arrays.fill(bytes, filler);
    return new Secret(bytes);
  }

  @AfterEach
  void stopAll() {
    running.forEach(Membership::close);
  }

  @Test
  void nodesWithTheSecretSeeEachOtherAndTheirOwnAddressIsHarmless() throws Exception {
    List<HostPort> seeds = freePorts(3);
    for (int i = 0; i < 3; i++) start("n" + i, SECRET, seeds.get(i), seeds);
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> running.forEach(m -> assertThat(m.members()).hasSize(2)));
    assertThat(running.getFirst().members()).allMatch(Membership.Member::reachable);
  }

  @Test
  void aNodeWithAnotherSecretIsNeitherHeardNorTold() throws Exception {
    List<HostPort> seeds = freePorts(3);
    Membership inside = start("n0", SECRET, seeds.get(0), seeds.subList(0, 2));
    start("n1", SECRET, seeds.get(1), seeds.subList(0, 2));
    Membership outside = start("n2", secret((byte) 2), seeds.get(2), seeds);
    await().atMost(Duration.ofSeconds(20)).until(() -> inside.members().size() == 1);
    await()
        .during(Duration.ofSeconds(2))
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () -> {
              assertThat(outside.members()).isEmpty();
              assertThat(inside.members())
                  .extracting(m -> m.metadata().nodeId())
                  .containsExactly("n1");
            });
  }

  @Test
  void aNodeCannotCallItselfByANameThatItsCertificateDoesNotSpeakFor() throws Exception {
    List<HostPort> seeds = freePorts(1);
    Membership inside = start("n0", SECRET, seeds.get(0), seeds);
    for (String host : List.of("192.0.2.7", "127.0.0.1")) {
      assertThat(answer(seeds.get(0), "n1", card("n7", "n7-1", host))).isEqualTo(-1);
    }
    assertThat(answer(seeds.get(0), "n1", card("n1", "n7-1", "127.0.0.1")))
        .as("the name in Raft of another node")
        .isEqualTo(-1);
    assertThat(inside.members()).isEmpty();
    assertThat(answer(seeds.get(0), "n1", card("n1", "n1-1", "192.0.2.7"))).isEqualTo(0);
    assertThat(inside.members()).hasSize(1);
  }

  @Test
  void aCertificateForTheHostIsEnoughWhereTheConfigurationSaysSo() throws Exception {
    List<HostPort> seeds = freePorts(1);
    Membership inside = start("n0", SECRET, seeds.get(0), seeds, Verification.AUTHORITY);
    assertThat(answer(seeds.get(0), "n1", card("n7", "n7-1", "192.0.2.7"))).isEqualTo(-1);
    assertThat(answer(seeds.get(0), "n1", card("n7", "n7-1", "127.0.0.1"))).isEqualTo(0);
    assertThat(inside.members()).hasSize(1);
  }

  private static MemberMetadata card(String node, String peer, String host) {
    return TestMetadata.node(node, peer).at(host, 1, 2).build();
  }

  /** Sends metadata with the certificate of a node; returns the first octet of the answer. */
  private static int answer(HostPort to, String certified, MemberMetadata forged) throws Exception {
    SSLContext tls = NodeCertificate.derive(SECRET, certified, Set.of("127.0.0.1")).context();
    try (SSLSocket socket =
        (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", to.port())) {
      socket.setSoTimeout(10_000);
      byte[] json = tools.jackson.databind.json.JsonMapper.shared().writeValueAsBytes(forged);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(json.length);
      out.write(json);
      out.flush();
      return socket.getInputStream().read();
    }
  }

  @Test
  void plainTextOnThePortGetsNoCard() throws Exception {
    List<HostPort> seeds = freePorts(1);
    Membership inside = start("n0", SECRET, seeds.get(0), seeds);
    try (Socket socket = new Socket("127.0.0.1", seeds.get(0).port())) {
      socket.setSoTimeout(10_000);
      socket
          .getOutputStream()
          .write("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readAllBytes(); // at most a TLS alert
      assertThat(answer.length).isLessThan(64);
    }
    assertThat(inside.members()).isEmpty();
  }

  @Test
  void aStrangerThatDripsItsHandshakeIsClosedAtTheTimeout() throws Exception {
    List<HostPort> seeds = freePorts(1);
    start("n0", SECRET, seeds.get(0), seeds);
    try (Socket stranger = new Socket("127.0.0.1", seeds.get(0).port())) {
      stranger.getOutputStream().write(new byte[] {22, 3, 1, 0x40, 0}); // a record of 16 KiB
      SlowStranger.awaitClosed(stranger, Duration.ofSeconds(10));
    }
  }

  @Test
  void aMemberThatDripsItsMetadataIsClosedAtTheTimeout() throws Exception {
    List<HostPort> seeds = freePorts(1);
    start("n0", SECRET, seeds.get(0), seeds);
    SSLContext tls = NodeCertificate.derive(SECRET, "n1", Set.of("127.0.0.1")).context();
    try (SSLSocket member =
        (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", seeds.get(0).port())) {
      member.getOutputStream().write(new byte[] {0, 0, 8, 0});
      SlowStranger.awaitClosed(member, Duration.ofSeconds(10));
    }
  }

  @Test
  void strangersThatDripLeaveRoomForAMember() throws Exception {
    List<HostPort> seeds = freePorts(2);
    Membership inside = start("n0", SECRET, seeds.get(0), seeds.subList(0, 1));
    List<Socket> strangers = new ArrayList<>();
    try {
      for (int i = 0; i < 200; i++) {
        Socket stranger = new Socket("127.0.0.1", seeds.get(0).port());
        strangers.add(stranger);
        stranger.getOutputStream().write(new byte[] {22, 3, 1, 0x40, 0});
      }
      start("n1", SECRET, seeds.get(1), seeds);
      await()
          .pollInterval(Duration.ofMillis(500))
          .atMost(Duration.ofSeconds(10))
          .until(
              () -> {
                for (Socket stranger : strangers) SlowStranger.sendOctet(stranger);
                return inside.members().size() == 1;
              });
    } finally {
      for (Socket stranger : strangers) stranger.close();
    }
  }

  @Test
  void aTakenPortIsOneSentence() throws Exception {
    try (ServerSocket taken = new ServerSocket(0)) {
      HostPort here = new HostPort("127.0.0.1", taken.getLocalPort());
      assertThatThrownBy(() -> start("n0", SECRET, here, List.of(here)))
          .isInstanceOf(ClusterStartException.class)
          .hasMessageContaining("cluster.port")
          .hasMessageNotContaining("\n");
    }
  }

  private Membership start(String id, Secret secret, HostPort at, List<HostPort> seeds)
      throws ClusterStartException {
    return start(id, secret, at, seeds, Verification.NODE);
  }

  private Membership start(
      String id, Secret secret, HostPort at, List<HostPort> seeds, Verification verification)
      throws ClusterStartException {
    MemberMetadata card = TestMetadata.node(id, id + "-1").at("127.0.0.1", at.port(), 2).build();
    SSLContext tls = NodeCertificate.derive(secret, id, Set.of("127.0.0.1")).context();
    Membership membership =
        StaticMembership.start(() -> card, tls, verification, "127.0.0.1", at.port(), seeds);
    running.add(membership);
    return membership;
  }

  private static List<HostPort> freePorts(int n) throws Exception {
    List<ServerSocket> held = new ArrayList<>();
    for (int i = 0; i < n; i++) held.add(new ServerSocket(0));
    List<HostPort> ports = new ArrayList<>();
    for (ServerSocket s : held) {
      ports.add(new HostPort("127.0.0.1", s.getLocalPort()));
      s.close();
    }
    return ports;
  }
}
