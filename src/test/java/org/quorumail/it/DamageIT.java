package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;

/** The packaged program on a disk that returns other bytes than were written. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DamageIT {
  private static final int MESSAGES = 20;

  private Path directory;
  private NodeProcess node;

  /** Makes the data of a node with mail that was killed; each test damages its own copy of it. */
  @BeforeAll
  void killANodeWithMail(@TempDir Path folder) throws Exception {
    directory = folder;
    node = new NodeProcess(NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:1"));
    start();
    byte[] content = ("Subject: x\r\n\r\n" + "x".repeat(70) + "\r\n").repeat(20).getBytes(US);
    for (int i = 0; i < MESSAGES; i++) {
      try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
        client.request("EHLO test");
        assertThat(client.send("a@it.test", List.of("u" + i + "@sink.test"), content))
            .startsWith("250 ");
      }
    }
    node.kill();
    Files.move(data(), directory.resolve("saved"));
  }

  @BeforeEach
  void restoreTheData() throws Exception {
    Files.deleteIfExists(node.settings().logFile());
    Path saved = directory.resolve("saved");
    try (Stream<Path> files = Files.walk(saved)) {
      for (Path file : files.toList()) {
        Files.copy(
            file, data().resolve(saved.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  @AfterEach
  void stopTheNodeAndDeleteItsData() throws Exception {
    node.close();
    try (Stream<Path> files = Files.walk(data())) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    }
  }

  private Path data() {
    return node.settings().directory().resolve("data");
  }

  @Test
  void aDamagedSegmentOfTheLogEndsTheStartInOneSentenceAndNothingIsTouched() throws Exception {
    Path segment = largest("log_inprogress_");
    byte[] bytes = Files.readAllBytes(segment);
    bytes[used(bytes) / 2] ^= 0x40;
    Files.write(segment, bytes);
    assertThat(failedStart()).contains(segment.toString()).contains("restore");
    assertThat(segment).hasBinaryContent(bytes);
  }

  @Test
  void aTornLastRecordIsNoReasonNotToStart() throws Exception {
    Path segment = largest("log_inprogress_");
    byte[] bytes = Files.readAllBytes(segment);
    byte[] torn = Arrays.copyOf(bytes, bytes.length);
    Arrays.fill(torn, used(bytes) - 600, bytes.length, (byte) 0);
    Files.write(segment, torn);
    start();
    assertThat(Files.readString(node.settings().logFile())).contains("log_tail_truncated");
    await().atMost(Duration.ofSeconds(30)).until(() -> queued() >= MESSAGES - 1);
  }

  @Test
  void aDamagedFileOfTheStoreEndsTheStartInOneSentence() throws Exception {
    Path manifest = largest("MANIFEST-");
    byte[] bytes = Files.readAllBytes(manifest);
    bytes[bytes.length / 2] ^= 0x40;
    Files.write(manifest, bytes);
    assertThat(failedStart()).contains(manifest.getParent().toString()).contains("damaged");
  }

  @Test
  void aDamagedTableIsFoundAndTheNodeEndsRatherThanServeIt() throws Exception {
    start();
    assertThat(node.stop(Duration.ofSeconds(60))).isZero(); // what was in memory is in tables
    Path table = largest(".sst");
    byte[] bytes = Files.readAllBytes(table);
    Arrays.fill(bytes, 0, Math.min(bytes.length / 2, 2000), (byte) 0x55);
    Files.write(table, bytes);
    assertThat(failedStart()).contains(table.getFileName().toString()).contains("damaged");
  }

  private static final java.nio.charset.Charset US = java.nio.charset.StandardCharsets.US_ASCII;

  private void start() throws Exception {
    node.start();
    node.awaitReady(Duration.ofSeconds(60));
    await().atMost(Duration.ofSeconds(30)).until(() -> node.http().queueSize().isPresent());
  }

  private long queued() {
    return node.http().queueSize().orElse(-1);
  }

  /** Starts the node, waits for its end, and returns its output. */
  private String failedStart() throws Exception {
    Path errors = directory.resolve("errors");
    Process process =
        new ProcessBuilder(
                NodeProcess.program().toString(),
                "serve",
                "-c",
                node.settings().configFile().toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile())
            .start();
    boolean hasEnded = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly().waitFor();
    String output = Files.readString(errors);
    assertThat(hasEnded).as(output).isTrue();
    assertThat(process.exitValue()).as(output).isEqualTo(1);
    assertThat(output).doesNotContain("\tat ").doesNotContain("\\tat ");
    return output;
  }

  private Path largest(String part) throws IOException {
    try (Stream<Path> files = Files.walk(data())) {
      return files
          .filter(f -> f.getFileName().toString().contains(part))
          .max(Comparator.comparingInt(DamageIT::used))
          .orElseThrow();
    }
  }

  /** The length without the zeros at the end. */
  private static int used(Path file) {
    try {
      return used(Files.readAllBytes(file));
    } catch (IOException e) {
      return 0;
    }
  }

  private static int used(byte[] bytes) {
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == 0) end--;
    return end;
  }
}
