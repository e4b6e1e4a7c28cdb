package org.quorumail.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.Api;
import org.quorumail.api.ControlSocket;
import org.quorumail.api.FakeCluster;
import org.quorumail.api.FakeNode;
import org.quorumail.api.QueueCriteria;
import org.quorumail.api.QueueView;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.metrics.Metrics;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigResult;
import org.quorumail.node.ConfigSources;
import picocli.CommandLine;

class CommandLineInterfaceTest {
  @TempDir Path folder;
  private FakeNode node;
  private Metrics metrics;
  private ControlSocket socket;
  private Path path;
  private String out = "";
  private String err = "";

  @BeforeEach
  void start() throws IOException {
    node = new FakeNode(folder, Map.of());
    metrics = new Metrics();
    path = folder.resolve("control.sock");
    socket = ControlSocket.start(new Api(node, node, node, node, node, Optional.of(metrics)), path);
  }

  @AfterEach
  void stop() throws IOException {
    socket.close();
    metrics.close();
  }

  @Test
  void theQueueIsListedAsAnAlignedTable() {
    assertThat(onNode("queue", "list")).isEqualTo(ExitCode.DONE);
    String[] lines = out.split("\n");
    assertThat(lines).hasSize(3);
    assertThat(lines[0]).startsWith("ID").contains("STATUS", "SENDER");
    assertThat(lines[1]).startsWith(node.first.toString()).contains("retry", "sender@example.org");
  }

  @Test
  void aReplyIsClassifiedWithoutANodeAndByTheNode() throws IOException {
    Path rules = folder.resolve("rules.toml");
    Files.writeString(
        rules, "[[rule]]\nname = 'ours'\nclass = 'policy'\ntext = ['ask ann']\naction = 'fail'\n");
    Path replies = folder.resolve("replies");
    Files.writeString(replies, "550 5.1.1 no such user\n\n450 4.0.0 ask Ann\n");
    assertThat(run("queue", "classify", "--rules", rules.toString(), "--file", replies.toString()))
        .isEqualTo(ExitCode.DONE);
    assertThat(out.lines().skip(1).map(l -> l.replaceAll(" +", " ")))
        .containsExactly(
            "bad-mailbox certain-mailbox none 550 5.1.1 no such user",
            "policy ours fail 450 4.0.0 ask Ann");
    Files.writeString(rules, "[[rule]]\nname = 'ours'\n");
    assertThat(run("queue", "classify", "--rules", rules.toString(), "450 x"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("rules.toml:1: ");
    assertThat(onNode("queue", "classify", "--live", "550 5.1.1 x")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("bad-mailbox", "550 5.1.1 x");
    assertThat(run("queue", "classify")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void theListShowsWhoWaitsAndWhy() {
    onNode("queue", "list");
    assertThat(out.lines().skip(1))
        .allSatisfy(
            line ->
                assertThat(line)
                    .contains(
                        "you@example.net,two@example.net,three@example.net,+1", "451 4.3.0 later")
                    .doesNotContain("done@example.net", "250 2.0.0"));
  }

  @Test
  void aMessageIsShownWithItsHeaderAndTheFirstLinesOfItsBody() {
    for (String command : List.of("queue", "spool")) {
      assertThat(onNode(command, "view", node.first.toString())).isEqualTo(ExitCode.DONE);
      assertThat(out).contains("Subject: a \\u001b[2J test\n\nline\n").endsWith("line\n[…]\n");
      assertThat(out.lines().filter("line"::equals)).hasSize(10);
    }
    onNode("queue", "view", node.first.toString(), "--format", "json");
    assertThat(out).contains("\"header\" : \"Subject: a");
  }

  @Test
  void theQueueIsFilteredByStatus() {
    onNode("queue", "list", "--status", "pending");
    assertThat(out).contains(node.second.toString()).doesNotContain(node.first.toString());
  }

  @Test
  void jsonIsForScripts() {
    onNode("cluster", "status", "--format", "json");
    assertThat(
            tools.jackson.databind.json.JsonMapper.shared().readTree(out).path("state").asString())
        .isEqualTo("Healthy");
  }

  @Test
  void aMessageIsHeldAndReleased() {
    assertThat(onNode("queue", "hold", node.first.toString())).isEqualTo(ExitCode.DONE);
    assertThat(node.statuses.get(node.first)).isEqualTo("held");
    assertThat(onNode("queue", "release", "--status", "held")).isEqualTo(ExitCode.DONE);
    assertThat(node.statuses.get(node.first)).isEqualTo("pending");
  }

  @Test
  void deletingWantsConfirmation() {
    assertThat(onNode("queue", "delete", node.first.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(node.statuses).containsKey(node.first);
    assertThat(onNode("queue", "delete", node.first.toString(), "--yes")).isEqualTo(ExitCode.DONE);
    assertThat(node.statuses).doesNotContainKey(node.first);
  }

  @Test
  void whatAFilterSelectsIsCountedBeforeItIsChanged() {
    assertThat(onNode("queue", "count", "--class", "network", "--error", "later"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).isEqualTo("2\n");
    assertThat(node.filters.getLast())
        .isEqualTo(new QueueCriteria("", "", "", "", 0, 0, 0, "later", "network"));
    List<String> filter =
        List.of("--recipient", "a@b", "--larger", "1KB", "--attempts", "2", "--status", "retry");
    List<String> command = new ArrayList<>(List.of("queue", "delete", "--count"));
    command.addAll(filter);
    assertThat(onNode(command.toArray(String[]::new))).isEqualTo(ExitCode.DONE);
    assertThat(out).isEqualTo("1\n");
    assertThat(node.filters.getLast())
        .isEqualTo(new QueueCriteria("retry", "", "a@b", "", 0, 1024, 2, "", ""));
    assertThat(node.commands).isEmpty();
    assertThat(onNode("queue", "hold", "--class", "netwrk")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("did you mean network?");
    assertThat(onNode("queue", "hold", "--count", node.first.toString())).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void whatWaitsIsDividedWithItsAges() {
    assertThat(onNode("queue", "stats", "--by", "destination")).isEqualTo(ExitCode.DONE);
    assertThat(out.lines().map(l -> l.strip().replaceAll(" +", " ")))
        .containsExactly(
            "WAITING BYTES OLDEST <5m <30m <2h <12h <1d <3d MORE DESTINATION",
            "2 8192 7200s 1 - - 1 - - - example.net",
            "3 more wait with values that are not shown");
    assertThat(onNode("queue", "stats", "--by", "colour")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("destination, sender, error, class");
  }

  @Test
  void bouncingWantsConfirmationAndHasAReason() {
    assertThat(onNode("queue", "bounce", node.first.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("confirm with --yes");
    assertThat(onNode("queue", "bounce", "--status", "retry", "--yes", "--reason", "sent & wrong"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).isEqualTo(node.first + " bounced\n");
    assertThat(onNode("queue", "bounce", node.second.toString(), "--yes", "--silent"))
        .isEqualTo(ExitCode.DONE);
    assertThat(node.commands)
        .containsExactly(
            new OperatorCommand.Bounce("sent & wrong", false),
            new OperatorCommand.Bounce("", true));
  }

  @Test
  void changingEverythingByOmissionIsRefused() {
    assertThat(onNode("queue", "hold")).isEqualTo(ExitCode.USAGE);
    assertThat(node.statuses).containsEntry(node.first, "retry");
  }

  @Test
  void allThatFitAFilterAreChangedUnlessALimitIsSet() {
    for (int i = 0; i < 700; i++) {
      node.statuses.put(QueueId.generate(Instant.ofEpochSecond(3_000 + i)), "pending");
    }
    onNode("queue", "list", "--status", "pending");
    assertThat(out.lines()).hasSize(1 + 100);
    onNode("queue", "hold", "--status", "pending", "--limit", "50");
    assertThat(node.statuses.values()).filteredOn("held"::equals).hasSize(50);
    assertThat(onNode("queue", "delete", "--sender", "sender@", "--yes")).isEqualTo(ExitCode.DONE);
    assertThat(node.statuses).isEmpty();
    assertThat(onNode("queue", "delete", "--sender", "sender@", "--yes"))
        .isEqualTo(ExitCode.NOT_FOUND);
    assertThat(onNode("queue", "list", "--limit", "0")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void whatIsHeldIsLeftAloneByARetryAndTheOthersAreNot() {
    node.statuses.put(node.first, "held");
    node.statuses.put(node.second, "retry");
    assertThat(onNode("queue", "retry", "--sender", "sender@")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("1 skipped", "release it");
    assertThat(node.statuses)
        .containsEntry(node.first, "held")
        .containsEntry(node.second, "pending");
    assertThat(onNode("queue", "retry", "--status", "held", "--force")).isEqualTo(ExitCode.DONE);
    assertThat(node.statuses).containsEntry(node.first, "pending");
  }

  @Test
  void aMessageThatIsNotThereIsExitThree() {
    assertThat(onNode("queue", "view", "01ARZ3NDEKTSV4RRFFQ69G5FAV")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(err).contains("no message with this id");
  }

  @Test
  void aListNamesTheSpoolsOfWhichNoReplicaAnswers() {
    node.missing = new QueueView.MissingPart(List.of("n2", "n3"), List.of("spool-n2"));
    assertThat(onNode("queue", "list")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains(node.first.toString()).doesNotContain("spool-n2");
    assertThat(err).isEqualTo("n2, n3 do not answer: spool-n2 may have more mail\n");
    assertThat(onNode("queue", "stats")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("total: 2").doesNotContain("missing");
    assertThat(err).contains("spool-n2 may have more mail");
    assertThat(onNode("queue", "hold", "--status", "retry")).isEqualTo(ExitCode.DONE);
    assertThat(err).contains("spool-n2 may have more mail");
    node.missing = new QueueView.MissingPart(List.of("n2"), List.of());
    onNode("queue", "list");
    assertThat(err).as("nothing is missing").isEmpty();
  }

  @Test
  void anOrderCountsTheNodesThatItReachesAndNamesTheOthers() throws IOException {
    FakeCluster cluster = new FakeCluster();
    for (String id : List.of("n1", "n2", "n3")) {
      FakeNode other = id.equals("n1") ? node : new FakeNode(folder, Map.of());
      other.hosts = node.hosts;
      other.suspended = node.suspended;
      cluster.add(id, other);
      cluster.spools.put("spool-" + id, List.of(id));
    }
    cluster.silent.add("n3");
    socket.close();
    Api api = new Api(node, node, node, node, node, Optional.of(metrics), cluster.from("n1"));
    socket = ControlSocket.start(api, path);
    Map<List<String>, String> texts =
        Map.of(
            List.of("queue", "process-now"),
            "has started on 2 nodes",
            List.of("queue", "reroute", "--domain", "a.test", "--to", "b.test:25"),
            "a.test is routed to b.test:25 on 2 nodes, 2 waiting messages are due now");
    texts.forEach(
        (command, text) -> {
          assertThat(onNode(command.toArray(String[]::new))).isEqualTo(ExitCode.DONE);
          assertThat(out).contains(text);
          assertThat(err).isEqualTo("n3 does not answer: repeat the order when all answer\n");
        });
    assertThat(onNode("queue", "suspend", "--domain", "a.test", "--for", "1m", "--reason", "full"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).isEqualTo("a.test is suspended for 60 s, until 2026-11-21T02:00:00Z\n");
    assertThat(err).isEmpty();
    assertThat(onNode("queue", "suspensions")).isEqualTo(ExitCode.DONE);
    assertThat(out)
        .matches(
            """
            DOMAIN +SECONDS-LEFT +UNTIL +AUTHOR +REASON +NODES
            a.test +60 +2026-11-21T02:00:00Z +user:\\S+ +full +n1,n2
            """);
    onNode("dns", "list-overrides");
    assertThat(out).contains("NODES").containsPattern("a.test .* n1,n2");
    onNode("spool", "stats");
    assertThat(out).contains("node: n1");
    assertThat(onNode("queue", "resume", "--domain", "a.test")).isEqualTo(ExitCode.DONE);
    assertThat(onNode("dns", "remove-override", "a.test")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("by its MX again");
    assertThat(onNode("queue", "view", "01ARZ3NDEKTSV4RRFFQ69G5FAV")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("on the nodes that answer; n3 does not");
  }

  @Test
  void aTraceShowsTheStateOfEachRecipientAndEachEvent() {
    assertThat(onNode("trace", node.first.toString())).isEqualTo(ExitCode.DONE);
    assertThat(out)
        .contains("id: " + node.first, "message_id: <4711@example.org>", "sender: ada@example.org")
        .containsPattern("bob@example.net +queued +2026-11-21T00:00:00Z +0 +-\n")
        .contains(
            "2026-11-21T00:00:00Z accepted recipients=[\"bob@example.net\"] client=192.0.2.7\n");
    assertThat(onNode("trace", "--recipient", "bob@example.net", "--format", "json"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).contains(node.first.toString(), node.second.toString());
    assertThat(onNode("trace", "--recipient", "bob@example.net", "--limit", "1"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).contains(node.first.toString()).doesNotContain(node.second.toString());
    assertThat(onNode("trace", "--sender", "eve@example.net")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(out).contains("no message is found");
    assertThat(onNode("trace", "01ARZ3NDEKTSV4RRFFQ69G5FAV")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(err).contains("no event of a message with this id is known");
    assertThat(onNode("trace")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("give a queue id, --recipient, --sender or --message-id");
    assertThat(onNode("trace", "--recipient", "a@b.test", "--limit", "0"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("limit is 1 to 100");
  }

  @Test
  void maintenanceIsWaitedForAndItsEndIsOneCommand() {
    node.deliveries.set(2);
    assertThat(onNode("maintenance", "enter", "--reason", "new disk", "--target", "n2,n3"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out)
        .contains("draining: 0 transactions, 2 deliveries, leads -")
        .contains("state: maintenance")
        .contains("reason: new disk")
        .contains("targets: n2, n3");
    assertThat(onNode("maintenance", "status", "--format", "json")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("\"migrate\" : true");
    assertThat(onNode("maintenance", "exit")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("state: active");
    node.maintenanceRefusal = "n1 is the only node";
    assertThat(onNode("maintenance", "enter")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("n1 is the only node");
    assertThat(onNode("maintenance", "enter", "--drain-timeout", "2h")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("1s to 1h");
  }

  @Test
  void noQuorumIsExitOne() {
    node.quorum = false;
    assertThat(onNode("queue", "retry", node.first.toString())).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("no quorum");
  }

  @Test
  void aNodeThatDoesNotRunIsExitFour() throws IOException {
    socket.close();
    assertThat(onNode("system", "ping")).isEqualTo(ExitCode.UNREACHABLE);
    assertThat(err).contains(path.toString()).doesNotContain("\tat ");
  }

  @Test
  void aNodeAnswersPingAndStatusAndShutdown() {
    assertThat(onNode("system", "ping")).isEqualTo(ExitCode.DONE);
    assertThat(out).isEqualTo("pong\n");
    assertThat(onNode("system", "status")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("version: 1.2.3", "state: ready");
    assertThat(onNode("system", "reload")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("changed: log.level", "need a restart: node.id");
    node.reloadProblems = List.of("q.toml:3: cluster.secret: must be at least 32 bytes in base64");
    assertThat(onNode("system", "reload")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("q.toml:3: cluster.secret: must be");
    assertThat(onNode("system", "shutdown")).isEqualTo(ExitCode.DONE);
    assertThat(node.stopped).isTrue();
  }

  @Test
  void spoolsAndClusterAreTables() {
    onNode("spool", "list");
    assertThat(out).contains("IN-DOUBT", "spool-n1");
    onNode("spool", "digests");
    assertThat(out).contains("SHA256");
    onNode("cluster", "nodes");
    assertThat(out).contains("n1", "leader");
    onNode("cluster", "leader");
    assertThat(out).isEqualTo("n1\n");
    onNode("cluster", "replication");
    assertThat(out).contains("meta");
    assertThat(onNode("cluster", "node", "n9")).isEqualTo(ExitCode.NOT_FOUND);
  }

  @Test
  void aSecretHasThirtyTwoRandomBytes() {
    run("cluster", "secret");
    String first = out;
    run("cluster", "secret");
    assertThat(Base64.getDecoder().decode(out.strip())).hasSize(32);
    assertThat(out).isNotEqualTo(first);
  }

  @Test
  void aNewClusterIsWrittenOnce() {
    String target = folder.resolve("cluster").toString();
    assertThat(run("cluster", "create", "--nodes", "2", "--dir", target)).isEqualTo(ExitCode.DONE);
    assertThat(out.lines()).hasSize(2).allMatch(line -> line.endsWith("quorumail.toml"));
    assertThat(err).contains("two nodes accept no mail");
    assertThat(run("check", "-c", out.lines().findFirst().orElseThrow())).isEqualTo(ExitCode.DONE);
    assertThat(run("cluster", "create", "--dir", target)).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("exists already");
    assertThat(run("cluster", "create", "--dir", target, "--hosts", "a,b,c", "--start"))
        .isEqualTo(ExitCode.USAGE);
  }

  @Test
  void aNodeIsReplacedRemovedAndLeaves() {
    assertThat(onNode("cluster", "replace", "n2", "n3")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("--yes");
    assertThat(onNode("cluster", "replace", "n2", "n3", "--yes")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("n2 is replaced by n3");
    assertThat(onNode("cluster", "replace", "n9", "n3", "--yes")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("no member is called n9");
    assertThat(onNode("cluster", "leave")).isEqualTo(ExitCode.USAGE);
    assertThat(onNode("cluster", "leave", "--yes")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("n1 leaves the cluster");
  }

  @Test
  void aDomainIsSuspendedResumedAndRerouted() {
    assertThat(onNode("queue", "suspend", "--domain", "Example.org", "--for", "2h"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).contains("example.org", "7200");
    onNode("queue", "suspensions");
    assertThat(out).contains("example.org");
    assertThat(onNode("queue", "resume", "--domain", "example.org")).isEqualTo(ExitCode.DONE);
    assertThat(onNode("queue", "resume", "--domain", "example.org")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(onNode("queue", "suspend", "--domain", "no domain")).isEqualTo(ExitCode.USAGE);
    assertThat(onNode("queue", "reroute", "--domain", "example.org", "--to", "mx.test:2525"))
        .isEqualTo(ExitCode.DONE);
    assertThat(node.hosts).containsEntry("example.org", "mx.test:2525");
  }

  @Test
  void theConfigurationOfTheClusterIsSetShownComparedAndRolledBack() throws IOException {
    Path file = folder.resolve("shared.toml");
    Files.writeString(file, "[relay]\ndomains = [\"a.test\"]\n");
    assertThat(onNode("cluster", "config", "get")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(onNode("cluster", "config", "validate", file.toString())).isEqualTo(ExitCode.DONE);
    assertThat(onNode("cluster", "config", "set", file.toString(), "--comment", "one"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out).startsWith("version 1 is accepted");
    Files.writeString(file, "[relay]\ndomains = [\"b.test\"]\n");
    assertThat(onNode("cluster", "config", "set", file.toString(), "--base", "0"))
        .isEqualTo(ExitCode.FAILED);
    assertThat(onNode("cluster", "config", "set", file.toString(), "--base", "1"))
        .isEqualTo(ExitCode.DONE);
    onNode("cluster", "config", "get");
    assertThat(out).isEqualTo("[relay]\ndomains = [\"b.test\"]\n");
    onNode("cluster", "config", "get", "1");
    assertThat(out).contains("a.test");
    onNode("cluster", "config", "diff");
    assertThat(out).isEqualTo(" [relay]\n-domains = [\"a.test\"]\n+domains = [\"b.test\"]\n");
    assertThat(onNode("cluster", "config", "rollback", "1")).isEqualTo(ExitCode.DONE);
    assertThat(out).startsWith("version 3 is accepted");
    onNode("cluster", "config", "history");
    assertThat(out).contains("VERSION", "rollback to version 1").contains("one");
    onNode("cluster", "config", "status");
    assertThat(out).contains("n1", "3", "relay.domains").doesNotContain("<>");
    assertThat(onNode("cluster", "config", "set", "log.level", "debug")).isEqualTo(ExitCode.DONE);
    assertThat(out).startsWith("version 4 is accepted");
    onNode("cluster", "config", "get");
    assertThat(out).isEqualTo("[relay]\ndomains = [\"a.test\"]\n[log]\nlevel = \"debug\"\n");
    assertThat(onNode("cluster", "config", "unset", "relay.domains", "--base", "3"))
        .isEqualTo(ExitCode.FAILED);
    assertThat(onNode("cluster", "config", "unset", "relay.domains")).isEqualTo(ExitCode.DONE);
    onNode("cluster", "config", "get");
    assertThat(out).isEqualTo("[relay]\n[log]\nlevel = \"debug\"\n");
    onNode("cluster", "config", "history");
    assertThat(out).contains("set log.level", "unset relay.domains");
    assertThat(onNode("cluster", "config", "unset", "no.key")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("no.key is not set");
    assertThat(onNode("cluster", "config", "set", "bad", "1")).isEqualTo(ExitCode.USAGE);
    Files.writeString(file, "bad = 1\n");
    assertThat(onNode("cluster", "config", "set", file.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("configuration:1: bad: unknown key");
    assertThat(onNode("cluster", "config", "validate", file.toString())).isEqualTo(ExitCode.USAGE);
    Path tooLong = Files.write(folder.resolve("long.toml"), new byte[(64 << 10) + 1]);
    assertThat(onNode("cluster", "config", "set", tooLong.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("long.toml has more than 64 KiB");
    assertThat(onNode("cluster", "config", "set", folder.resolve("none").toString()))
        .isEqualTo(ExitCode.USAGE);
  }

  @Test
  void overridesAreSetListedAndRemovedAndTheCacheIsShownAndCleared() {
    assertThat(onNode("dns", "set-override", "example.org", "relay.test:25"))
        .isEqualTo(ExitCode.DONE);
    onNode("dns", "list-overrides");
    assertThat(out).contains("example.org", "relay.test:25", "operator");
    assertThat(onNode("dns", "remove-override", "example.org")).isEqualTo(ExitCode.DONE);
    assertThat(onNode("dns", "remove-override", "example.org")).isEqualTo(ExitCode.NOT_FOUND);
    onNode("dns", "list-cache");
    assertThat(out).contains("mx.example.org.", "60");
    onNode("dns", "clear-cache");
    assertThat(out).contains("1 answers");
    onNode("dns", "refresh", "example.org");
    assertThat(out).contains("mx.example.org");
  }

  @Test
  void theWayOfAnAddressIsShown() {
    assertThat(onNode("routes", "test", "user@example.org")).isEqualTo(ExitCode.DONE);
    assertThat(out)
        .contains("user@example.org takes mx:example.org by mx", "  mx.example.org[192.0.2.25]:25");
    assertThat(onNode("routes", "test", "user@nowhere.test")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("does not exist");
  }

  @Test
  void theSpoolIsCleanedUpAndTheLeaderHandsOver() {
    assertThat(onNode("spool", "cleanup-completed")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("4096");
    assertThat(onNode("cluster", "elect")).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("n2 leads");
    node.quorum = false;
    assertThat(onNode("cluster", "elect")).isEqualTo(ExitCode.FAILED);
    assertThat(err).contains("no other node");
  }

  @Test
  void aScriptOfTheSinkWithAFaultIsRefusedWithFileAndLine() throws IOException {
    Path script = Files.writeString(folder.resolve("script"), "rcpt close\nrcpt reply 200 Ok\n");
    assertThat(run("sink", "--port", "0", "--script", script.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains(script + ":2: a reply is a code from 400 to 599");
    assertThat(run("sink", "--script", folder.resolve("none").toString()))
        .isEqualTo(ExitCode.USAGE);
  }

  @Test
  void theFirstMessageOfTheReadmeGoesToTheSink() throws IOException {
    assertThat(Files.readString(Path.of("README.md")))
        .contains("\n./quorumail sink ", "\n./quorumail serve -c docs/first-mail.toml ");
    Path file = Path.of("docs/first-mail.toml");
    ConfigResult result = new ConfigSources(Map.of(), Map.of(), Optional.of(file)).read();
    assertThat(result).isInstanceOf(ConfigResult.Valid.class);
    String port =
        Objects.requireNonNull(
                CommandLineInterface.commandLine(NO_NODE, "sink").getSubcommands().get("sink"))
            .getCommandSpec()
            .findOption("--port")
            .defaultValue();
    Config config = ((ConfigResult.Valid) result).config();
    assertThat(config.routes()).singleElement().asString().contains("host=127.0.0.1:" + port + ",");
  }

  @Test
  void helpIsACommandToo() {
    assertThat(help("help")).containsExactly("--help");
    assertThat(help("help", "queue", "list")).containsExactly("queue", "list", "--help");
    assertThat(help("queue", "help")).containsExactly("queue", "--help");
    assertThat(help("queue", "view", "help")).containsExactly("queue", "view", "help");
    assertThat(run(help("help", "queue", "list"))).isEqualTo(ExitCode.DONE);
    assertThat(out).contains("Usage: quorumail queue list", "--older-than");
    assertThat(run(help("help", "quee"))).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("queue");
  }

  private static String[] help(String... args) {
    return CommandLineInterface.helpAsOption(Set.of("queue", "system"), args);
  }

  @Test
  void aWatchRedrawsATerminalAndOnlyAppendsToAPipe() {
    var stats = tools.jackson.databind.json.JsonMapper.shared().readTree("{\"total\": 3}");
    StringWriter terminal = new StringWriter();
    StringWriter pipe = new StringWriter();
    for (int i = 0; i < 2; i++) {
      QueueCommand.printStats(stats, true, new PrintWriter(terminal, true));
      QueueCommand.printStats(stats, false, new PrintWriter(pipe, true));
    }
    assertThat(terminal.toString()).isEqualTo("\033[H\033[Jtotal: 3\n".repeat(2));
    assertThat(pipe.toString()).isEqualTo("total: 3\n".repeat(2));
  }

  @Test
  void wrongUsageIsExitTwoWithASuggestion() {
    assertThat(run("queu")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("queue");
    assertThat(run("queue")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("list");
    assertThat(run("queue", "list", "--limit", "x")).isEqualTo(ExitCode.USAGE);
    assertThat(onNode("queue", "list", "--status", "bogus")).isEqualTo(ExitCode.USAGE);
    assertThat(onNode("queue", "list", "--older-than", "soon")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void aWrongConfigurationIsExitTwoWithEveryProblem() throws IOException {
    Path file = Files.writeString(folder.resolve("bad.toml"), "hostnam = 'x'\n[node]\nid = 5\n");
    assertThat(run("check", "-c", file.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains(file + ":1: hostnam", "did you mean hostname?", file + ":3: node.id");
    assertThat(run("serve", "--dry-run", "-c", file.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(run("serve", "-c", file.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(run("check", "-c", folder.resolve("none").toString())).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void everyCommandHasAnExampleInItsHelp() {
    Set<String> without = new TreeSet<>();
    tree(
        commandLine(),
        "",
        (name, command) -> {
          String help = command.getUsageMessage();
          if (!help.contains("Example")) without.add(name);
        });
    assertThat(without).isEmpty();
  }

  @Test
  void aFileThatTheConfigurationNamesAndThatCannotBeUsedFailsTheCheck() {
    ServeCommand.NodeRunner node =
        new ServeCommand.NodeRunner() {
          @Override
          public void run(ConfigResult.Valid config, ConfigSources sources) {}

          @Override
          public List<String> fileProblems(ConfigResult.Valid config) {
            return List.of("tls.certificate: there is no file x.pem");
          }
        };
    for (String[] args : List.of(new String[] {"check"}, new String[] {"serve", "--dry-run"})) {
      StringWriter output = new StringWriter();
      CommandLine line = CommandLineInterface.commandLine(node);
      line.setOut(new PrintWriter(output, true)).setErr(new PrintWriter(output, true));
      assertThat(line.execute(args)).isEqualTo(ExitCode.USAGE);
      assertThat(output.toString())
          .contains("tls.certificate: there is no file x.pem", "1 problem")
          .doesNotContain("is valid");
    }
  }

  @Test
  void aCommandIsFoundUnderTheNameThatItsHelpShows() {
    commandLine()
        .getSubcommands()
        .forEach(
            (word, sub) -> {
              CommandLine.Command described =
                  sub.getCommand().getClass().getAnnotation(CommandLine.Command.class);
              assertThat(described.name()).isEqualTo(word);
            });
  }

  @Test
  void onlyTheCommandThatIsAskedForIsDescribedAndAllOfThemForHelpAndMisspellings() {
    assertThat(CommandLineInterface.commandLine(NO_NODE, "queue", "list").getSubcommands())
        .containsOnlyKeys("queue");
    assertThat(CommandLineInterface.commandLine(NO_NODE, "--help").getSubcommands())
        .hasSize(commandLine().getSubcommands().size());
    assertThat(CommandLineInterface.commandLine(NO_NODE, "quee").getSubcommands())
        .hasSize(commandLine().getSubcommands().size());
  }

  @Test
  void theDocumentationNamesEveryCommandAndNoOther() throws IOException {
    Set<String> inProgram = new TreeSet<>();
    tree(
        commandLine(),
        "",
        (name, command) -> {
          if (command.getSubcommands().isEmpty()) inProgram.add(name);
        });
    Set<String> documented = new TreeSet<>();
    Matcher m =
        Pattern.compile("^\\| `([a-z -]+)", Pattern.MULTILINE)
            .matcher(Files.readString(Path.of("docs/cli.md")));
    while (m.find()) documented.add(m.group(1).strip());
    assertThat(documented).isEqualTo(inProgram);
  }

  @Test
  void aSimulationThatTheMemoryCannotHoldIsRefusedBeforeItStarts() {
    assertThat(run("sim", "gossip", "--nodes", "20000", "--partition", "60s"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("GB of memory", "--nodes", "QUORUMAIL_JAVA_OPTS=-Xmx");
  }

  private interface Visitor {
    void visit(String name, CommandLine command);
  }

  private static void tree(CommandLine command, String name, Visitor visitor) {
    visitor.visit(name, command);
    command
        .getSubcommands()
        .forEach((word, sub) -> tree(sub, (name + " " + word).strip(), visitor));
  }

  @Test
  void changesOfTheMembersNeedFourNodesAndNoOtherFaults() {
    assertThat(run("chaos", "--membership")).isEqualTo(ExitCode.USAGE);
    assertThat(err).contains("--membership needs --nodes 4 or more");
    for (String other : List.of("--rolling", "--pause", "--kill-all-at=3s")) {
      assertThat(run("chaos", "--membership", "--nodes", "4", other))
          .as(other)
          .isEqualTo(ExitCode.USAGE);
    }
  }

  private int onNode(String... args) {
    String[] all = java.util.Arrays.copyOf(args, args.length + 2);
    all[args.length] = "-s";
    all[args.length + 1] = path.toString();
    return run(all);
  }

  private int run(String... args) {
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    int exit =
        commandLine()
            .setOut(new PrintWriter(outText, true))
            .setErr(new PrintWriter(errText, true))
            .execute(args);
    out = outText.toString();
    err = errText.toString();
    return exit;
  }

  private static final ServeCommand.NodeRunner NO_NODE =
      (config, sources) -> {
        throw new ServeCommand.NodeRunner.StartException("not in this test");
      };

  /** All commands are there: no argument names one. */
  private static CommandLine commandLine() {
    return CommandLineInterface.commandLine(NO_NODE);
  }

  @Test
  void whatHoldsForEveryCommandMayStandBeforeItsName() {
    String[] given = {"-s", "a.sock", "--format=json", "queue", "list", "--limit", "3"};
    assertThat(CommandLineInterface.globalOptionsLast(given))
        .containsExactly("queue", "list", "--limit", "3", "-s", "a.sock", "--format=json");
    assertThat(CommandLineInterface.globalOptionsLast(new String[] {"-c"})).containsExactly("-c");
  }
}
