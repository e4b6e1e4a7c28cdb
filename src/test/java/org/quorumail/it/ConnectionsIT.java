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
    Path bin = NodeProcess.program().toAbsolutePath().getParent();
    String home = String.valueOf(bin == null ? null : bin.getParent());
    ProgramResult ended =
        ForeignProgram.run(
            directory, "", "python3", "bench/connections", "--short", "--home", home);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    List<String> cases =
        ended
            .output()
            .lines()
            .filter(line -> line.startsWith("ok   "))
            .map(line -> line.substring(5, line.indexOf(": ")))
            .toList();
    assertThat(cases)
        .as(ended.output())
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
    assertThat(ended.output()).doesNotContain("BAD");
  }
}
