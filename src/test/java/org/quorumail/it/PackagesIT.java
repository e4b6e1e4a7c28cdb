package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** The Debian package: built by {@code packaging/build}, unpacked, and run without a JDK. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PackagesIT {
  private Path root;

  @BeforeAll
  void build(@TempDir Path directory) throws Exception {
    Map<String, String> quickly =
        Map.of("DEB_COMPRESSION", "none", "JAVA_HOME", System.getProperty("java.home"));
    String said = run(quickly, "packaging/build", "deb");
    Path deb;
    try (Stream<Path> files = Files.list(Path.of("target/packages"))) {
      deb = files.filter(f -> f.toString().endsWith(".deb")).findFirst().orElseThrow();
    }
    assertThat(said).contains(deb.getFileName().toString());
    root = directory.resolve("root");
    run(Map.of(), "dpkg-deb", "-x", deb.toString(), root.toString());
    run(Map.of(), "dpkg-deb", "-e", deb.toString(), directory.resolve("control").toString());
    assertThat(Files.readString(directory.resolve("control/control")))
        .contains("Package: quorumail\n", "Architecture: ", "Installed-Size: ")
        .doesNotContain("@VERSION@", "@ARCH@", "@SIZE@");
    assertThat(Files.readString(directory.resolve("control/conffiles")))
        .isEqualTo("/etc/quorumail/quorumail.toml\n");
    for (String script : List.of("postinst", "prerm", "postrm")) {
      run(Map.of(), "sh", "-n", directory.resolve("control").resolve(script).toString());
    }
  }

  @Test
  void aMessageGoesThroughTheProgramOfThePackageWithItsOwnRuntime(@TempDir Path directory)
      throws Exception {
    List<String> arrived = new CopyOnWriteArrayList<>();
    NodeSettings settings;
    try (SmtpSink sink =
        SmtpSink.start(
            SmtpSink.Options.onPort(0), delivery -> arrived.addAll(delivery.recipients()))) {
      settings = NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:" + sink.port());
      try (NodeProcess node = new NodeProcess(settings, Map.of(), program())) {
        node.start();
        node.awaitReady(Duration.ofSeconds(60));
        byte[] message = "Subject: hello\r\n\r\nhello\r\n".getBytes(StandardCharsets.US_ASCII);
        assertThat(SmtpTestClient.attempt(settings.smtpAddress(), message).reply())
            .startsWith("250 ");
        await().atMost(Duration.ofSeconds(20)).until(() -> !arrived.isEmpty());
      }
    }
  }

  @Test
  void itsConfigurationHasNoProblemAndTheProgramNeedsNoJdk() throws Exception {
    Path java = root.resolve("usr/lib/quorumail/runtime/bin/java");
    assertThat(java).isExecutable();
    String said =
        run(
            Map.of(),
            "env",
            "-i",
            "PATH=/usr/bin:/bin",
            "QUORUMAIL_CACHE=off",
            "JAVA_HOME=/nonexistent",
            program().toString(),
            "check",
            "-c",
            root.resolve("etc/quorumail/quorumail.toml").toString());
    assertThat(said).doesNotContain("Exception");
  }

  @Test
  void onlyTheNativeLibrariesOfThisPlatformAreInside() throws IOException {
    try (Stream<Path> files = Files.walk(root.resolve("usr/lib/quorumail/lib"))) {
      long bytes = files.mapToLong(f -> f.toFile().length()).sum();
      assertThat(bytes).as("of all jars").isLessThan(80L << 20);
    }
  }

  @Test
  void eachCommandHasAManualPageWithoutWarnings() throws Exception {
    Path pages = root.resolve("usr/share/man/man1");
    assertThat(pages.resolve("quorumail.1.gz")).exists();
    assertThat(pages.resolve("quorumail-queue.1.gz")).exists();
    String text = run(Map.of(), "gzip", "-dc", pages.resolve("quorumail-queue.1.gz").toString());
    assertThat(text).contains(".SH NAME\nquorumail\\-queue \\- ", "quorumail queue list");
  }

  @Test
  void bashCompletesCommandsAndOptions() throws Exception {
    Path script = root.resolve("usr/share/bash-completion/completions/quorumail");
    String completions =
        run(
            Map.of(),
            "bash",
            "-c",
            """
            source "$1"
            COMP_WORDS=(quorumail queue li) COMP_CWORD=2 COMP_LINE='quorumail queue li'
            COMP_POINT=${#COMP_LINE}
            _complete_quorumail
            echo "${COMPREPLY[@]}"
            """,
            "bash",
            script.toString());
    assertThat(completions.strip()).isEqualTo("list");
  }

  private Path program() {
    return root.resolve("usr/lib/quorumail/bin/quorumail");
  }

  private static String run(Map<String, String> environment, String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
