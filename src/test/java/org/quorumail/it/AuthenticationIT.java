package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/**
 * Clients that others wrote log in to the packaged program, with a user that its own command added;
 * skipped where they are not installed. Nobody may relay here without logging in.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // a program to start
class AuthenticationIT {
  private static final String NAME = "alice@it.test";
  private static final String PASSWORD = "correct horse, battery = staple";

  private final AtomicInteger arrived = new AtomicInteger();

  private Path directory;
  private SmtpSink sink;
  private NodeProcess node;
  private PublicJsonWebKey issuer;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    directory = folder;
    TestCertificates.write(directory, "localhost");
    issuer = RsaJwkGenerator.generateJwk(2048);
    Files.writeString(directory.resolve("jwks.json"), new JsonWebKeySet(issuer).toJson());
    sink = SmtpSink.start(SmtpSink.Options.onPort(0), delivery -> arrived.incrementAndGet());
    NodeSettings settings =
        NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:" + sink.port())
            .withSections(
                """
                [relay]
                networks = []
                domains = ["it.test"]
                [tls]
                certificate = "%1$s/localhost.pem"
                key = "%1$s/localhost.key"
                [auth]
                users_file = "%1$s/users"
                mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"]
                failure_delay = "100ms"
                [auth.jwt]
                keys = "%1$s/jwks.json"
                issuer = "https://login.it.test"
                audience = ["mail"]
                """
                    .formatted(directory));
    settings.writeConfig();
    Files.writeString(directory.resolve("password"), PASSWORD + "\n");
    String program = System.getProperty("quorumail.home") + "/bin/quorumail";
    String file = directory.resolve("password").toString();
    String config = settings.configFile().toString();
    run(0, program, "user", "add", NAME, "--password-file", file, "-c", config);
    run(1, program, "user", "add", NAME, "--password-file", file, "-c", config);
    node = new NodeProcess(settings);
    node.start();
    node.awaitReady(Duration.ofSeconds(60));
  }

  @AfterAll
  void stop() {
    node.close();
    sink.close();
  }

  @BeforeEach
  void nothingHasArrived() {
    arrived.set(0);
  }

  @Test
  void swaksLogsInWithPlainAndLogin() throws Exception {
    for (String mechanism : List.of("PLAIN", "LOGIN")) run(0, swaks(mechanism, PASSWORD));
    awaitArrived(2);
    run(28, swaks("PLAIN", "wrong")); // swaks' code for a refused authentication
  }

  @Test
  void withoutALoginNobodyRelays() throws Exception {
    String server = "127.0.0.1:" + node.settings().smtpPort();
    run(24, "swaks", "--server", server, "--from", NAME, "--to", "b@sink.test", "--tls");
  }

  @Test
  void smtplibLogsIn() throws Exception {
    run(
        0,
        "python3",
        "-c",
        """
        import smtplib, ssl, sys
        context = ssl._create_unverified_context()
        with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as s:
            s.starttls(context=context)
            s.login(sys.argv[2], sys.argv[3])
            s.sendmail(sys.argv[2], ["b@sink.test"], "Subject: smtplib\\r\\n\\r\\nx\\r\\n")
            s.docmd("RSET")
        with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as s:
            s.starttls(context=context)
            try:
                s.login(sys.argv[2], "wrong")
                sys.exit(1)
            except smtplib.SMTPAuthenticationError as e:
                assert e.smtp_code == 535, e
        """,
        String.valueOf(node.settings().smtpPort()),
        NAME,
        PASSWORD);
    awaitArrived(1);
  }

  @Test
  void msmtpLogsInWithScramAndWithAToken() throws Exception {
    run(0, msmtp("scram-sha-256", PASSWORD));
    run(0, msmtp("oauthbearer", token("mail")));
    run(0, msmtp("xoauth2", token("mail")));
    awaitArrived(3);
    run(77, msmtp("scram-sha-256", "wrong")); // EX_NOPERM
    run(77, msmtp("oauthbearer", token("another service")));
    assertThat(arrived).hasValue(3);
  }

  @Test
  void gsaslBindsItsProofToTheConnection() throws Exception {
    requireInstalled("gsasl");
    List<String> command =
        List.of(
            "gsasl",
            "--smtp",
            "--starttls",
            "--connect=127.0.0.1:" + node.settings().smtpPort(),
            "--x509-ca-file=",
            "--authentication-id=" + NAME,
            "--password=" + PASSWORD,
            "--mechanism=SCRAM-SHA-256-PLUS");
    execute(command); // its exit code is about the end of TLS, not about the login
    String log = Files.readString(node.settings().logFile());
    assertThat(log).contains("event=authenticated mechanism=SCRAM-SHA-256-PLUS");
  }

  /** The node is the relay of another one, which starts with a wrong password. */
  @Test
  void anotherNodeLogsInAndItsMailWaitsForTheRightPassword(@TempDir Path folder) throws Exception {
    Path password = folder.resolve("relay-password");
    Files.writeString(password, "wrong\n");
    NodeSettings settings =
        NodeSettings.standAlone("two", folder, "smtp://localhost:" + node.settings().smtpPort())
            .withSections(
                """
                [[route.login]]
                username = "%s"
                password_file = "%s"
                tls = "encrypted"
                """
                    .formatted(NAME, password));
    settings.writeConfig();
    try (NodeProcess sender = new NodeProcess(settings)) {
      sender.start();
      sender.awaitReady(Duration.ofSeconds(60));
      try (SmtpTestClient client = new SmtpTestClient(settings.smtpAddress())) {
        client.request("EHLO test");
        byte[] message = "Subject: relayed\r\n\r\nx\r\n".getBytes(StandardCharsets.UTF_8);
        assertThat(client.send(NAME, List.of("b@sink.test"), message)).startsWith("250 ");
      }
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> Files.readString(settings.logFile()).contains("event=login_refused"));
      assertThat(arrived.get()).isZero();
      Files.writeString(password, PASSWORD + "\n");
      awaitArrived(1);
      assertThat(Files.readString(settings.logFile())).doesNotContain(PASSWORD, "wrong");
    }
  }

  private void awaitArrived(int messages) {
    await().atMost(Duration.ofSeconds(30)).until(() -> arrived.get() >= messages);
  }

  private String[] swaks(String mechanism, String password) {
    return new String[] {
      "swaks",
      "--server",
      "127.0.0.1:" + node.settings().smtpPort(),
      "--tls",
      "--from",
      NAME,
      "--to",
      "b@sink.test",
      "--auth",
      mechanism,
      "--auth-user",
      NAME,
      "--auth-password",
      password
    };
  }

  private String[] msmtp(String mechanism, String secret) {
    String command = "printf %s '" + secret + "'";
    return new String[] {
      "sh",
      "-c",
      "printf 'Subject: msmtp\\n\\nx\\n' | msmtp --file=/dev/null --host=127.0.0.1 --port="
          + node.settings().smtpPort()
          + " --tls=on --tls-starttls=on --tls-certcheck=off --from="
          + NAME
          + " --auth="
          + mechanism
          + " --user="
          + NAME
          + " --passwordeval=\""
          + command
          + "\" b@sink.test"
    };
  }

  private String token(String audience) throws Exception {
    JwtClaims claims = new JwtClaims();
    claims.setIssuer("https://login.it.test");
    claims.setAudience(audience);
    claims.setExpirationTimeMinutesInTheFuture(5);
    claims.setClaim("email", NAME);
    JsonWebSignature jws = new JsonWebSignature();
    jws.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
    jws.setKey(issuer.getPrivateKey());
    jws.setPayload(claims.toJson());
    return jws.getCompactSerialization();
  }

  private void run(int expected, String... command) throws Exception {
    requireInstalled(command[0].equals("sh") ? "msmtp" : command[0]);
    int exit = execute(List.of(command));
    assertThat(exit).as(Files.readString(directory.resolve("output"))).isEqualTo(expected);
  }

  private int execute(List<String> command) throws Exception {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(90, TimeUnit.SECONDS);
    if (!ended) process.destroyForcibly();
    assertThat(ended).as("%s ends", command.getFirst()).isTrue();
    return process.exitValue();
  }

  private static void requireInstalled(String program) {
    if (program.startsWith("/")) return;
    for (String folder : System.getenv("PATH").split(":")) {
      if (Files.isExecutable(Path.of(folder, program))) return;
    }
    abort(program + " is not installed");
  }
}
