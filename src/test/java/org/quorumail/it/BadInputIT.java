package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.harness.NodeProcess;
import org.quorumail.harness.NodeSettings;

/** What the program says to what it cannot run with: one sentence, the right exit code. */
class BadInputIT {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  @TempDir private Path directory;

  private record Ended(int exitCode, String errors) {}

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      String toml =
          node().toml().replace(":" + node().smtpPort() + "\"", ":" + taken.getLocalPort() + "\"");
      assertRefused(serve(toml), FAILED, Integer.toString(taken.getLocalPort()));
    }
  }

  @Test
  void aMisspeltKeyIsNamedWithItsLineAndTheKeyThatWasMeant() throws Exception {
    assertRefused(serve("hostnam = \"a.test\"\n" + node().toml()), USAGE, "hostname");
  }

  @Test
  void textThatIsNotTomlIsRefusedWithItsLine() throws Exception {
    assertRefused(serve("[node\n"), USAGE, "1");
  }

  @Test
  void aSecretThatIsTooShortIsRefused() throws Exception {
    String toml = node().inCluster(java.util.List.of("127.0.0.1:1"), "c2hvcnQ=").toml();
    assertRefused(serve(toml), USAGE, "cluster.secret");
  }

  @Test
  void aClusterWithoutASecretIsRefused() throws Exception {
    String toml = node().inCluster(java.util.List.of("127.0.0.1:1"), "").toml();
    assertRefused(serve(toml), USAGE, "cluster.secret");
  }

  @Test
  void aDataDirectoryThatCannotBeIsNamed() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "not a directory");
    String inside = file.resolve("data").toString();
    String toml = node().toml().replaceFirst("data_directory = .*", data(inside));
    assertRefused(serve(toml), FAILED, file.toString());
  }

  @Test
  void aSecondProcessOnADataDirectoryIsRefusedAndTheFirstGoesOn() throws Exception {
    try (NodeProcess first = new NodeProcess(node())) {
      first.start();
      first.awaitReady(Duration.ofSeconds(60));
      NodeSettings second = NodeSettings.alone("second", directory, "smtp://127.0.0.1:1");
      String own = data(first.settings().directory().resolve("data").toString());
      String toml = second.toml().replaceFirst("data_directory = .*", own);
      assertRefused(serve(toml), FAILED, first.settings().directory().toString());
      assertThat(first.api().isReady()).isTrue();
    }
  }

  @Test
  void aConfigurationFileThatIsNotThereIsNamed() throws Exception {
    assertRefused(run(directory.resolve("missing.toml")), USAGE, "missing.toml");
  }

  private NodeSettings node;

  private NodeSettings node() {
    if (node == null) node = NodeSettings.alone("one", directory, "smtp://127.0.0.1:1");
    return node;
  }

  private static String data(String path) {
    return "data_directory = \"" + path + "\"";
  }

  private Ended serve(String toml) throws Exception {
    return run(Files.writeString(directory.resolve("bad.toml"), toml));
  }

  private Ended run(Path file) throws Exception {
    Path errors = directory.resolve("errors");
    Process process =
        new ProcessBuilder(NodeProcess.program().toString(), "serve", "-c", file.toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile())
            .start();
    boolean hasEnded = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly().waitFor();
    assertThat(hasEnded).as("ended by itself, having said: %s", Files.readString(errors)).isTrue();
    return new Ended(process.exitValue(), Files.readString(errors));
  }

  private static void assertRefused(Ended ended, int exitCode, String named) {
    assertThat(ended.errors()).contains(named);
    assertThat(ended.errors()).doesNotContain("Exception").doesNotContain("\tat ");
    assertThat(ended.errors().lines()).hasSizeBetween(1, 4);
    assertThat(ended.exitCode()).as(ended.errors()).isEqualTo(exitCode);
  }
}
