package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.quorumail.it.ForeignProgram.ProgramResult;
import org.quorumail.tools.NodeProcess;

/** The bounds of {@code bench/connections} hold with a twentieth of its connections. */
@Isolated("it measures")
class ConnectionsIT {
  @TempDir private Path directory;

  @Test
  void manySlowAndHostileConnectionsStayWithinTheirBounds() throws Exception {
    assertThat(cases("connections"))
        .containsExactly(
            "500 idle after EHLO",
            "500 slow senders, an octet per 2 s",
            "all of them gone",
            "200 connections from one address",
            "10000 pipelined NOOPs",
            "a message in 10000 chunks of one octet",
            "a sender of one octet per half second",
            "20 clients that never read (zero window)",
            "a line of 5 MB",
            "200 connections that are reset",
            "afterwards");
  }

  @Test
  void sessionsThatHoldMemoryAreRefusedBeforeTheHeapIsFull() throws Exception {
    assertThat(cases("memory"))
        .containsExactly(
            "180 sessions of TLS that wait",
            "25 sessions of 1,000 RCPT with long ORCPT",
            "100 sessions of 256 KiB in DATA",
            "the node lives");
  }

  /** Runs one half of the cases; returns those whose bound held. */
  private List<String> cases(String half) throws Exception {
    Path bin = NodeProcess.program().toAbsolutePath().getParent();
    String home = String.valueOf(bin == null ? null : bin.getParent());
    ProgramResult ended =
        ForeignProgram.run(
            directory,
            "",
            "env",
            "-u",
            "QUORUMAIL_JAVA_OPTS",
            "python3",
            "bench/connections",
            "--short",
            "--only",
            half,
            "--home",
            home);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    assertThat(ended.output()).doesNotContain("BAD");
    return ended
        .output()
        .lines()
        .filter(line -> line.startsWith("ok   "))
        .map(line -> line.substring(5, line.indexOf(": ")))
        .toList();
  }
}
