package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;

/** The program refuses bad input with one sentence and the right exit code. */
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
      toml =
          node().toml().replace(":" + node().httpPort() + "\"", ":" + taken.getLocalPort() + "\"");
      assertRefused(serve(toml), FAILED, "health.listen_address");
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
    String toml = node().inCluster(List.of("127.0.0.1:1"), "c2hvcnQ=").toml();
    assertRefused(serve(toml), USAGE, "cluster.secret");
  }

  @Test
  void aClusterWithoutASecretIsRefused() throws Exception {
    String toml = node().inCluster(List.of("127.0.0.1:1"), "").toml();
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
      NodeSettings second = NodeSettings.standAlone("second", directory, "smtp://127.0.0.1:1");
      String own = data(first.settings().directory().resolve("data").toString());
      String toml = second.toml().replaceFirst("data_directory = .*", own);
      assertRefused(serve(toml), FAILED, first.settings().directory().toString());
      assertThat(first.http().isReady()).isTrue();
    }
  }

  @Test
  void aConfigurationFileThatIsNotThereIsNamed() throws Exception {
    assertRefused(run(directory.resolve("missing.toml")), USAGE, "missing.toml");
  }

  @Test
  void aKeyThatDoesNotFitItsCertificateIsNamedWithTheKeyOfTheConfiguration() throws Exception {
    TestCertificates.write(directory, "a");
    TestCertificates.write(directory, "b");
    String pair =
        "certificate = \"%s\"\nkey = \"%s\"\n"
            .formatted(directory.resolve("a.pem"), directory.resolve("b.key"));
    assertRefused(serve(node().withSections("[tls]\n" + pair).toml()), USAGE, "tls");
    String inline = pair.strip().replace("\n", ", ") + ", ca = \"" + directory + "/a.pem\"";
    String member = node().inCluster(List.of("127.0.0.1:1"), "").toml();
    String toml = member.replace("secret = \"\"", "tls = { " + inline + " }");
    assertRefused(serve(toml), USAGE, "cluster.tls.key");
  }

  @Test
  void aSecretThatNobodyElseHasIsRefused() throws Exception {
    List<NodeSettings> strangers = new java.util.ArrayList<>();
    for (NodeSettings other : NodeSettings.cluster(2, directory, "smtp://127.0.0.1:1")) {
      byte[] secret = new byte[32];
      new java.security.SecureRandom().nextBytes(secret);
      String text = java.util.Base64.getEncoder().encodeToString(secret);
      strangers.add(other.inCluster(other.seeds(), text));
    }
    try (NodeProcess other = new NodeProcess(strangers.get(0))) {
      other.start();
      String toml = strangers.get(1).toml().replace("expect =", "join_timeout = \"5s\"\nexpect =");
      Ended ended = serve(toml);
      assertThat(ended.exitCode()).as(ended.errors()).isEqualTo(USAGE);
      assertThat(ended.errors()).contains("cluster.secret: ").doesNotContain("\tat ");
    }
  }

  @Test
  void anotherNodesDirectoryIsRefused() throws Exception {
    try (NodeProcess first = new NodeProcess(node())) {
      first.start();
      first.awaitReady(Duration.ofSeconds(60));
      first.kill();
    }
    String toml = node().toml().replaceFirst("id = \"one\"", "id = \"two\"");
    assertRefused(serve(toml), USAGE, "node.id");
  }

  @Test
  void aDirectoryWithFilesOfOthersIsRefused() throws Exception {
    Path others = Files.createDirectory(directory.resolve("others"));
    Files.writeString(others.resolve("photo.jpg"), "mine");
    String toml = node().toml().replaceFirst("data_directory = .*", data(others.toString()));
    assertRefused(serve(toml), USAGE, "photo.jpg");
    assertThat(others.toFile().list()).doesNotContain("node.json");
  }

  @Test
  void aDataDirectoryThatCannotBeWrittenIsNamed() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "1m")) {
      disk.remount("ro");
      String toml = node().toml().replaceFirst("data_directory = .*", data(disk.path() + "/data"));
      assertRefused(serve(toml), FAILED, disk.path().toString());
    }
  }

  @Test
  void aDataDirectoryFromWhichNoLibraryMayBeLoadedIsNamed() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "300m")) {
      disk.remount("noexec");
      String toml = node().toml().replaceFirst("data_directory = .*", data(disk.path() + "/data"));
      assertRefused(serve(toml), FAILED, "noexec");
    }
  }

  private NodeSettings node;

  private NodeSettings node() {
    if (node == null) node = NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:1");
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
