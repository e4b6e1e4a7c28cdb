package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** The commands of an operator to a running node, by the packaged command line. */
class OperatorIT {
  private static final Duration START = Duration.ofSeconds(60);
  private static final byte[] MESSAGE =
      "Subject: hello\r\n\r\nhello\r\n".getBytes(StandardCharsets.US_ASCII);

  @TempDir private Path directory;

  @Test
  void waitingMailIsReroutedAndTheOverrideSurvivesARestart() throws Exception {
    AtomicInteger arrived = new AtomicInteger();
    try (SmtpSink sink =
            SmtpSink.start(SmtpSink.Options.onPort(0), delivery -> arrived.incrementAndGet());
        NodeProcess node =
            new NodeProcess(NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:1"))) {
      node.start();
      node.awaitReady(START);
      assertThat(SmtpTestClient.attempt(node.settings().smtpAddress(), MESSAGE).reply())
          .startsWith("250 ");
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> command(node, "queue", "list", "--status", "retry").text().contains("sink"));
      String to = "127.0.0.1:" + sink.port();
      OperatorCommand.CommandResult rerouted =
          command(node, "queue", "reroute", "--domain", "sink.test", "--to", to);
      assertThat(rerouted.exitCode()).as(rerouted.text()).isZero();
      await().atMost(Duration.ofSeconds(30)).until(() -> arrived.get() == 1);
      node.kill();
      node.start();
      node.awaitReady(START);
      assertThat(command(node, "dns", "list-overrides").text()).contains("sink.test", to);
      assertThat(SmtpTestClient.attempt(node.settings().smtpAddress(), MESSAGE).reply())
          .startsWith("250 ");
      await().atMost(Duration.ofSeconds(30)).until(() -> arrived.get() == 2);
      assertThat(command(node, "dns", "remove-override", "sink.test").exitCode()).isZero();
      assertThat(command(node, "dns", "remove-override", "sink.test").exitCode()).isEqualTo(3);
      assertThat(command(node, "spool", "cleanup-completed").exitCode()).isZero();
      assertThat(command(node, "cluster", "elect").exitCode()).isEqualTo(1);
      whatASenderHasHeldIsListedWithItsTime(node);
    }
  }

  private void whatASenderHasHeldIsListedWithItsTime(NodeProcess node) throws Exception {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      assertThat(client.request("EHLO it.test")).startsWith("250");
      String mail = "MAIL FROM:<later@it.test> HOLDUNTIL=";
      String until = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3600).toString();
      assertThat(client.request(mail + until)).startsWith("250");
      assertThat(client.request("RCPT TO:<b@sink.test>")).startsWith("250");
      assertThat(client.request("DATA")).startsWith("354");
      assertThat(client.request("Subject: x\r\n\r\nx\r\n.")).startsWith("250");
      assertThat(command(node, "queue", "list", "--status", "held").text())
          .contains("RELEASE-AT")
          .contains(until)
          .contains("later@it.test");
      assertThat(command(node, "queue", "list", "--status", "held", "--format", "json").text())
          .contains("\"release_at\"")
          .contains(until);
      assertThat(command(node, "queue", "list", "--status", "pending").text())
          .doesNotContain("later@it.test");
    }
  }

  @Test
  void nameServersThatDoNotAnswerMakeANodeUnreadyButNotDead() throws Exception {
    NodeSettings settings = NodeSettings.standAlone("one", directory, "mx");
    settings.writeConfig();
    String toml = settings.toml();
    String dns = "[delivery]\ndns = { servers = [\"127.0.0.1:1\"], timeout = \"200ms\" }\n";
    Files.writeString(settings.configFile(), toml.replace("[delivery]\n", dns));
    try (NodeProcess node = new NodeProcess(settings)) {
      node.start();
      await()
          .atMost(START)
          .until(
              () ->
                  SmtpTestClient.attempt(settings.smtpAddress(), MESSAGE)
                      .reply()
                      .startsWith("250 "));
      HttpResponse<String> ready = get(node, "readyz");
      assertThat(ready.statusCode()).isEqualTo(503);
      assertThat(ready.body()).contains("\"dns_ready\":false").contains("\"delivery_ready\":true");
      assertThat(get(node, "livez").statusCode()).isEqualTo(200);
    }
  }

  private OperatorCommand.CommandResult command(NodeProcess node, String... words)
      throws Exception {
    return OperatorCommand.run(directory, node, words);
  }

  private static HttpResponse<String> get(NodeProcess node, String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(node.http().url() + path))
              .timeout(Duration.ofSeconds(10))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }
}
