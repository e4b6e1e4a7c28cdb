package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** Clients and next hops of other authors; skipped where they are not installed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ForeignProgramsIT {
  private final AtomicInteger arrived = new AtomicInteger();

  private Path directory;

  private SmtpSink sink;
  private NodeProcess node;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    directory = folder;
    sink = SmtpSink.start(SmtpSink.Options.onPort(0), delivery -> arrived.incrementAndGet());
    node = node("smtp://127.0.0.1:" + sink.port());
  }

  @AfterAll
  void stop() {
    node.close();
    sink.close();
  }

  /** Waits for the mail of the test before, and forgets it. */
  @BeforeEach
  void awaitEmptyQueue() {
    await().atMost(Duration.ofSeconds(60)).until(() -> node.http().queueSize().orElse(-1) == 0);
    arrived.set(0);
  }

  @Test
  void swaksIsServed() throws Exception {
    String server = "127.0.0.1:" + node.settings().smtpPort();
    run("swaks", "--server", server, "--from", "a@it.test", "--to", "b@sink.test", "--helo", "it");
    await().atMost(Duration.ofSeconds(30)).until(() -> arrived.get() == 1);
  }

  @Test
  void smtpSourceIsServedWithAConnectionPerMessageAndWithReuse() throws Exception {
    String server = "127.0.0.1:" + node.settings().smtpPort();
    List<String> load =
        List.of("-s", "10", "-m", "200", "-l", "4096", "-f", "a@it.test", "-t", "b@sink.test");
    run(command("smtp-source", load, server));
    run(command("smtp-source", load, "-d", server));
    await().atMost(Duration.ofSeconds(60)).until(() -> arrived.get() == 400);
  }

  @Test
  void eximIsServed() throws Exception {
    Path message = directory.resolve("message");
    Files.writeString(message, "Subject: Größe\n\n.\n.dot\nend\n");
    Path log = directory.resolve("exim.log");
    Process exim =
        new ProcessBuilder(
                "src/test/exim/exim-client",
                Integer.toString(node.settings().smtpPort()),
                "a@it.test",
                "b@sink.test",
                "c@sink.test")
            .redirectInput(message.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    boolean hasEnded = exim.waitFor(60, TimeUnit.SECONDS);
    exim.destroyForcibly().waitFor();
    assertThat(hasEnded).as(Files.readString(log)).isTrue();
    assumeThat(exim.exitValue()).as("skipped: Exim is not unpacked").isNotEqualTo(77);
    assertThat(exim.exitValue()).as(Files.readString(log)).isZero();
    await().atMost(Duration.ofSeconds(30)).until(() -> arrived.get() == 1);
  }

  @Test
  void smtpSinkAsTheNextHopTakesEverything() throws Exception {
    int port = NodeSettings.freePort();
    Path dump = Files.createDirectory(directory.resolve("dump"));
    Process next =
        new ProcessBuilder(
                program("smtp-sink"), "-u", "root", "-d", dump + "/%M.", "127.0.0.1:" + port, "100")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("smtp-sink.log").toFile())
            .start();
    try (NodeProcess other = node("smtp://127.0.0.1:" + port)) {
      String server = "127.0.0.1:" + other.settings().smtpPort();
      run(
          command(
              "smtp-source",
              List.of("-s", "5", "-m", "50", "-f", "a@it.test", "-t", "b@sink.test"),
              server));
      await().atMost(Duration.ofSeconds(30)).until(() -> files(dump) >= 50);
    } finally {
      next.destroy();
      next.waitFor();
    }
  }

  private NodeProcess node(String routeTo) throws Exception {
    String id = "node-" + NodeSettings.freePort();
    NodeProcess process = new NodeProcess(NodeSettings.standAlone(id, directory, routeTo));
    process.start();
    process.awaitReady(Duration.ofSeconds(60));
    return process;
  }

  private static long files(Path folder) throws Exception {
    try (var files = Files.list(folder)) {
      return files.count();
    }
  }

  private static String[] command(String name, List<String> load, String... last) {
    List<String> words = new java.util.ArrayList<>();
    words.add(name);
    words.addAll(load);
    words.addAll(List.of(last));
    return words.toArray(String[]::new);
  }

  private void run(String... command) throws Exception {
    command[0] = program(command[0]);
    Path log = directory.resolve("foreign.log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean hasEnded = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly().waitFor();
    assertThat(hasEnded).as(Files.readString(log)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
  }

  private static String program(String name) {
    for (String folder : List.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin")) {
      if (Files.isExecutable(Path.of(folder, name))) return folder + "/" + name;
    }
    abort(name + " is not installed");
    return name;
  }
}
