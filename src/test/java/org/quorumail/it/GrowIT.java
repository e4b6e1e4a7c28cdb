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

/**
 * A cluster of the packaged program on loopback in the course of its life: nodes join, leave, are
 * lost, replaced and come back. A step begins where the one before has ended, since most of the
 * time goes into the start of nodes.
 */
@Order(2)
class GrowIT {
  /** A machine that runs other tests beside is several times slower. */
  private static final Duration LONG = Duration.ofMinutes(3);

  private static final byte[] MESSAGE =
      "Subject: hello\r\n\r\nhello\r\n".getBytes(StandardCharsets.US_ASCII);

  @TempDir private Path directory;
  private final int sinkPort = NodeSettings.freePort();
  private final String nextHop = "smtp://127.0.0.1:" + sinkPort;
  private final Set<String> accepted = new HashSet<>();
  private final Set<String> arrived = ConcurrentHashMap.newKeySet();

  @Test
  void aStandAloneNodeGrowsToFiveAndTheFiveShrinkToThree() throws Exception {
    NodeSettings alone = NodeSettings.standAlone("node-1", directory, nextHop);
    String secret = NodeSettings.cluster(3, directory, nextHop).getFirst().secret();
    List<String> seed = List.of("127.0.0.1:" + alone.clusterPort());
    try (NodeProcess before = new NodeProcess(alone)) {
      before.start();
      before.awaitReady(LONG);
      for (int i = 0; i < 20; i++) send(before, "alone" + i + "@sink.test");
      before.stop(LONG);
    }
    NodeSettings inCluster = alone.inCluster(seed, secret);
    inCluster.writeConfig();
    try (NodeProcess first = new NodeProcess(inCluster);
        NodeProcess second = joining("node-2", inCluster);
        NodeProcess third = joining("node-3", inCluster);
        NodeProcess fourth = joining("node-4", inCluster);
        NodeProcess fifth = joining("node-5", inCluster)) {
      first.start();
      first.awaitReady(LONG);
      assertThat(first.http().queueSize()).hasValue(20);
      send(first, "first@sink.test");
      growToThree(first, second, third);
      nodesThatDoNotBelongAreRefused(first, second, third);
      List<NodeProcess> all = List.of(first, second, third, fourth, fifth);
      growToFive(all);
      anyNodeAnswersForAll(all);
      theMailOfANodeIsDeliveredWithoutIt(all);
      oneLeavesAndARunningOneIsReplaced(all);
      theLastTwoNeedEachOther(first, second);
    }
  }

  private void growToThree(NodeProcess first, NodeProcess second, NodeProcess third)
      throws Exception {
    second.start();
    third.start();
    second.awaitReady(LONG);
    third.awaitReady(LONG);
    awaitMembers(3, first, second, third);
    awaitVoters(3, 0, second);
    awaitThreeReplicas(first, "node-1", "node-2", "node-3");
    send(second, "second@sink.test");
  }

  private void nodesThatDoNotBelongAreRefused(
      NodeProcess first, NodeProcess second, NodeProcess third) throws Exception {
    try (NodeProcess stranger = stranger(first);
        NodeProcess sameId = twin(first)) {
      second.kill(); // its id is known while it is down, too
      stranger.start();
      sameId.start();
      await().atMost(LONG).until(() -> !stranger.isRunning() && !sameId.isRunning());
      assertThat(stranger.logTail()).contains("have another secret").doesNotContain("\tat ");
      // by the map, or by the address that gossip still has of the member
      assertThat(sameId.logTail())
          .containsPattern("quorumail: (node.data_directory: .*|node.id: two nodes .*)node-2")
          .doesNotContain("\tat ");
    }
    second.start();
    second.awaitReady(LONG);
    awaitMembers(3, first, second, third);
    send(second, "still@sink.test");
  }

  private void growToFive(List<NodeProcess> all) throws Exception {
    NodeProcess fourth = all.get(3);
    fourth.start();
    fourth.awaitReady(LONG);
    awaitMembers(4, all.subList(0, 4).toArray(NodeProcess[]::new));
    awaitVoters(3, 1, all.getFirst());
    send(fourth, "fourth@sink.test");

    NodeProcess fifth = all.get(4);
    fifth.start();
    fifth.awaitReady(LONG);
    awaitMembers(5, all.toArray(NodeProcess[]::new));
    awaitVoters(5, 0, fifth);
    send(fifth, "fifth@sink.test");
    assertThat(replicas("spool-node-4", all)).isEqualTo(3);
    assertThat(replicas("spool-node-5", all)).isEqualTo(3);
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
        .atMost(LONG)
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

  /** First of the node that was alone, then of one that joined. */
  private void theMailOfANodeIsDeliveredWithoutIt(List<NodeProcess> all) throws Exception {
    // all remember who they are
    for (NodeProcess node : all) node.kill();
    for (NodeProcess node : all) node.start();
    for (NodeProcess node : all) node.awaitReady(LONG);
    awaitMembers(5, all.toArray(NodeProcess[]::new));
    NodeProcess first = all.getFirst();
    first.kill();
    try (SmtpSink sink = sink()) {
      awaitDelivery();
      send(all.get(2), "third@sink.test");
      awaitDelivery();
    }
    first.start();
    first.awaitReady(LONG);
    NodeProcess fourth = all.get(3);
    send(fourth, "after@sink.test");
    fourth.kill();
    try (SmtpSink sink = sink()) {
      awaitDelivery();
      send(all.get(1), "last@sink.test");
      awaitDelivery();
    }
    fourth.start();
    fourth.awaitReady(LONG);
    awaitMembers(5, all.toArray(NodeProcess[]::new));
  }

  private void oneLeavesAndARunningOneIsReplaced(List<NodeProcess> all) throws Exception {
    NodeProcess first = all.getFirst();
    NodeProcess second = all.get(1);
    NodeProcess third = all.get(2);
    NodeProcess fourth = all.get(3);
    NodeProcess fifth = all.get(4);
    send(fourth, "leaves@sink.test");
    assertThat(OperatorCommand.run(directory, fourth, "cluster", "leave").text()).contains("--yes");
    OperatorCommand.CommandResult left =
        OperatorCommand.run(directory, fourth, "cluster", "leave", "--yes");
    assertThat(left.text()).contains("node-4 leaves the cluster");
    assertThat(left.exitCode()).isZero();
    await().atMost(LONG).until(() -> !fourth.isRunning());
    assertThat(Files.readString(fourth.settings().logFile()))
        .contains("event=cluster_left node=node-4")
        .doesNotContain("\tat ")
        .doesNotContain("event=node_failed");
    awaitMembers(4, first, second, third, fifth);

    send(third, "replaced@sink.test");
    assertThat(replace(first, "node-3", "node-5").text()).contains("node-3 is replaced");
    await().atMost(LONG).until(() -> !third.isRunning()); // it ends by itself
    assertThat(Files.readString(third.settings().logFile()))
        .contains("event=cluster_left node=node-3")
        .doesNotContain("event=node_failed");
    awaitMembers(3, first, second, fifth);
    awaitVoters(3, 0, fifth);
    awaitThreeReplicas(first, "node-1", "node-2", "node-5");
    awaitThreeReplicasOrNone(first, "node-3", "node-4");
    send(fifth, "replacement@sink.test");
    try (SmtpSink sink = sink()) {
      awaitDelivery();
    }
    await()
        .atMost(LONG)
        .until(() -> first.http().replicas().keySet(), groups -> !groups.contains("spool-node-4"));
  }

  private void theLastTwoNeedEachOther(NodeProcess first, NodeProcess second) throws Exception {
    second.kill();
    awaitDisconnected("node-2", first);
    OperatorCommand.CommandResult refused =
        OperatorCommand.run(directory, first, "cluster", "leave", "--yes");
    assertThat(refused.text()).contains("has no majority without node-1", "start node-2 first");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(first.http().isReady()).isTrue();
  }

  @Test
  void lostNodesAreRemovedReplacedAndComeBack() throws Exception {
    try (LocalCluster three = LocalCluster.of(3, directory, nextHop);
        NodeProcess fourth = joining("node-4", three.node(0).settings());
        NodeProcess spare = joining("node-5", three.node(0).settings())) {
      three.start(LONG);
      fourth.start();
      fourth.awaitReady(LONG);
      NodeProcess first = three.node(0);
      NodeProcess lost = three.node(1);
      NodeProcess third = three.node(2);
      awaitMembers(4, first, lost, third, fourth);
      aLostNodeIsRemovedAndItsPlaceIsTaken(first, lost, third, fourth);
      itsIdIsFreeAgain(first, lost, third, fourth);
      aNodeThatWasDownDeletesWhatWasDissolvedMeanwhile(lost, List.of(first, third, fourth));
      aSpareNodeTakesAllPlacesOfALostOne(first, third, fourth, spare);
    }
  }

  private void aLostNodeIsRemovedAndItsPlaceIsTaken(
      NodeProcess first, NodeProcess lost, NodeProcess third, NodeProcess fourth) throws Exception {
    send(lost, "queued@sink.test");
    assertThat(remove(fourth, "node-2").text()).contains("node-2 is running");
    lost.kill();
    awaitDisconnected("node-2", fourth);
    assertThat(OperatorCommand.run(directory, fourth, "cluster", "remove", "node-2").text())
        .contains("--yes");
    OperatorCommand.CommandResult removed = remove(fourth, "node-2");
    assertThat(removed.text()).contains("node-2 is removed");
    assertThat(removed.exitCode()).isZero();
    awaitMembers(3, first, third, fourth);
    awaitVoters(3, 0, fourth);
    awaitThreeReplicas(first, "node-1", "node-3", "node-4");
    awaitThreeReplicasOrNone(first, "node-2");

    third.kill(); // one more may die now: all groups have the replacement
    send(first, "survivor@sink.test");
    send(fourth, "after@sink.test");
    try (SmtpSink sink = sink()) {
      awaitDelivery();
    }
    lost.start();
    await().atMost(LONG).until(() -> !lost.isRunning());
    assertThat(Files.readString(lost.settings().logFile()))
        .contains("node-2 was removed")
        .doesNotContain("\tat ");
    third.start();
    third.awaitReady(LONG);
  }

  /** The last of the mail is delivered, so another directory can have the id. */
  private void itsIdIsFreeAgain(
      NodeProcess first, NodeProcess lost, NodeProcess third, NodeProcess fourth) throws Exception {
    wipe(lost.settings().directory().resolve("data"));
    lost.start();
    lost.awaitReady(LONG);
    awaitMembers(4, first, lost, third, fourth);
    for (NodeProcess node : List.of(first, third, fourth)) {
      assertThat(Files.readString(node.settings().logFile()))
          .contains("event=spool_deleted spool=spool-node-2");
      assertThat(node.settings().directory().resolve("data/spool/spool-node-2")).doesNotExist();
    }
    try (SmtpSink sink = sink()) {
      send(lost, "again@sink.test");
      awaitDelivery();
    }
  }

  private void aNodeThatWasDownDeletesWhatWasDissolvedMeanwhile(
      NodeProcess leaving, List<NodeProcess> others) throws Exception {
    NodeProcess holder = others.stream().filter(GrowIT::holdsSecond).findFirst().orElseThrow();
    NodeProcess observer = others.stream().filter(n -> n != holder).findFirst().orElseThrow();
    holder.kill();
    awaitDisconnected(holder.settings().id(), observer);
    OperatorCommand.CommandResult left =
        OperatorCommand.run(directory, leaving, "cluster", "leave", "--yes");
    assertThat(left.exitCode()).as(left.text()).isZero();
    await().atMost(LONG).until(() -> !leaving.isRunning());
    await().atMost(LONG).until(() -> others.stream().noneMatch(GrowIT::holdsSecond));
    Path stores = holder.settings().directory().resolve("data/spool");
    assertThat(hasStoreOfSecond(stores)).isTrue();
    holder.start();
    holder.awaitReady(LONG);
    await().atMost(LONG).until(() -> !holdsSecond(holder) && !hasStoreOfSecond(stores));
    awaitMembers(3, others.toArray(NodeProcess[]::new));
  }

  private static boolean holdsSecond(NodeProcess node) {
    return node.http().replicas().containsKey("spool-node-2");
  }

  private static boolean hasStoreOfSecond(Path stores) throws IOException {
    try (Stream<Path> folders = Files.list(stores)) {
      return folders.anyMatch(f -> f.getFileName().toString().startsWith("spool-node-2"));
    }
  }

  private void aSpareNodeTakesAllPlacesOfALostOne(
      NodeProcess first, NodeProcess lost, NodeProcess fourth, NodeProcess spare) throws Exception {
    spare.start();
    spare.awaitReady(LONG);
    awaitMembers(4, first, lost, fourth, spare);
    awaitVoters(3, 1, first);
    send(lost, "queued-again@sink.test");
    assertRefused(first, "cannot replace itself", "node-3", "node-3");
    assertRefused(first, "no member of the cluster is called node-9", "node-9", "node-4");
    assertRefused(first, "no member of the cluster is called node-9", "node-3", "node-9");
    lost.kill();
    awaitDisconnected("node-3", first);
    OperatorCommand.CommandResult replaced = replace(first, "node-3", "node-5");
    assertThat(replaced.text()).contains("node-3 is replaced by node-5");
    assertThat(replaced.exitCode()).isZero();
    awaitMembers(3, first, fourth, spare);
    awaitVoters(3, 0, spare);
    awaitThreeReplicas(spare, "node-1", "node-4", "node-5");
    awaitThreeReplicasOrNone(spare, "node-3");
    fourth.kill(); // the others are a majority with the spare node
    send(spare, "spare@sink.test");
    try (SmtpSink sink = sink()) {
      awaitDelivery();
    }
  }

  private OperatorCommand.CommandResult remove(NodeProcess node, String id) throws Exception {
    return OperatorCommand.run(directory, node, "cluster", "remove", id, "--yes");
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

  /** One more node, which has the secret and knows one member. */
  private NodeProcess joining(String id, NodeSettings member) {
    return new NodeProcess(
        NodeSettings.standAlone(id, directory, nextHop)
            .inCluster(List.of("127.0.0.1:" + member.clusterPort()), member.secret()));
  }

  /** A node with another secret. */
  private NodeProcess stranger(NodeProcess member) {
    NodeSettings right = joining("node-9", member.settings()).settings();
    String wrong = NodeSettings.cluster(3, directory, nextHop).getFirst().secret();
    return new NodeProcess(
        right.inCluster(right.seeds(), wrong).withSections("join_timeout = \"5s\""));
  }

  /** A node with an empty directory and the id of a member. */
  private NodeProcess twin(NodeProcess member) {
    NodeSettings settings = member.settings();
    return new NodeProcess(
        NodeSettings.standAlone("node-2", directory.resolve("twin"), nextHop)
            .inCluster(List.of("127.0.0.1:" + settings.clusterPort()), settings.secret()));
  }

  private SmtpSink sink() throws IOException {
    return SmtpSink.start(
        SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()));
  }

  private void awaitDelivery() {
    await().atMost(LONG).untilAsserted(() -> assertThat(arrived).containsAll(accepted));
  }

  /** Sends as a mail server does: after 451, which an election can cause, it tries again. */
  private void send(NodeProcess node, String to) {
    await()
        .alias(node.settings().id())
        .atMost(LONG)
        .until(() -> reply(node, to), reply -> reply.startsWith("250 "));
    accepted.add(to);
  }

  private static String reply(NodeProcess node, String to) {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      client.request("EHLO test");
      return client.send("a@it.test", List.of(to), MESSAGE);
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static void awaitMembers(int count, NodeProcess... nodes) {
    for (NodeProcess node : nodes) {
      await()
          .alias(node.settings().id())
          .atMost(LONG)
          .until(
              () -> node.http().nodeStatuses(),
              statuses ->
                  statuses.size() == count
                      && statuses.values().stream().allMatch("healthy"::equals));
    }
  }

  private static void awaitDisconnected(String id, NodeProcess observer) {
    await()
        .alias(observer.settings().id())
        .atMost(LONG)
        .until(
            () -> observer.http().nodeStatuses(),
            statuses -> "disconnected".equals(statuses.get(id)));
  }

  private static void awaitVoters(int voters, int listeners, NodeProcess node) {
    await()
        .alias(node.settings().id())
        .atMost(LONG)
        .until(
            () -> node.http().nodeRoles(),
            roles -> {
              long listening = roles.values().stream().filter("listener"::equals).count();
              return listening == listeners && roles.size() - listening == voters;
            });
  }

  /** Waits until three members vote in each of these spools, as one of them sees it. */
  private static void awaitThreeReplicas(NodeProcess node, String... homes) {
    awaitReplicas(node, 0, homes);
  }

  /**
   * The same of the spools of removed nodes. Such a spool is dissolved at once when it is empty,
   * since its home has put its mail into the spool of another node during an election.
   */
  private static void awaitThreeReplicasOrNone(NodeProcess node, String... homes) {
    awaitReplicas(node, 3, homes);
  }

  private static void awaitReplicas(NodeProcess node, int ofMissing, String... homes) {
    await()
        .alias(node.settings().id())
        .atMost(LONG)
        .until(
            () -> node.http().replicas(),
            voters ->
                !voters.isEmpty()
                    && Stream.of(homes)
                        .allMatch(home -> voters.getOrDefault("spool-" + home, ofMissing) == 3));
  }

  /** The number of nodes that have a replica of the spool. */
  private static long replicas(String spool, List<NodeProcess> nodes) {
    return nodes.stream().filter(node -> node.http().digests().containsKey(spool)).count();
  }
}
