package org.quorumail.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.LocalCluster;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;

/**
 * Five nodes of the packaged program with the defaults of gossip, and their views of each other.
 */
@Order(3)
class GossipIT {
  private static final Duration START = Duration.ofSeconds(150);

  /**
   * The promise is 5 s; a machine that runs other tests beside five nodes on two processors gets
   * twice that.
   */
  private static final Duration DETECTION = Duration.ofSeconds(10);

  @TempDir private Path directory;

  @Test
  void fiveNodesFindFoundWatchAndForgive() throws Exception {
    List<NodeSettings> all = NodeSettings.cluster(5, directory, "discard");
    String old = all.getFirst().secret();
    String seed = "127.0.0.1:" + all.getFirst().clusterPort();
    try (LocalCluster cluster = LocalCluster.of(write(all, seed))) {
      cluster.start(START); // all at the same instant, with one seed between them
      for (NodeProcess node : cluster.nodes()) {
        assertThat(node.http().nodeStatuses()).hasSize(5);
        assertThat(node.http().events()).contains("NodeJoined:" + other(node, cluster));
      }
      aPausedNodeIsNotDeclaredDead(cluster);
      theSecretIsReplacedWhileAllRun(cluster, old);
      aKilledNodeIsDeclaredDeadByAll(cluster);
      aNodeThatLeavesIsNotDeclaredDead(cluster);
    }
  }

  @Test
  void overQuicToo() throws Exception {
    List<NodeSettings> all = NodeSettings.cluster(3, directory, "discard");
    String seed = "127.0.0.1:" + all.getFirst().clusterPort();
    write(all, seed);
    for (NodeSettings node : all) {
      String toml = Files.readString(node.configFile());
      Files.writeString(
          node.configFile(), toml.replaceAll("(?m)^seeds = ", "transport = \"quic\"\n$0"));
    }
    try (LocalCluster cluster = LocalCluster.of(all)) {
      cluster.start(START);
      NodeProcess first = cluster.node(0);
      assertThat(first.http().nodeStatuses()).hasSize(3);
      assertThat(metrics(first))
          .doesNotContain("plumtree_quic_datagrams_sent_total 0.0\n")
          .doesNotContain("plumtree_quic_datagrams_received_total 0.0\n")
          .doesNotContain("plumtree_quic_streams_opened_total 0.0\n")
          .contains("plumtree_quic_streams_opened_total ");
      killedIsSeenByAll(cluster, cluster.node(2));
    }
  }

  private static void aPausedNodeIsNotDeclaredDead(LocalCluster cluster) throws Exception {
    AtomicBoolean hog = new AtomicBoolean(true);
    for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                while (hog.get()) Thread.onSpinWait();
              });
    }
    try {
      cluster.node(4).pause();
      Thread.sleep(3_000); // the pause itself, not a wait for something
      cluster.node(4).resume();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> allSay(cluster, cluster.node(4), "healthy", List.of(cluster.node(4))));
    } finally {
      hog.set(false);
    }
    for (NodeProcess node : cluster.nodes()) {
      assertThat(node.http().events()).noneMatch(event -> event.startsWith("NodeFailed"));
    }
  }

  private static void theSecretIsReplacedWhileAllRun(LocalCluster cluster, String old)
      throws Exception {
    byte[] bytes = new byte[32];
    new java.security.SecureRandom().nextBytes(bytes);
    String fresh = Base64.getEncoder().encodeToString(bytes);
    round(cluster, old, "accepted_secrets = [\"" + fresh + "\"]");
    round(cluster, fresh, "accepted_secrets = [\"" + old + "\"]");
    round(cluster, fresh, "accepted_secrets = []");
    for (NodeProcess node : cluster.nodes()) {
      assertThat(node.http().events()).noneMatch(event -> event.startsWith("NodeFailed"));
    }
    for (NodeProcess node : cluster.nodes()) {
      await() // three rounds of five reloads, told by each to all
          .atMost(Duration.ofSeconds(60))
          .until(() -> Collections.frequency(node.http().events(), "ConfigurationUpdated:") == 15);
    }
    cluster.node(3).kill(); // and a start with the new secret alone, gossip and replication
    cluster.node(3).start();
    cluster.node(3).awaitReady(START);
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> allSay(cluster, cluster.node(3), "healthy", List.of()));
  }

  private static void round(LocalCluster cluster, String secret, String accepted) throws Exception {
    List<Process> reloads = new ArrayList<>();
    for (NodeProcess node : cluster.nodes()) {
      Path file = node.settings().configFile();
      String toml =
          Files.readString(file)
              .replaceAll("(?m)^accepted_secrets = .*\n", "")
              .replaceAll("(?m)^secret = .*$", "secret = \"" + secret + "\"\n" + accepted);
      Files.writeString(file, toml);
      reloads.add(
          new ProcessBuilder(
                  NodeProcess.program().toString(), "system", "reload", "-c", file.toString())
              .redirectErrorStream(true)
              .start());
    }
    for (Process reload : reloads) {
      String output = new String(reload.getInputStream().readAllBytes(), UTF_8);
      assertThat(reload.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(output).containsPattern("cluster\\.(secret|accepted_secrets)");
    }
  }

  private static void aKilledNodeIsDeclaredDeadByAll(LocalCluster cluster) throws Exception {
    NodeProcess victim = cluster.node(2);
    killedIsSeenByAll(cluster, victim);
    victim.start();
    victim.awaitReady(START);
    String name = victim.settings().id();
    String series = "smtp_cluster_node_health{node=\"" + name + "\"}";
    for (NodeProcess node : cluster.nodes()) {
      if (node == victim) continue; // may have come too late to hear of it
      await() // its spool went back to it
          .atMost(Duration.ofSeconds(60))
          .until(() -> node.http().events().contains("RebalancingCompleted:"));
      await().atMost(Duration.ofSeconds(30)).until(() -> node.http().metric(series) == 1);
    }
  }

  private static void killedIsSeenByAll(LocalCluster cluster, NodeProcess victim) throws Exception {
    victim.kill();
    long killed = System.nanoTime();
    await()
        .pollInterval(Duration.ofMillis(100))
        .atMost(DETECTION)
        .until(() -> allSay(cluster, victim, "disconnected", List.of(victim)));
    System.out.printf(
        "gossip: kill -9 known to all of %d after %d ms%n",
        cluster.nodes().size(), TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - killed));
    for (NodeProcess node : cluster.nodes()) {
      if (node == victim) continue;
      assertThat(node.http().events()).contains("NodeFailed:" + victim.settings().id());
    }
  }

  private static void aNodeThatLeavesIsNotDeclaredDead(LocalCluster cluster) throws Exception {
    NodeProcess leaving = cluster.node(1);
    assertThat(leaving.stop(Duration.ofSeconds(60))).isZero();
    NodeProcess watching = cluster.node(0);
    String id = leaving.settings().id();
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> watching.http().events().contains("NodeLeft:" + id));
    assertThat(watching.http().events()).doesNotContain("NodeFailed:" + id);
  }

  private static boolean allSay(
      LocalCluster cluster, NodeProcess subject, String status, List<NodeProcess> silent) {
    for (NodeProcess node : cluster.nodes()) {
      if (silent.contains(node)) continue;
      Map<String, String> statuses = node.http().nodeStatuses();
      if (!status.equals(statuses.get(subject.settings().id()))) return false;
    }
    return true;
  }

  private static String other(NodeProcess node, LocalCluster cluster) {
    NodeProcess first = cluster.node(0);
    return (node == first ? cluster.node(1) : first).settings().id();
  }

  private static String metrics(NodeProcess node) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create(node.http().url() + "metrics");
      return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
    }
  }

  /** The first node is everybody's only seed, its own among them. */
  private static List<NodeSettings> write(List<NodeSettings> all, String seed) throws IOException {
    for (NodeSettings node : all) {
      String toml = node.toml().replaceAll("(?m)^seeds = .*$", "seeds = [\"" + seed + "\"]");
      node.writeConfig();
      Files.writeString(node.configFile(), toml);
    }
    return new ArrayList<>(all);
  }
}
