package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The files that an installation needs beside the program. */
class DistributionTest {
  private static final Path DIST = Path.of("src/main/dist");

  @Test
  void theSampleConfigurationHasNoProblem() throws Exception {
    Process check =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                "org.quorumail.Main",
                "check",
                "-c",
                DIST.resolve("etc/quorumail.toml").toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(check.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(check.exitValue()).as(said).isZero();
  }

  @Test
  void theUserOfTheServiceIsMadeAndOwnsNothingOfTheProgram() throws IOException {
    List<String> unit = Files.readAllLines(DIST.resolve("systemd/quorumail.service"));
    assertThat(unit).contains("User=quorumail", "Group=quorumail");
    assertThat(Files.readAllLines(DIST.resolve("systemd/quorumail.sysusers")))
        .anyMatch(line -> line.startsWith("u quorumail ") && line.endsWith(" /var/lib/quorumail"));
    assertThat(Files.readAllLines(DIST.resolve("systemd/quorumail.tmpfiles")))
        .contains("d /etc/quorumail 0750 root quorumail -");
    assertThat(Files.readString(Path.of("docs/install.md")))
        .contains("quorumail.sysusers", "quorumail.tmpfiles", "etc/quorumail.toml");
  }

  /** The cache is trained by root and read by the user of the service. */
  @Test
  void theTrainedCacheIsReadableByTheService() throws IOException {
    List<String> lines = Files.readAllLines(DIST.resolve("bin/quorumail-train"));
    int readable = index(lines, "chmod 0644 \"$work/quorumail.aot\"");
    int kept = index(lines, "mv \"$work/quorumail.aot\" ");
    assertThat(readable).isPositive().isLessThan(kept);
  }

  @Test
  void theDistributionHasWhatItsPagesName() throws IOException {
    String assembly = Files.readString(DIST.resolve("assembly.xml"));
    for (String file :
        List.of("LICENSE", "README.md", "SECURITY.md", "CHANGELOG.md", "ARCHITECTURE.md")) {
      assertThat(assembly).contains("<include>" + file + "</include>");
      assertThat(Path.of(file)).exists();
    }
    assertThat(assembly)
        .contains("sbom.cdx.json", "src/main/dist/etc", "<include>**/*.md</include>");
  }

  private static int index(List<String> lines, String start) {
    for (int i = 0; i < lines.size(); i++) if (lines.get(i).startsWith(start)) return i;
    return -1;
  }
}
