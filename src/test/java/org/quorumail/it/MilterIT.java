package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** The packaged program with real milters: opendkim signs, rspamd refuses. */
class MilterIT {
  private static final String SIGNED =
      "From: <a@sender.test>\r\nTo: <b@sink.test>\r\nSubject: one\r\n two\r\n\r\ntext  \r\n\r\n";

  private final List<byte[]> received = new CopyOnWriteArrayList<>();
  private final List<Process> started = new ArrayList<>();

  @TempDir private Path directory;

  @AfterEach
  void stop() {
    started.forEach(Process::destroyForcibly);
  }

  @Test
  void opendkimSignsOverTcpAndUnixSocketsAndAnotherOpendkimVerifiesIt() throws Exception {
    String opendkim = program("opendkim");
    Path key = key();
    Path unix = directory.resolve("dkim.sock");
    int port = NodeSettings.freePort();
    for (String socket : List.of("inet:" + port + "@127.0.0.1", "local:" + unix)) {
      Path conf = directory.resolve(socket.startsWith("inet") ? "tcp.conf" : "unix.conf");
      Files.writeString(
          conf,
          """
          Mode s
          Domain sender.test
          Selector sel
          KeyFile %s
          RequireSafeKeys no
          Canonicalization simple/simple
          InternalHosts 127.0.0.1
          UserID root
          Socket %s
          """
              .formatted(key, socket));
      start(opendkim, "-f", "-x", conf.toString());
    }
    await().atMost(Duration.ofSeconds(30)).until(() -> Files.exists(unix) && listens(port));
    for (String socket : List.of("inet:127.0.0.1:" + port, "unix:" + unix)) {
      received.clear();
      assertThat(sendThrough(socket, SIGNED)).startsWith("250 ");
      String arrived = new String(received.getFirst(), StandardCharsets.ISO_8859_1);
      assertThat(arrived).contains("\r\nDKIM-Signature: v=1;").endsWith(SIGNED);
      assertThat(verify(opendkim, arrived)).contains("verification").contains("succeeded");
      assertThat(verify(opendkim, arrived.replace("text", "test"))).doesNotContain("succeeded");
    }
  }

  @Test
  void rspamdRefusesTheMessageThatEveryFilterRefuses() throws Exception {
    String rspamd = program("rspamd");
    int port = NodeSettings.freePort();
    Path conf = rspamdConfiguration(port);
    start(rspamd, "-f", "-u", "root", "-g", "root", "--insecure", "-c", conf.toString());
    await().atMost(Duration.ofSeconds(60)).until(() -> listens(port));
    String gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
    String head = "From: <a@sender.test>\r\nTo: <b@sink.test>\r\nSubject: x\r\n";
    String rest = "Message-ID: <1@sender.test>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n";
    String socket = "inet:127.0.0.1:" + port;
    assertThat(sendThrough(socket, head + rest + gtube + "\r\n")).startsWith("554 5.7.1");
    assertThat(received).isEmpty();
    assertThat(sendThrough(socket, head + rest + "a fine day\r\n")).startsWith("250 ");
  }

  /** Sends one message through a node with this milter; waits until it has arrived, if accepted. */
  private String sendThrough(String socket, String message) throws Exception {
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(0), d -> received.add(d.copy()));
        NodeProcess node =
            new NodeProcess(
                NodeSettings.standAlone(
                        "node-" + NodeSettings.freePort(),
                        directory,
                        "smtp://127.0.0.1:" + sink.port())
                    .withSections("[[milter]]\nsocket = \"" + socket + "\""))) {
      node.start();
      node.awaitReady(Duration.ofSeconds(60));
      try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
        client.request("EHLO client.test");
        byte[] content = message.getBytes(StandardCharsets.ISO_8859_1);
        String reply = client.send("a@sender.test", List.of("b@sink.test"), content);
        boolean accepted = reply.startsWith("2");
        if (accepted) await().atMost(Duration.ofSeconds(30)).until(() -> received.size() == 1);
        return reply;
      }
    }
  }

  private Path key() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    KeyPair pair = generator.generateKeyPair();
    String body =
        Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(pair.getPrivate().getEncoded());
    String pem = "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n";
    String published = Base64.getEncoder().encodeToString(pair.getPublic().getEncoded());
    Files.writeString(
        directory.resolve("published"),
        "sel._domainkey.sender.test v=DKIM1; k=rsa; p=" + published + "\n");
    Files.writeString(
        directory.resolve("verify.conf"),
        "Mode v\nTestPublicKeys " + directory.resolve("published") + "\n");
    return Files.writeString(directory.resolve("key.pem"), pem);
  }

  /** The verdict of an opendkim that only verifies. */
  private String verify(String opendkim, String message) throws Exception {
    Path file = directory.resolve("arrived");
    Files.writeString(file, message, StandardCharsets.ISO_8859_1);
    Process process =
        new ProcessBuilder(
                opendkim, "-x", directory.resolve("verify.conf").toString(), "-t", file.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return output;
  }

  /** The proxy worker alone, which scans by itself; no network, no database. */
  private Path rspamdConfiguration(int port) throws IOException {
    Path data = Files.createDirectories(directory.resolve("rspamd"));
    return Files.writeString(
        directory.resolve("rspamd.conf"),
        """
        options {
          pidfile = "%1$s/pid";
          dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
          filters = "";
          control_socket = "%1$s/control mode=0600";
        }
        logging { type = "console"; level = "info"; }
        worker "rspamd_proxy" {
          bind_socket = "127.0.0.1:%2$d";
          milter = yes;
          timeout = 20s;
          count = 1;
          upstream "local" { self_scan = yes; default = yes; }
        }
        actions { reject = 15; }
        """
            .formatted(data, port));
  }

  private void start(String... command) throws IOException {
    Path log = directory.resolve("milter-" + started.size() + ".log");
    started.add(
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start());
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static String program(String name) {
    for (String folder : List.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin")) {
      if (Files.isExecutable(Path.of(folder, name))) return folder + "/" + name;
    }
    abort(name + " is not installed");
    return name;
  }
}
