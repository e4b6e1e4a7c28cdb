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
import org.quorumail.tools.ChaosOptions;
import org.quorumail.tools.ChaosReport;
import org.quorumail.tools.ChaosRun;
import org.quorumail.tools.LocalCluster;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.SmtpSink;
import org.quorumail.tools.Workload;

/** Three nodes of the packaged program on loopback: mail survives when some die. */
@Order(1)
class ThreeNodesIT {
  private static final Duration START = Duration.ofSeconds(90);
  private static final byte[] MESSAGE =
      "Subject: hello\r\n\r\nhello\r\n".getBytes(StandardCharsets.US_ASCII);

  @TempDir private Path directory;

  @Test
  void nothingIsLostWhenANodeIsKilledAgainAndAgain() throws Exception {
    ChaosReport report =
        chaos(
            ChaosOptions.of(
                Workload.atRate(2000, 100),
                ChaosOptions.FaultSchedule.oneAtATime(
                    Duration.ofSeconds(1), Duration.ofSeconds(1))));
    assertThat(report.verdicts()).isEmpty();
    assertThat(report.kills()).isPositive();
    assertThat(report.account().delivered()).isEqualTo(2000);
  }

  @Test
  void aRollingRestartDeliversEachMessageOnce() throws Exception {
    ChaosReport report =
        chaos(
            ChaosOptions.of(
                Workload.atRate(1600, 40),
                ChaosOptions.FaultSchedule.rolling(Duration.ofSeconds(1))));
    assertThat(report.account().lost()).isEmpty();
    assertThat(report.account().duplicates()).isZero();
    assertThat(report.account().delivered()).isEqualTo(1600);
    assertThat(report.restarts().count()).as("while mail flowed").isGreaterThanOrEqualTo(2);
  }

  @Test
  void nothingIsLostWhenAllAreKilledAtOnce() throws Exception {
    ChaosReport report =
        chaos(
            ChaosOptions.of(
                Workload.atRate(1000, 200),
                ChaosOptions.FaultSchedule.allAtOnce(
                    Duration.ofSeconds(2), Duration.ofSeconds(1))));
    assertThat(report.verdicts()).isEmpty();
    assertThat(report.kills()).isEqualTo(3);
  }

  @Test
  void aMinorityNeverSays250AndSaysSoQuickly() throws Exception {
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(0), delivery -> {});
        LocalCluster cluster = LocalCluster.of(3, directory, "smtp://127.0.0.1:" + sink.port())) {
      cluster.start(START);
      var survivor = cluster.node(0).settings().smtpAddress();
      assertThat(SmtpTestClient.attempt(survivor, MESSAGE).reply()).startsWith("250 ");
      // the counts of the others arrive with their next report
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> cluster.node(1).http().metric("smtp_cluster_messages_total") == 1);
      cluster.node(1).kill();
      cluster.node(2).kill();
      for (int i = 0; i < 5; i++) {
        SmtpTestClient.TimedReply answer = SmtpTestClient.attempt(survivor, MESSAGE);
        assertThat(answer.reply()).matches("(451 4\\.3\\.0|421 4\\.3\\.2).*");
        assertThat(answer.duration()).isLessThan(Duration.ofSeconds(3));
      }
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> cluster.node(0).http().events().contains("PartitionDetected:"));
      assertThat(cluster.node(0).http().clusterState()).isEqualTo("Partitioned");
      cluster.node(1).start();
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> SmtpTestClient.attempt(survivor, MESSAGE).reply().startsWith("250 "));
      // the survivor sees it and reports it to the restarted node
      for (int i = 0; i < 2; i++) {
        var node = cluster.node(i).http();
        await()
            .atMost(Duration.ofSeconds(30))
            .until(() -> node.events().contains("PartitionHealed:"));
        assertThat(node.clusterState()).isNotEqualTo("Partitioned");
      }
    }
  }

  @Test
  void aDiskThatIsFullOrDamagedStopsItsNodeAndNobodyElse() throws Exception {
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    Set<String> accepted = new HashSet<>();
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "120m");
        SmtpSink sink =
            SmtpSink.start(
                SmtpSink.Options.onPort(0), delivery -> arrived.addAll(delivery.recipients()));
        LocalCluster cluster = LocalCluster.of(3, directory, "smtp://127.0.0.1:" + sink.port())) {
      NodeProcess third = cluster.node(2);
      disk.holdDataOf(third.settings(), "40MB");
      cluster.start(START);

      Path filler = Files.write(disk.path().resolve("filler"), new byte[60 << 20]);
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> send(third, "x@sink.test", accepted).startsWith("452 4.3.1"));
      assertThat(send(cluster.node(0), "a@sink.test", accepted)).startsWith("250 ");
      assertThat(send(cluster.node(1), "b@sink.test", accepted)).startsWith("250 ");
      Files.delete(filler);
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> send(third, "c@sink.test", accepted).startsWith("250 "));

      third.kill();
      Path segment = longestSegment(disk.path());
      byte[] whole = Files.readAllBytes(segment);
      byte[] damaged = whole.clone();
      damaged[100] ^= 0x40;
      Files.write(segment, damaged);
      third.start();
      await().atMost(Duration.ofSeconds(20)).until(() -> !third.isRunning());
      assertThat(third.logTail())
          .contains(segment.getFileName().toString(), "the other replicas have the mail")
          .doesNotContain("\tat ");
      assertThat(send(cluster.node(0), "d@sink.test", accepted)).startsWith("250 ");

      Files.write(segment, whole); // the copy of the disk that an operator has
      third.start();
      third.awaitReady(START);
      assertThat(cluster.compareDigests(Duration.ofSeconds(20))).isEmpty();
      await().atMost(Duration.ofSeconds(20)).until(() -> arrived.containsAll(accepted));
    }
  }

  /** The reply to the last command that was answered by 250, or to the one that was not. */
  private static String send(NodeProcess node, String to, Set<String> accepted) throws IOException {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      client.request("EHLO test");
      String reply = client.send("a@it.test", List.of(to), MESSAGE);
      if (reply.startsWith("250 ")) accepted.add(to);
      return reply;
    }
  }

  private static Path longestSegment(Path data) throws IOException {
    try (Stream<Path> files = Files.walk(data)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("log_inprogress_"))
          .max(Comparator.comparingLong(f -> f.toFile().length()))
          .orElseThrow();
    }
  }

  private ChaosReport chaos(ChaosOptions options) throws Exception {
    ChaosOptions bounded = options.withTimeout(Duration.ofMinutes(4));
    return new ChaosRun(bounded, System.out, System.out).measure(directory);
  }
}
