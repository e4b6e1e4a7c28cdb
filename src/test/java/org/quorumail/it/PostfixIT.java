package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.smtp.TestCertificates.Issued;
import org.quorumail.smtp.client.ScriptedServer;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/**
 * Extensions on the way through three mail systems: a node, a Postfix, another node, and a sink
 * that knows none of them but SMTPUTF8. So Postfix is a next hop of the first and a client of the
 * second.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // three programs to start
class PostfixIT {
  private final List<Received> received = new CopyOnWriteArrayList<>();

  private SmtpSink sink;
  private NodeProcess behind;
  private PostfixInstance postfix;
  private NodeProcess before;
  private ScriptedServer last; // has TLS, a certificate that is trusted, and REQUIRETLS

  private record Received(String from, List<String> recipients, String content) {}

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    sink = SmtpSink.start(SmtpSink.Options.onPort(0), this::take);
    Issued certificate = TestCertificates.forHosts(directory, null, "localhost", "localhost");
    String tls =
        "[tls]\ncertificate = \"%1$s/localhost.pem\"\nkey = \"%1$s/localhost.key\"\n"
            .formatted(directory);
    behind = node(directory, "behind", sink.port(), tls, Map.of());
    postfix = new PostfixInstance(directory, behind.settings().smtpPort());
    last = new ScriptedServer(PostfixIT::strictly, server(certificate));
    String domains =
        """
        [delivery.domains."seven.test"]
        mx_override = "127.0.0.1:%d"
        [delivery.domains."strict.test"]
        mx_override = "localhost:%d"
        [delivery.domains."last.test"]
        mx_override = "localhost:%d"
        """
            .formatted(postfix.sevenBitPort, behind.settings().smtpPort(), last.port());
    before =
        node(directory, "before", postfix.port, tls + domains, trusting(directory, certificate));
  }

  @AfterAll
  void stop() throws Exception {
    if (before != null) before.close();
    if (postfix != null) postfix.close();
    if (behind != null) behind.close();
    if (last != null) last.close();
    sink.close();
  }

  @BeforeEach
  void forget() {
    received.clear();
  }

  @Test
  void whatASenderWantsToHearIsCarriedToTheLastHopThatCanSayIt() throws Exception {
    try (SmtpTestClient client = client()) {
      assertThat(client.request("MAIL FROM:<a@it.test> RET=HDRS ENVID=Q+3D1")).startsWith("250");
      assertThat(client.request("RCPT TO:<b@sink.test> NOTIFY=SUCCESS ORCPT=rfc822;first@it.test"))
          .startsWith("250");
      assertThat(client.request("DATA")).startsWith("354");
      assertThat(client.request("Subject: hello\r\n\r\nbody\r\n.")).startsWith("250");
    }
    Received report = awaitFrom("");
    assertThat(received).hasSize(2);
    assertThat(report.recipients()).containsExactly("a@it.test");
    assertThat(report.content())
        .contains("Action: relayed")
        .contains("Original-Envelope-Id: Q=1")
        .contains("Original-Recipient: rfc822; first@it.test")
        .containsPattern("Message-ID: <[^>]+@postfix\\.test>")
        .doesNotContain("Subject: hello", "body");
  }

  @Test
  void namesAndHeaderInUtf8PassBothWays() throws Exception {
    String from = octets("jürgen@it.test");
    String to = octets("δοκιμή@sink.test");
    try (SmtpTestClient client = client()) {
      assertThat(client.request("MAIL FROM:<" + from + "> SMTPUTF8 BODY=8BITMIME"))
          .startsWith("250");
      assertThat(client.request("RCPT TO:<" + to + ">")).startsWith("250");
      assertThat(client.request("DATA")).startsWith("354");
      assertThat(client.request(octets("Subject: Grüße\r\n\r\nж\r\n."))).startsWith("250");
    }
    Received message = awaitFrom(from);
    assertThat(message.recipients()).containsExactly(to);
    assertThat(message.content())
        .contains(octets("Subject: Grüße\r\n"))
        .endsWith(octets("\r\n\r\nж\r\n"));
    assertThat(message.content()).contains("with UTF8SMTP id");
  }

  @Test
  void bareLineFeedsReachPostfixEncodedAndNoMessageIsSmuggled() throws Exception {
    String content = "Subject: bare\r\n\r\na\n.\nMAIL FROM:<evil@it.test>\nb\r\n";
    String chunk = content.substring(0, content.length() - 2); // ask adds the last CRLF
    String bdat = "BDAT " + content.length() + " LAST\r\n" + chunk;
    try (SmtpTestClient client = client()) {
      assertThat(client.request("MAIL FROM:<a@it.test>")).startsWith("250");
      assertThat(client.request("RCPT TO:<b@sink.test>")).startsWith("250");
      assertThat(client.request(bdat)).startsWith("550 5.6.11");
      assertThat(client.request("MAIL FROM:<a@it.test> BODY=BINARYMIME")).startsWith("250");
      assertThat(client.request("RCPT TO:<b@sink.test>")).startsWith("250");
      assertThat(client.request(bdat)).startsWith("250");
    }
    Received message = awaitFrom("a@it.test");
    assertThat(message.content()).contains("Subject: bare\r\n");
    assertThat(message.content()).doesNotContain("\r\n.\r\n", "\r\nMAIL FROM:");
    assertThat(received).hasSize(1);
  }

  @Test
  void eightBitContentIsEncodedForAHostThatTakesOnlySevenBit() throws Exception {
    try (SmtpTestClient client = client()) {
      assertThat(client.request("MAIL FROM:<a@it.test> BODY=BINARYMIME")).startsWith("250");
      assertThat(client.request("RCPT TO:<b@seven.test>")).startsWith("250");
      String content =
          octets(
              """
              MIME-Version: 1.0
              Content-Type: multipart/mixed; boundary=b
              Content-Transfer-Encoding: binary

              --b
              Content-Type: text/plain; charset=utf-8
              Content-Transfer-Encoding: 8bit

              Grüße, und dann noch einiges mehr, das ASCII ist
              --b
              Content-Type: image/x-tiny
              Content-Transfer-Encoding: binary

              \0\n
              --b--
              """
                  .replace("\n", "\r\n")
                  .replace("\0\r\n\r\n", "\0\n\r\n"));
      String chunk = content.substring(0, content.length() - 2); // ask adds the last CRLF
      assertThat(client.request("BDAT " + content.length() + " LAST\r\n" + chunk))
          .startsWith("250");
    }
    assertThat(awaitFrom("a@it.test").content())
        .contains(
            "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe, und dann")
        .contains("\r\nContent-Transfer-Encoding: base64\r\n\r\nAAo=\r\n--b--\r\n");
  }

  /** RFC 8689 §4.2.1 and §5: TLS from hop to hop, else a bounce, which needs TLS too. */
  @Test
  void whatMustTravelByTlsGoesNoFurtherThanTlsDoes() throws Exception {
    try (SmtpTestClient client = client()) {
      client.startTls();
      assertThat(client.request("MAIL FROM:<a@it.test> REQUIRETLS")).startsWith("250");
      assertThat(client.request("RCPT TO:<b@strict.test>")).startsWith("250");
      assertThat(client.request("RCPT TO:<c@sink.test>")).startsWith("250");
      assertThat(client.request("RCPT TO:<d@last.test>")).startsWith("250");
      assertThat(client.request("DATA")).startsWith("354");
      assertThat(client.request("Subject: secret\r\n\r\nbody\r\n.")).startsWith("250");
    }
    awaitLog(before, "event=delivered .*to=<b@strict.test> relay=localhost");
    awaitLog(before, "event=delivered .*to=<d@last.test> relay=localhost");
    assertThat(last.commands())
        .containsSubsequence("STARTTLS", "EHLO before.quorumail.test")
        .anyMatch(c -> c.startsWith("MAIL FROM:<a@it.test> ") && c.endsWith(" REQUIRETLS"));
    awaitLog(before, "event=failed .*to=<c@sink.test> .*dsn=5.7.30"); // Postfix has no TLS here
    awaitLog(behind, "event=failed .*to=<b@strict.test> .*dsn=5.7.30"); // nor has the sink
    awaitLog(before, "event=report_failed .*to=<a@it.test>");
    awaitLog(behind, "event=report_failed .*to=<a@it.test>");
    assertThat(received).isEmpty();
    assertThat(postfix.log()).doesNotContain("b@strict.test", "c@sink.test");
  }

  private static String strictly(String command) {
    if (command.startsWith("EHLO")) return "250-localhost\r\n250-REQUIRETLS\r\n250 STARTTLS";
    return command.equals("STARTTLS") ? "220 go on" : ScriptedServer.polite(command);
  }

  private static SSLContext server(Issued certificate) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    X509Certificate[] chain = {certificate.certificate()};
    store.setKeyEntry("server", certificate.keys().getPrivate(), new char[0], chain);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  private static void awaitLog(NodeProcess node, String pattern) {
    Pattern line = Pattern.compile(pattern);
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> line.matcher(Files.readString(node.settings().logFile())).find());
  }

  private SmtpTestClient client() throws Exception {
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    SmtpTestClient client =
        new SmtpTestClient(new InetSocketAddress(loopback, before.settings().smtpPort()));
    assertThat(client.request("EHLO it.test")).startsWith("250");
    return client;
  }

  private Received awaitFrom(String sender) throws Exception {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(received)
                    .as("Postfix said: " + postfix.log())
                    .anyMatch(r -> r.from().equals(sender)));
    return received.stream().filter(r -> r.from().equals(sender)).findFirst().orElseThrow();
  }

  private void take(SmtpSink.ReceivedMessage delivery) {
    String content =
        new String(delivery.content(), 0, delivery.length(), StandardCharsets.ISO_8859_1);
    received.add(new Received(delivery.from(), List.copyOf(delivery.recipients()), content));
  }

  /** Of outgoing connections, issuers are those that the JVM trusts. */
  private static Map<String, String> trusting(Path directory, Issued issuer) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setCertificateEntry("issuer", issuer.certificate());
    Path file = directory.resolve("trusted.p12");
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, "changeit".toCharArray());
    }
    String options =
        "-Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStorePassword=changeit".formatted(file);
    return Map.of("QUORUMAIL_JAVA_OPTS", options);
  }

  private static NodeProcess node(
      Path directory, String id, int nextHop, String sections, Map<String, String> environment)
      throws Exception {
    NodeSettings settings = NodeSettings.standAlone(id, directory, "smtp://127.0.0.1:" + nextHop);
    NodeProcess node = new NodeProcess(settings.withSections(sections), environment);
    node.start();
    node.awaitReady(Duration.ofSeconds(60));
    return node;
  }

  /** UTF-8, one character per octet, as it is on the wire. */
  private static String octets(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }
}
