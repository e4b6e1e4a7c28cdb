package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.gossip.transport.SealTest;
import org.quorumail.tools.NodeSettings;

/** The example compiles, runs as its comment says, and is short. */
class GossipChatExampleTest {
  private static final Path EXAMPLE = Path.of("examples/GossipChat.java");
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir private Path directory = Path.of("");
  private final List<Process> running = new ArrayList<>();

  @AfterEach
  void stopAll() {
    running.forEach(Process::destroyForcibly);
  }

  @Test
  void theExampleExchangesMessagesAndLeaves() throws Exception {
    assertThat(Files.readAllLines(EXAMPLE)).hasSizeLessThan(60);
    int port = NodeSettings.freePort();
    String secret = Base64.getEncoder().encodeToString(SealTest.secret(7));
    Path printed = directory.resolve("anna");
    Process anna = chat(printed, "anna", String.valueOf(port), secret);
    Process bert =
        chat(
            directory.resolve("bert"),
            "bert",
            String.valueOf(NodeSettings.freePort()),
            secret,
            "127.0.0.1:" + port);
    await().atMost(LONG).untilAsserted(() -> assertThat(printed).content().contains("bert joined"));
    OutputStream lines = bert.getOutputStream();
    lines.write("hello anna\n".getBytes(StandardCharsets.UTF_8));
    lines.flush();
    await().atMost(LONG).until(() -> Files.readString(printed).contains("bert: hello anna"));
    lines.close();
    await().atMost(LONG).until(() -> Files.readString(printed).contains("bert left"));
    assertThat(bert.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(bert.exitValue()).isZero();
    assertThat(anna.isAlive()).isTrue();
  }

  private Process chat(Path output, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(EXAMPLE.toString());
    command.addAll(List.of(args));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    running.add(process);
    return process;
  }
}
