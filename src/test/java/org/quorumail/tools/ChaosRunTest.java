package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kill-and-count test passes a good server and notices each fault of a bad one. */
class ChaosRunTest {
  private final PrintStream nowhere =
      new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);

  @TempDir private Path directory;

  @AfterEach
  void forgetTheHome() {
    System.clearProperty("quorumail.home");
  }

  @Test
  void aServerThatKeepsItsMailPasses() throws Exception {
    ChaosReport report =
        run(FakeMailServer.Fault.NONE, new SmtpSink.Options(0, Duration.ZERO, 0, 0, 0, 1));
    assertThat(report.verdicts()).isEmpty();
    assertThat(report.kills()).isEqualTo(2);
    assertThat(report.account().acknowledged()).isEqualTo(200);
    assertThat(report.account().delivered()).isEqualTo(200);
  }

  @Test
  void aServerThatForgetsItsMailIsFoundOut() throws Exception {
    SmtpSink.Options slow = SmtpSink.Options.onPort(0).withDelay(Duration.ofMillis(100));
    ChaosReport report = run(FakeMailServer.Fault.LOSES_MAIL, slow);
    assertThat(report.account().lost()).isNotEmpty();
    assertThat(report.account().addsUp()).isTrue();
    assertThat(report.verdicts().getFirst()).endsWith("LOST");
  }

  @Test
  void aServerThatDeliversTwiceIsFoundOut() throws Exception {
    ChaosReport report = run(FakeMailServer.Fault.DELIVERS_TWICE, SmtpSink.Options.onPort(0));
    assertThat(report.account().duplicates()).isGreaterThanOrEqualTo(200);
    assertThat(report.isGood()).isFalse();
  }

  @Test
  void aServerThatChangesABodyIsFoundOut() throws Exception {
    ChaosReport report = run(FakeMailServer.Fault.CORRUPTS, SmtpSink.Options.onPort(0));
    assertThat(report.account().corrupt()).isGreaterThanOrEqualTo(200);
    assertThat(report.isGood()).isFalse();
  }

  @Test
  void aServerThatReportsANegativeCountIsFoundOut() throws Exception {
    ChaosReport report = run(FakeMailServer.Fault.MISCOUNTS, SmtpSink.Options.onPort(0));
    assertThat(report.verdicts())
        .contains(
            "node-1 reported a negative spool_in_doubt",
            "node-2 reported a negative spool_in_doubt");
  }

  /** 200 messages in about two seconds; both nodes are killed at once after one of them. */
  private ChaosReport run(FakeMailServer.Fault fault, SmtpSink.Options sink) throws Exception {
    System.setProperty("quorumail.home", FakeMailServer.home(directory, fault).toString());
    ChaosOptions options =
        ChaosOptions.of(
                Workload.atRate(200, 100),
                ChaosOptions.FaultSchedule.allAtOnce(Duration.ofSeconds(1), Duration.ofMillis(100)))
            .withNodes(2)
            .withSink(sink)
            .withTimeout(Duration.ofSeconds(60));
    return new ChaosRun(options, nowhere, nowhere).measure(directory.resolve("run"));
  }
}
