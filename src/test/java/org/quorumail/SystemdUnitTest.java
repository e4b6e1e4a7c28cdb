package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The systemd unit of the distribution. */
class SystemdUnitTest {
  private static final Path UNIT = Path.of("src/main/dist/systemd/quorumail.service");
  private static final Path ANALYZE = Path.of("/usr/bin/systemd-analyze");
  private static final Pattern EXPOSURE =
      Pattern.compile("Overall exposure level for quorumail.service: ([0-9.]+)");

  /** Of 10; systemd calls it OK below 5. */
  private static final double MAX_EXPOSURE = 2.5;

  @TempDir private Path folder;

  @Test
  void theUnitExposesLittleOfTheHost() throws Exception {
    assumeTrue(
        Files.isExecutable(ANALYZE), "skipped: systemd-analyze is not installed (package systemd)");
    Path out = folder.resolve("out");
    Process analysis =
        new ProcessBuilder(
                ANALYZE.toString(), "security", "--offline=true", "--no-pager", UNIT.toString())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(analysis.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String report = Files.readString(out, StandardCharsets.UTF_8);
    Matcher exposure = EXPOSURE.matcher(report);
    assertThat(exposure.find()).as(report).isTrue();
    assertThat(Double.parseDouble(exposure.group(1))).as(report).isLessThan(MAX_EXPOSURE);
  }

  @Test
  void theUnitRestrictsTheNodeAndLeavesWhatTheJvmNeeds() throws Exception {
    List<String> lines = Files.readAllLines(UNIT);
    assertThat(lines)
        .contains(
            "NoNewPrivileges=true",
            "ProtectSystem=strict",
            "ProtectHome=true",
            "ProtectKernelLogs=true",
            "ProtectKernelModules=true",
            "ProtectKernelTunables=true",
            "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
            "RestrictNamespaces=true",
            "SystemCallArchitectures=native",
            "SystemCallFilter=@system-service",
            "SystemCallFilter=~@privileged @resources",
            "MemoryMax=80%",
            "UMask=0077")
        .as("ports below 1024")
        .contains("AmbientCapabilities=CAP_NET_BIND_SERVICE")
        .contains("CapabilityBoundingSet=CAP_NET_BIND_SERVICE")
        .as("the only writable data directory")
        .contains("StateDirectory=quorumail");
    assertThat(lines)
        .as("the JVM compiles, and loads RocksDB's library from the data directory")
        .noneMatch(line -> line.startsWith("MemoryDenyWriteExecute="))
        .noneMatch(line -> line.startsWith("NoExecPaths="));
  }
}
