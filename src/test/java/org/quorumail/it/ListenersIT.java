package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.it.ForeignProgram.ProgramResult;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.smtp.TestCertificates.Issued;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** One node with a listener of each kind, before clients and proxies that others wrote. */
class ListenersIT {
  private static final List<Mail> ARRIVED = new CopyOnWriteArrayList<>();

  private record Mail(int recipients, String text) {}

  @TempDir private static Path directory;
  private static int implicit;
  private static int proxied;
  private static int presented;
  private static int lmtp;
  private static int strict;
  private static SmtpSink sink;
  private static NodeProcess node;

  @BeforeAll
  static void start() throws Exception {
    TestCertificates.issue(
        directory, "default", null, TestCertificates.rsa(2048), "mx.it.test", "localhost");
    TestCertificates.forHosts(directory, null, "two", "*.two.test");
    TestCertificates.forHosts(directory, null, "before", "*.renew.test");
    TestCertificates.forHosts(directory, null, "after", "*.renew.test");
    replace("before.pem", "renew.pem");
    replace("before.key", "renew.key");
    Issued authority = TestCertificates.write(directory, "authority");
    TestCertificates.forHosts(directory, authority, "client", "client.it.test");
    TestCertificates.forHosts(directory, null, "stranger", "client.it.test");
    sink = SmtpSink.start(SmtpSink.Options.onPort(0), ListenersIT::take);
    implicit = NodeSettings.freePort();
    proxied = NodeSettings.freePort();
    presented = NodeSettings.freePort();
    lmtp = NodeSettings.freePort();
    strict = NodeSettings.freePort();
    NodeSettings settings =
        NodeSettings.standAlone("listeners", directory, "smtp://127.0.0.1:" + sink.port());
    node = new NodeProcess(settings.withSections(sections()));
    node.start();
    node.awaitReady(Duration.ofSeconds(60));
  }

  private static String sections() {
    return """
    [tls]
    certificate = "%1$s/default.pem"
    key = "%1$s/default.key"
    more = [{ certificate = "%1$s/two.pem", key = "%1$s/two.key" }, { certificate = "%1$s/renew.pem", key = "%1$s/renew.key" }]
    client_ca = "%1$s/authority.pem"

    [relay]
    networks = ["127.0.0.1/32"]
    certificates = ["dns:client.it.test"]
    domains = ["local.test"]

    [[smtp.listeners]]
    socket = "127.0.0.1:%2$d"
    tls = "implicit"

    [[smtp.listeners]]
    socket = "127.0.0.1:%3$d"
    proxy_protocol_from = ["127.0.0.1/32"]

    [[smtp.listeners]]
    socket = "127.0.0.1:%4$d"
    xclient_from = ["127.0.0.1/32"]

    [[smtp.listeners]]
    socket = "127.0.0.1:%5$d"
    service = "lmtp"

    [[smtp.listeners]]
    socket = "127.0.0.1:%6$d"
    client_certificates = "require"
    proxy_protocol_from = ["127.0.0.1/32"]
    """
        .formatted(directory, implicit, proxied, presented, lmtp, strict);
  }

  @AfterAll
  static void stop() {
    node.close();
    sink.close();
  }

  @BeforeEach
  void forget() {
    ARRIVED.clear();
  }

  @Test
  void opensslGetsTheCertificateOfTheNameThatItAsksFor() throws Exception {
    assertThat(handshake("-servername", "a.two.test").output()).contains("subject=CN = two");
    assertThat(handshake("-servername", "a.b.two.test").output()).contains("subject=CN = default");
    assertThat(handshake("-noservername").output()).contains("subject=CN = default");
    ProgramResult tls =
        run(
            "QUIT\n",
            "openssl",
            "s_client",
            "-crlf",
            "-ign_eof",
            "-connect",
            "localhost:" + implicit);
    assertThat(tls.output()).contains("subject=CN = default").contains("221 2.0.0");
  }

  @Test
  void opensslMayNotSpeakWhatIsOld() throws Exception {
    assertThat(handshake("-tls1_2").output())
        .contains("Cipher is ECDHE-RSA-AES256-GCM-SHA384")
        .contains("Secure Renegotiation IS supported"); // RFC 5746; that by the client is refused
    for (String old : List.of("-tls1_1", "-tls1")) {
      ProgramResult refused = handshake(old, "-cipher", "DEFAULT:@SECLEVEL=0");
      assertThat(refused.output()).as(old).contains("Cipher is (NONE)");
    }
    ProgramResult cbc =
        handshake("-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:AES128-GCM-SHA256");
    assertThat(cbc.output()).contains("Cipher is (NONE)");
  }

  @Test
  void opensslResumesItsSession() throws Exception {
    for (String version : List.of("-tls1_3", "-tls1_2")) {
      String session = directory.resolve("session" + version).toString();
      assertThat(handshake(version, "-sess_out", session).output()).contains("New, TLSv1");
      assertThat(handshake(version, "-sess_in", session).output()).contains("Reused, TLSv1");
    }
  }

  @Test
  void sslscanFindsNothingWeak() throws Exception {
    for (String target : List.of("--starttls-smtp 127.0.0.1:" + port(), "localhost:" + implicit)) {
      String[] words = ("sslscan --no-colour --xml=- " + target).split(" ");
      String found = run("", words).output();
      assertThat(found)
          .contains("type=\"tls\" version=\"1.2\" enabled=\"1\"")
          .contains("type=\"tls\" version=\"1.3\" enabled=\"1\"")
          .doesNotContainPattern("version=\"(1.0|1.1|2|3)\" enabled=\"1\"")
          .doesNotContainPattern("strength=\"(weak|null|anonymous)\"")
          // it knows no suite of TLS 1.3 as strong
          .doesNotContainPattern("TLSv1.2[^/]*strength=\"acceptable\"")
          .doesNotContainPattern("cipher=\"[^\"]*(CBC|RC4|3DES|SHA\")")
          .doesNotContainPattern("compression supported=\"1\"")
          .doesNotContainPattern("vulnerable=\"1\"")
          .contains("renegotiation supported=\"0\""); // by the client
    }
  }

  /** inputs.md T1: what came before the handshake never runs after it. */
  @Test
  void nothingThatIsPipelinedBehindStartTlsIsRun() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(octets("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@it.test>\r\n"));
      String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(all).contains("554 5.5.1 Nothing may be pipelined").doesNotContain("220 2.0.0");
    }
  }

  @Test
  void aReplacedCertificateIsShownSoonAndABadOneNever() throws Exception {
    assertThat(handshake("-servername", "a.renew.test").output()).contains("subject=CN = before");
    replace("two.pem", "renew.pem"); // the key does not fit
    await().atMost(Duration.ofSeconds(60)).until(() -> log().contains("event=certificates_kept"));
    assertThat(handshake("-servername", "a.renew.test").output()).contains("subject=CN = before");
    replace("after.pem", "renew.pem");
    replace("after.key", "renew.key");
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> handshake("-servername", "a.renew.test").output().contains("subject=CN = after"));
  }

  @Test
  void pythonAndMsmtpAndSwaksSendOverTls() throws Exception {
    String python =
        """
        import smtplib, ssl
        context = ssl._create_unverified_context()
        with smtplib.SMTP("127.0.0.1", %d) as s:
            s.starttls(context=context)
            s.sendmail("a@it.test", ["b@sink.test"], "Subject: one\\r\\n\\r\\none\\r\\n")
        with smtplib.SMTP_SSL("127.0.0.1", %d, context=context) as s:
            s.sendmail("a@it.test", ["b@sink.test"], "Subject: two\\r\\n\\r\\ntwo\\r\\n")
        """
            .formatted(port(), implicit);
    succeeds(run(python, "python3", "-"));
    succeeds(
        run(
            "Subject: three\n\nthree\n",
            "msmtp",
            "--host=127.0.0.1",
            "--port=" + port(),
            "--tls=on",
            "--tls-starttls=on",
            "--tls-certcheck=off",
            "--from=a@it.test",
            "b@sink.test"));
    succeeds(
        run(
            "",
            "swaks",
            "--server",
            "127.0.0.1:" + implicit,
            "--tls-on-connect",
            "--from",
            "a@it.test",
            "--to",
            "b@sink.test",
            "--helo",
            "it"));
    await().atMost(Duration.ofSeconds(30)).until(() -> ARRIVED.size() == 4);
    assertThat(ARRIVED).allMatch(mail -> mail.text().contains(" with ESMTPS id "));
  }

  @Test
  void haproxyTellsWhoTheClientIsInBothVersions() throws Exception {
    int v1 = NodeSettings.freePort();
    int v2 = NodeSettings.freePort();
    Path config = Files.writeString(directory.resolve("haproxy.cfg"), haproxy(v1, v2));
    Process haproxy =
        ForeignProgram.start(
            directory.resolve("haproxy.log"), "haproxy", "-db", "-f", config.toString());
    try {
      for (int port : List.of(v1, v2)) {
        await().atMost(Duration.ofSeconds(20)).until(() -> answers(port));
        succeeds(swaks(port, "127.0.0.2", "b@local.test"));
        // 127.0.0.1 may relay, and is the proxy's address; the client's is not
        assertThat(swaks(port, "127.0.0.2", "b@sink.test").output()).contains("550 5.7.1");
        assertThat(swaks(port, "127.0.0.1", "b@sink.test").exitCode()).isZero();
      }
      await().atMost(Duration.ofSeconds(30)).until(() -> ARRIVED.size() == 4);
      assertThat(ARRIVED.stream().filter(mail -> mail.text().contains("([127.0.0.2])"))).hasSize(2);
    } finally {
      haproxy.destroy();
      haproxy.waitFor();
    }
  }

  @Test
  void withoutItsProxyNobodyIsHeard() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxied)) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(octets("EHLO client.it.test\r\n"));
      assertThat(socket.getInputStream().readAllBytes()).isEmpty();
    }
  }

  @Test
  void swaksPresentsItsClientWithXclient() throws Exception {
    ProgramResult ended =
        run(
            "",
            "swaks",
            "--server",
            "127.0.0.1:" + presented,
            "--from",
            "a@it.test",
            "--to",
            "b@local.test",
            "--xclient-addr",
            "192.0.2.7",
            "--xclient-name",
            "spike.it.test",
            "--helo",
            "it");
    succeeds(ended);
    await().atMost(Duration.ofSeconds(30)).until(() -> ARRIVED.size() == 1);
    assertThat(ARRIVED.getFirst().text()).contains("(spike.it.test [192.0.2.7])");
  }

  @Test
  void aClientCertificateIsRequiredAndLetsItsOwnerRelay() throws Exception {
    String proxy = "PROXY TCP4 192.0.2.7 192.0.2.8 1 25\\r\\n"; // an address without trust
    String python =
        """
        import socket, ssl, sys
        context = ssl._create_unverified_context()
        context.load_cert_chain("%1$s/%2$s.pem", "%1$s/%2$s.key")
        s = socket.create_connection(("127.0.0.1", %3$d))
        s.sendall(b"%4$s")
        s.recv(1000); s.sendall(b"EHLO a.it.test\\r\\n"); s.recv(1000)
        s.sendall(b"STARTTLS\\r\\n"); s.recv(1000)
        s = context.wrap_socket(s)
        for line in ("EHLO a.it.test", "MAIL FROM:<a@it.test>", "RCPT TO:<b@sink.test>"):
            s.sendall(line.encode() + b"\\r\\n")
            print(s.recv(1000).decode())
        """;
    assertThat(run(python.formatted(directory, "client", strict, proxy), "python3", "-").output())
        .contains("250 2.1.5");
    assertThat(run(python.formatted(directory, "stranger", strict, proxy), "python3", "-").output())
        .doesNotContain("250 ")
        .contains("Error");
  }

  @Test
  void lmtpIsServedAndSpokenWithSeveralRecipients() throws Exception {
    String python =
        """
        import smtplib
        with smtplib.LMTP("127.0.0.1", %d) as s:
            refused = s.sendmail("a@it.test", ["b@local.test", "c@local.test", "d@sink.test"],
                                 "Subject: one\\r\\n\\r\\none\\r\\n")
            print(refused)
        """
            .formatted(lmtp);
    ProgramResult ended = run(python, "python3", "-");
    assertThat(ended.output()).contains("{}");
    await().atMost(Duration.ofSeconds(30)).until(() -> recipients() == 3);
    ARRIVED.clear();
    String id = "before-lmtp-" + NodeSettings.freePort();
    try (NodeProcess before =
        new NodeProcess(NodeSettings.standAlone(id, directory, "lmtp://127.0.0.1:" + lmtp))) {
      before.start();
      before.awaitReady(Duration.ofSeconds(60));
      try (SmtpTestClient client = new SmtpTestClient(before.settings().smtpAddress())) {
        client.request("EHLO test");
        String answer =
            client.send(
                "a@it.test",
                List.of("b@local.test", "c@local.test", "d@local.test"),
                octets("Subject: x\r\n\r\nx\r\n"));
        assertThat(answer).startsWith("250 ");
      }
      await().atMost(Duration.ofSeconds(30)).until(() -> recipients() == 3);
      assertThat(ARRIVED.getFirst().text()).contains(" with LMTP"); // with or without S
    }
  }

  private static long recipients() {
    return ARRIVED.stream().mapToLong(Mail::recipients).sum();
  }

  private static String haproxy(int v1, int v2) {
    return """
    global
    defaults
      mode tcp
      timeout connect 5s
      timeout client 30s
      timeout server 30s
    listen v1
      bind 127.0.0.1:%d
      server node 127.0.0.1:%d send-proxy
    listen v2
      bind 127.0.0.1:%d
      server node 127.0.0.1:%2$d send-proxy-v2
    """
        .formatted(v1, proxied, v2);
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
      socket.setSoTimeout(5000);
      return socket.getInputStream().read() == '2';
    } catch (java.io.IOException e) {
      return false;
    }
  }

  private static ProgramResult swaks(int port, String from, String to) throws Exception {
    return run(
        "",
        "swaks",
        "--server",
        "127.0.0.1:" + port,
        "--local-interface",
        from,
        "--from",
        "a@it.test",
        "--to",
        to,
        "--helo",
        "it");
  }

  private static ProgramResult handshake(String... options) throws Exception {
    List<String> words = new java.util.ArrayList<>();
    words.addAll(List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port()));
    words.addAll(List.of("-starttls", "smtp", "-crlf", "-ign_eof"));
    words.addAll(List.of(options));
    return run("EHLO it.test\nQUIT\n", words.toArray(String[]::new));
  }

  private static ProgramResult run(String input, String... command) throws Exception {
    return ForeignProgram.run(directory, input, command);
  }

  private static void succeeds(ProgramResult ended) {
    assertThat(ended.exitCode()).as(ended.output()).isZero();
  }

  private static void replace(String by, String file) throws Exception {
    Files.copy(directory.resolve(by), directory.resolve(file), StandardCopyOption.REPLACE_EXISTING);
  }

  private static int port() {
    return node.settings().smtpPort();
  }

  private static String log() throws Exception {
    return Files.readString(node.settings().logFile());
  }

  private static void take(SmtpSink.ReceivedMessage mail) {
    String text = new String(mail.copy(), StandardCharsets.ISO_8859_1);
    ARRIVED.add(new Mail(mail.recipients().size(), text));
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
