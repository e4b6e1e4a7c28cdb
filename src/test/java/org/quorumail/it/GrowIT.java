package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.LocalCluster;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** A running cluster of the packaged program on loopback gets more nodes. */
@Order(2)
class GrowIT {
  private static final Duration START = Duration.ofSeconds(90);
  private static final byte[] MESSAGE =
      "Subject: hello\r\n\r\nhello\r\n".getBytes(StandardCharsets.US_ASCII);

  @TempDir private Path directory;
  private final Set<String> accepted = new HashSet<>();

  @Test
  void nodesJoinARunningClusterAndTheirMailSurvivesThem() throws Exception {
    int sinkPort = NodeSettings.freePort();
    String nextHop = "smtp://127.0.0.1:" + sinkPort;
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess fourth = joining("node-4", three, nextHop);
        NodeProcess fifth = joining("node-5", three, nextHop)) {
      three.start(START);
      send(three.node(0), "before@sink.test");
      fourth.start();
      fourth.awaitReady(START);
      awaitMembers(4, three.node(0), three.node(1), three.node(2), fourth);
      awaitVoters(3, 1, three.node(0));
      send(fourth, "fourth@sink.test");

      fifth.start();
      fifth.awaitReady(START);
      awaitMembers(5, three.node(0), three.node(1), three.node(2), fourth, fifth);
      awaitVoters(5, 0, fifth);
      send(fifth, "fifth@sink.test");
      assertThat(replicas("spool-node-4", three, fourth, fifth)).isEqualTo(3);
      assertThat(replicas("spool-node-5", three, fourth, fifth)).isEqualTo(3);

      anyNodeAnswersForAll(List.of(three.node(0), three.node(1), three.node(2), fourth, fifth));

      // all remember who they are
      List<NodeProcess> all = List.of(three.node(0), three.node(1), three.node(2), fourth, fifth);
      for (NodeProcess node : all) node.kill();
      for (NodeProcess node : all) node.start();
      for (NodeProcess node : all) node.awaitReady(START);
      awaitMembers(5, all.toArray(NodeProcess[]::new));
      send(fourth, "after@sink.test");

      // the mail of a node that joined is delivered by the others
      fourth.kill();
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
        send(three.node(1), "last@sink.test");
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
      }
    }
  }

  /** There are more nodes than replicas, and each lists, counts and changes the mail of all. */
  private void anyNodeAnswersForAll(List<NodeProcess> nodes) throws Exception {
    Set<String> lists = new HashSet<>();
    for (NodeProcess node : nodes) {
      String list = OperatorCommand.run(directory, node, "queue", "list").text();
      assertThat(list).contains(accepted).doesNotContain("not answer");
      lists.add(list.lines().map(line -> line.substring(0, 26)).toList().toString());
    }
    assertThat(lists).as("the same messages in the same order").hasSize(1);
    NodeProcess first = nodes.getFirst();
    NodeProcess last = nodes.getLast();
    assertThat(OperatorCommand.run(directory, last, "queue", "stats").text())
        .contains("total: " + accepted.size());
    OperatorCommand.CommandResult suspended =
        OperatorCommand.run(directory, last, "queue", "suspend", "--domain", "sink.test");
    assertThat(suspended.exitCode()).as(suspended.text()).isZero();
    await()
        .until(
            () -> OperatorCommand.run(directory, first, "queue", "suspensions").text(),
            list -> list.contains("sink.test") && list.contains("node-1,node-2,node-3,node-4"));
    OperatorCommand.run(directory, first, "queue", "resume", "--domain", "sink.test");
    for (String words : List.of("hold", "release")) {
      OperatorCommand.CommandResult changed =
          OperatorCommand.run(directory, first, "queue", words, "--domain", "sink.test");
      assertThat(changed.exitCode()).as(changed.text()).isZero();
      assertThat(changed.text().lines()).hasSize(accepted.size());
    }
  }

  @Test
  void aNodeThatDoesNotBelongIsRefusedInOneSentence() throws Exception {
    String nextHop = "smtp://127.0.0.1:" + NodeSettings.freePort();
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess stranger = secret("node-4", three, nextHop);
        NodeProcess sameId = twin(three, nextHop)) {
      three.start(START);
      stranger.start();
      await().atMost(START).until(() -> !stranger.isRunning());
      assertThat(stranger.logTail()).contains("have another secret").doesNotContain("\tat ");

      three.node(1).kill(); // its id is known while it is down, too
      sameId.start();
      await().atMost(START).until(() -> !sameId.isRunning());
      // by the map, or by the address that gossip still has of the member
      assertThat(sameId.logTail())
          .containsPattern("quorumail: (node.data_directory: .*|node.id: two nodes .*)node-2")
          .doesNotContain("\tat ");
      three.node(1).start();
      three.node(1).awaitReady(START);
      awaitMembers(3, three.node(0), three.node(1), three.node(2));
      send(three.node(1), "still@sink.test");
    }
  }

  @Test
  void aLostNodeIsRemovedAndItsPlaceIsTakenByAnother() throws Exception {
    int sinkPort = NodeSettings.freePort();
    String nextHop = "smtp://127.0.0.1:" + sinkPort;
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess fourth = joining("node-4", three, nextHop)) {
      three.start(START);
      fourth.start();
      fourth.awaitReady(START);
      NodeProcess first = three.node(0);
      NodeProcess lost = three.node(1);
      awaitMembers(4, first, lost, three.node(2), fourth);
      send(lost, "queued@sink.test");

      assertThat(remove(fourth, "node-2").text()).contains("node-2 is running");
      lost.kill();
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> "disconnected".equals(fourth.http().nodeStatuses().get("node-2")));
      assertThat(OperatorCommand.run(directory, fourth, "cluster", "remove", "node-2").text())
          .contains("--yes");
      OperatorCommand.CommandResult removed = remove(fourth, "node-2");
      assertThat(removed.text()).contains("node-2 is removed");
      assertThat(removed.exitCode()).isZero();
      awaitMembers(3, first, three.node(2), fourth);
      awaitVoters(3, 0, fourth);
      for (String home : List.of("node-1", "node-2", "node-3", "node-4")) {
        await()
            .alias(home)
            .atMost(Duration.ofSeconds(60))
            .until(() -> votingReplicas("spool-" + home, first) == 3);
      }

      // one more may die now: all groups have the replacement
      three.node(2).kill();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () ->
                  SmtpTestClient.attempt(first.settings().smtpAddress(), MESSAGE)
                      .reply()
                      .startsWith("250 "));
      send(fourth, "after@sink.test");
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
      }

      lost.start();
      await().atMost(START).until(() -> !lost.isRunning());
      assertThat(Files.readString(lost.settings().logFile()))
          .contains("node-2 was removed")
          .doesNotContain("\tat ");

      // the last of its mail is delivered: its id is free for another directory
      three.node(2).start();
      three.node(2).awaitReady(START);
      wipe(lost.settings().directory().resolve("data"));
      lost.start();
      lost.awaitReady(START);
      awaitMembers(4, first, lost, three.node(2), fourth);
      for (NodeProcess node : List.of(first, three.node(2), fourth)) {
        assertThat(Files.readString(node.settings().logFile()))
            .contains("event=spool_deleted spool=spool-node-2");
        assertThat(node.settings().directory().resolve("data/spool/spool-node-2")).doesNotExist();
      }
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        send(lost, "again@sink.test");
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
      }
    }
  }

  @Test
  void aSpareNodeTakesAllPlacesOfALostOne() throws Exception {
    int sinkPort = NodeSettings.freePort();
    String nextHop = "smtp://127.0.0.1:" + sinkPort;
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess spare = joining("node-4", three, nextHop)) {
      three.start(START);
      spare.start();
      spare.awaitReady(START);
      NodeProcess first = three.node(0);
      NodeProcess lost = three.node(2);
      awaitMembers(4, first, three.node(1), lost, spare);
      awaitVoters(3, 1, first);
      send(lost, "queued@sink.test");
      assertRefused(first, "cannot replace itself", "node-3", "node-3");
      assertRefused(first, "no member of the cluster is called node-9", "node-9", "node-4");
      assertRefused(first, "no member of the cluster is called node-9", "node-3", "node-9");
      lost.kill();
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> "disconnected".equals(first.http().nodeStatuses().get("node-3")));
      OperatorCommand.CommandResult replaced = replace(first, "node-3", "node-4");
      assertThat(replaced.text()).contains("node-3 is replaced by node-4");
      assertThat(replaced.exitCode()).isZero();
      awaitMembers(3, first, three.node(1), spare);
      awaitVoters(3, 0, spare);
      for (String home : List.of("node-1", "node-2", "node-3", "node-4")) {
        await()
            .alias(home)
            .atMost(Duration.ofSeconds(60))
            .until(() -> votingReplicas("spool-" + home, spare) == 3);
      }
      three.node(1).kill(); // the others are a majority with the spare node
      send(spare, "after@sink.test");
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
      }
    }
  }

  @Test
  void aNodeLeavesInOrderAndARunningOneIsReplaced() throws Exception {
    int sinkPort = NodeSettings.freePort();
    String nextHop = "smtp://127.0.0.1:" + sinkPort;
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess fourth = joining("node-4", three, nextHop);
        NodeProcess fifth = joining("node-5", three, nextHop)) {
      three.start(START);
      NodeProcess first = three.node(0);
      fourth.start();
      fifth.start();
      fourth.awaitReady(START);
      fifth.awaitReady(START);
      awaitMembers(5, first, three.node(1), three.node(2), fourth, fifth);
      awaitVoters(5, 0, first);
      send(fourth, "leaves@sink.test");
      assertThat(OperatorCommand.run(directory, fourth, "cluster", "leave").text())
          .contains("--yes");
      OperatorCommand.CommandResult left =
          OperatorCommand.run(directory, fourth, "cluster", "leave", "--yes");
      assertThat(left.text()).contains("node-4 leaves the cluster");
      assertThat(left.exitCode()).isZero();
      await().atMost(START).until(() -> !fourth.isRunning());
      assertThat(Files.readString(fourth.settings().logFile()))
          .contains("event=cluster_left node=node-4")
          .doesNotContain("\tat ")
          .doesNotContain("event=node_failed");
      awaitMembers(4, first, three.node(1), three.node(2), fifth);

      // a running one is replaced, and ends by itself
      send(three.node(2), "replaced@sink.test");
      assertThat(replace(first, "node-3", "node-5").text()).contains("node-3 is replaced");
      await().atMost(START).until(() -> !three.node(2).isRunning());
      assertThat(Files.readString(three.node(2).settings().logFile()))
          .contains("event=cluster_left node=node-3")
          .doesNotContain("event=node_failed");
      awaitMembers(3, first, three.node(1), fifth);
      awaitVoters(3, 0, fifth);
      for (String home : List.of("node-1", "node-2", "node-3", "node-4", "node-5")) {
        await()
            .alias(home)
            .atMost(Duration.ofSeconds(60))
            .until(() -> votingReplicas("spool-" + home, first) == 3);
      }
      send(fifth, "after@sink.test");
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
      }
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> !first.http().replicas().keySet().contains("spool-node-4"));

      // without node-2, node-1 cannot leave
      three.node(1).kill();
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> "disconnected".equals(first.http().nodeStatuses().get("node-2")));
      OperatorCommand.CommandResult refused =
          OperatorCommand.run(directory, first, "cluster", "leave", "--yes");
      assertThat(refused.text()).contains("has no majority without node-1", "start node-2 first");
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(first.http().isReady()).isTrue();
    }
  }

  @Test
  void aNodeThatWasDownDeletesTheSpoolsThatWereDissolvedMeanwhile() throws Exception {
    String nextHop = "smtp://127.0.0.1:" + NodeSettings.freePort();
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess fourth = joining("node-4", three, nextHop)) {
      three.start(START);
      for (int life = 1; life <= 2; life++) { // under the same id
        fourth.start();
        fourth.awaitReady(START);
        awaitMembers(4, three.node(0), three.node(1), three.node(2), fourth);
        NodeProcess holder =
            three.nodes().stream().filter(GrowIT::holdsFourth).findFirst().orElseThrow();
        NodeProcess observer =
            three.nodes().stream().filter(node -> node != holder).findFirst().orElseThrow();
        boolean isDown = life == 2; // the first time all must be there
        if (isDown) {
          holder.kill();
          await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> observer.http().nodeStatuses().containsValue("disconnected"));
        }
        assertThat(OperatorCommand.run(directory, fourth, "cluster", "leave", "--yes").exitCode())
            .isZero();
        await().atMost(START).until(() -> !fourth.isRunning());
        wipe(fourth.settings().directory().resolve("data"));
        await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> three.nodes().stream().noneMatch(GrowIT::holdsFourth));
        if (isDown) holder.start();
        if (isDown) holder.awaitReady(START);
        Path stores = holder.settings().directory().resolve("data/spool");
        await().atMost(START).until(() -> !holdsFourth(holder) && hasNoStoreOfFourth(stores));
        awaitMembers(3, three.node(0), three.node(1), three.node(2));
      }
    }
  }

  private static boolean holdsFourth(NodeProcess node) {
    return node.http().replicas().containsKey("spool-node-4");
  }

  private static boolean hasNoStoreOfFourth(Path stores) throws IOException {
    try (Stream<Path> folders = Files.list(stores)) {
      return folders.noneMatch(f -> f.getFileName().toString().startsWith("spool-node-4"));
    }
  }

  private OperatorCommand.CommandResult replace(NodeProcess node, String former, String by)
      throws Exception {
    return OperatorCommand.run(directory, node, "cluster", "replace", former, by, "--yes");
  }

  private void assertRefused(NodeProcess node, String reason, String former, String by)
      throws Exception {
    OperatorCommand.CommandResult result = replace(node, former, by);
    assertThat(result.text()).contains(reason).doesNotContain("\tat ");
    assertThat(result.exitCode()).isNotZero();
  }

  private static void wipe(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    }
  }

  @Test
  void aStandAloneNodeBecomesThreeWithItsQueue() throws Exception {
    int sinkPort = NodeSettings.freePort();
    String nextHop = "smtp://127.0.0.1:" + sinkPort;
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    NodeSettings alone = NodeSettings.standAlone("node-1", directory, nextHop);
    String secret = NodeSettings.cluster(3, directory, nextHop).getFirst().secret();
    List<String> seed = List.of("127.0.0.1:" + alone.clusterPort());
    try (NodeProcess before = new NodeProcess(alone)) {
      before.start();
      before.awaitReady(START);
      for (int i = 0; i < 20; i++) send(before, "alone" + i + "@sink.test");
      before.stop(Duration.ofSeconds(60));
    }
    NodeSettings inCluster = alone.inCluster(seed, secret);
    inCluster.writeConfig();
    try (NodeProcess first = new NodeProcess(inCluster);
        NodeProcess second = another("node-2", seed, secret, nextHop);
        NodeProcess third = another("node-3", seed, secret, nextHop)) {
      first.start();
      first.awaitReady(START);
      assertThat(first.http().queueSize()).hasValue(20);
      send(first, "first@sink.test");
      second.start();
      third.start();
      second.awaitReady(START);
      third.awaitReady(START);
      awaitMembers(3, first, second, third);
      awaitVoters(3, 0, second);
      for (String home : List.of("node-1", "node-2", "node-3")) {
        await()
            .alias(home)
            .atMost(Duration.ofSeconds(60))
            .until(() -> votingReplicas("spool-" + home, first) == 3);
      }
      send(second, "second@sink.test");

      // all restart, then the first node is lost
      for (NodeProcess node : List.of(first, second, third)) node.kill();
      for (NodeProcess node : List.of(first, second, third)) node.start();
      for (NodeProcess node : List.of(first, second, third)) node.awaitReady(START);
      awaitMembers(3, first, second, third);
      first.kill();
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
        send(third, "third@sink.test");
        await().atMost(Duration.ofSeconds(60)).until(() -> arrived.containsAll(accepted));
      }
    }
  }

  private NodeProcess another(String id, List<String> seeds, String secret, String nextHop) {
    return new NodeProcess(
        NodeSettings.standAlone(id, directory, nextHop).inCluster(seeds, secret));
  }

  private OperatorCommand.CommandResult remove(NodeProcess node, String id) throws Exception {
    return OperatorCommand.run(directory, node, "cluster", "remove", id, "--yes");
  }

  /** The members that vote in a group, as a member sees them. */
  private static int votingReplicas(String group, NodeProcess node) {
    return node.http().replicas().getOrDefault(group, 0);
  }

  /** One more node, which has the secret and knows one member. */
  private NodeProcess joining(String id, LocalCluster cluster, String nextHop) {
    NodeSettings member = cluster.node(0).settings();
    return new NodeProcess(
        NodeSettings.standAlone(id, directory, nextHop)
            .inCluster(List.of("127.0.0.1:" + member.clusterPort()), member.secret()));
  }

  private NodeProcess secret(String id, LocalCluster cluster, String nextHop) {
    NodeSettings right = joining(id, cluster, nextHop).settings();
    String wrong = NodeSettings.cluster(3, directory, nextHop).getFirst().secret();
    return new NodeProcess(
        right.inCluster(right.seeds(), wrong).withSections("join_timeout = \"5s\""));
  }

  /** A node with an empty directory and the id of a member. */
  private NodeProcess twin(LocalCluster cluster, String nextHop) {
    NodeSettings member = cluster.node(0).settings();
    return new NodeProcess(
        NodeSettings.standAlone("node-2", directory.resolve("twin"), nextHop)
            .inCluster(List.of("127.0.0.1:" + member.clusterPort()), member.secret()));
  }

  /** Sends as a mail server does: after 451, which an election can cause, it tries again. */
  private void send(NodeProcess node, String to) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> reply(node, to), reply -> reply.startsWith("250 "));
    accepted.add(to);
  }

  private static String reply(NodeProcess node, String to) throws IOException {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      client.request("EHLO test");
      return client.send("a@it.test", List.of(to), MESSAGE);
    }
  }

  private static void awaitMembers(int count, NodeProcess... nodes) {
    for (NodeProcess node : nodes) {
      await()
          .alias(node.settings().id())
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                Map<String, String> statuses = node.http().nodeStatuses();
                return statuses.size() == count
                    && statuses.values().stream().allMatch("healthy"::equals);
              });
    }
  }

  private static void awaitVoters(int voters, int listeners, NodeProcess node) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              Map<String, String> roles = node.http().nodeRoles();
              long listening = roles.values().stream().filter("listener"::equals).count();
              return listening == listeners && roles.size() - listening == voters;
            });
  }

  /** The number of nodes that have a replica of the spool. */
  private static long replicas(String spool, LocalCluster cluster, NodeProcess... more) {
    return Stream.concat(cluster.nodes().stream(), Stream.of(more))
        .filter(node -> node.http().digests().containsKey(spool))
        .count();
  }
}
