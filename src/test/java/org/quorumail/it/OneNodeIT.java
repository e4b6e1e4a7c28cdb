package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/**
 * The packaged program as a stand-alone node between a client and a next hop; one for all tests.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OneNodeIT {
  private static final Duration START = Duration.ofSeconds(60);

  private final List<Received> received = new CopyOnWriteArrayList<>();
  private SmtpSink sink;
  private NodeProcess node;

  private record Received(String from, List<String> recipients, byte[] content) {}

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    sink = SmtpSink.start(SmtpSink.Options.onPort(0), this::take);
    node =
        new NodeProcess(
            NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:" + sink.port()));
    nameDataDirectoryByARelativePath();
    node.start();
    node.awaitReady(START);
  }

  @AfterAll
  void stop() {
    node.close();
    sink.close();
  }

  /** Waits for the mail of the test before, and forgets it. */
  @BeforeEach
  void awaitEmptyQueue() {
    await().atMost(START).until(() -> node.http().queueSize().orElse(-1) == 0);
    received.clear();
  }

  /**
   * Sets the data directory to its default: {@code data}, relative to the directory of the start.
   */
  private void nameDataDirectoryByARelativePath() throws Exception {
    NodeSettings settings = node.settings();
    settings.writeConfig();
    String absolute = settings.directory().resolve("data").toString();
    String toml = Files.readString(settings.configFile());
    assertThat(toml).contains(absolute);
    Files.writeString(settings.configFile(), toml.replace(absolute, "data"));
  }

  @Test
  void eightBitTextLongLinesAndDotsComeOutAsTheyWentIn() throws Exception {
    byte[] content =
        """
        From: <a@it.test>
        To: <b@sink.test>
        Subject: Grüße aus der Größe Ж
        X-Long: %s
        X-Folded: first
        \tsecond

        .
        ..
        .a line that begins with a dot
        Größe, Ж, 漢字
        a line with blanks at its end   \t

        end
        """
            .formatted("x".repeat(900))
            .replace("\n", "\r\n")
            .getBytes(StandardCharsets.UTF_8);
    assertThat(send(List.of("b@sink.test"), content)).startsWith("250 2.0.0 Ok: queued as ");
    assertArrivesUnchanged(content);
  }

  @Test
  void everyByteButCarriageReturnAndLineFeedPasses() throws Exception {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    content.writeBytes("Subject: all bytes\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    for (int b = 0; b < 256; b++) if (b != '\r' && b != '\n') content.write(b);
    content.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
    assertThat(send(List.of("b@sink.test"), content.toByteArray())).startsWith("250 ");
    assertArrivesUnchanged(content.toByteArray());
  }

  @Test
  void aMessageOf25MegabytesComesOutAsItWentIn() throws Exception {
    byte[] content = randomLines(25_000_000);
    assertThat(send(List.of("b@sink.test"), content)).startsWith("250 ");
    assertArrivesUnchanged(content);
  }

  @Test
  void aThousandRecipientsInFiftyDomainsGetOneCopyEach() throws Exception {
    List<String> recipients =
        IntStream.range(0, 1000).mapToObj(i -> "user" + i + "@domain" + i % 50 + ".test").toList();
    byte[] content = randomLines(5000);
    assertThat(send(recipients, content)).startsWith("250 ");
    await().atMost(Duration.ofSeconds(60)).until(() -> recipientsSeen().size() >= 1000);
    assertThat(recipientsSeen()).containsExactlyInAnyOrderElementsOf(recipients);
    for (Received message : received) assertThat(message.content()).endsWith(content);
  }

  @Test
  void whatWasAcknowledgedBeforeAKillIsDeliveredAfterTheRestart() throws Exception {
    sink.close(); // nothing can leave before the kill
    int acknowledged = 0;
    byte[] content = randomLines(4000);
    for (int i = 0; i < 50; i++) {
      if (send(List.of("user" + i + "@sink.test"), content).startsWith("250 ")) acknowledged++;
    }
    assertThat(acknowledged).isEqualTo(50);
    node.kill();
    sink = SmtpSink.start(SmtpSink.Options.onPort(sink.port()), this::take);
    node.start();
    node.awaitReady(START);
    await().atMost(Duration.ofSeconds(60)).until(() -> recipientsSeen().size() >= 50);
    assertThat(recipientsSeen()).doesNotHaveDuplicates();
  }

  @Test
  void sigtermEndsItInOrderAndMailSurvives() throws Exception {
    sink.close();
    assertThat(send(List.of("b@sink.test"), randomLines(1000))).startsWith("250 ");
    assertThat(node.stop(Duration.ofSeconds(30))).isZero();
    sink = SmtpSink.start(SmtpSink.Options.onPort(sink.port()), this::take);
    node.start();
    node.awaitReady(START);
    await().atMost(Duration.ofSeconds(30)).until(() -> received.size() == 1);
  }

  @Test
  void whatItWritesIsForItsUserOnlyAndAnEndlessLoopIsBroken() throws Exception {
    assertThat(send(List.of("b@sink.test"), randomLines(5000))).startsWith("250 ");
    Path data = node.settings().directory().resolve("data");
    try (Stream<Path> files = Files.walk(data)) {
      assertThat(files.filter(f -> !f.equals(data)).toList())
          .isNotEmpty()
          .allSatisfy(f -> assertThat(permissions(f)).as(f.toString()).endsWith("------"));
    }
    byte[] looping = ("Received: x\r\n".repeat(30) + "\r\nx\r\n").getBytes(StandardCharsets.UTF_8);
    assertThat(send(List.of("b@sink.test"), looping)).startsWith("554 5.4.6");
  }

  /** The permissions of a file; of one that the store has just deleted, those of nobody. */
  private static String permissions(Path file) throws IOException {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    } catch (NoSuchFileException e) {
      return "---------";
    }
  }

  @Test
  void anOversizedMessageIsRefusedBeforeItIsSent() throws Exception {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      client.request("EHLO test");
      assertThat(client.request("MAIL FROM:<a@it.test> SIZE=99999999999")).startsWith("552 5.3.4");
    }
  }

  private String send(List<String> recipients, byte[] content) throws Exception {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      client.request("EHLO test");
      return client.send("a@it.test", recipients, content);
    }
  }

  /** The trace header is above the content, and nothing else. */
  private void assertArrivesUnchanged(byte[] content) {
    await().atMost(Duration.ofSeconds(60)).until(() -> received.size() == 1);
    byte[] arrived = received.getFirst().content();
    assertThat(arrived).endsWith(content);
    String above =
        new String(arrived, 0, arrived.length - content.length, StandardCharsets.ISO_8859_1);
    assertThat(above).startsWith("Received: ").endsWith("\r\n");
    assertThat(above.replaceAll("\r\n[ \t]", " ").lines()).hasSize(1);
  }

  private List<String> recipientsSeen() {
    List<String> all = new ArrayList<>();
    for (Received message : received) all.addAll(message.recipients());
    return all;
  }

  private void take(SmtpSink.ReceivedMessage delivery) {
    received.add(new Received(delivery.from(), delivery.recipients(), delivery.copy()));
  }

  private static byte[] randomLines(int size) {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder(size + 100).append("Subject: random\r\n\r\n");
    while (text.length() < size) {
      int length = random.nextInt(1, 90);
      for (int i = 0; i < length; i++) text.append((char) random.nextInt(' ', 127));
      text.append("\r\n");
    }
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }
}
