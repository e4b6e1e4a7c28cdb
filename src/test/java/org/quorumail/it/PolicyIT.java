package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.dns.LoopbackNameServer;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;
import org.xbill.DNS.Type;

/** Policy of the packaged program, changed by SIGHUP while it runs; all clients are strangers. */
class PolicyIT {
  private static final byte[] MESSAGE =
      "From: <a@it.test>\r\nSubject: policy\r\n\r\ntext\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final String FILTER_SERVICE = "org.quorumail.policy.MessageFilter";

  /** The sender's name chooses what the filter does; most messages pass. */
  private static final String FILTER =
      """
      import org.quorumail.policy.*;

      public final class ByName implements MessageFilter {
        @Override
        public Verdict mail(SessionView session) {
          return is(session, "reject") ? Verdict.reject(550, "5.7.1", "Not you") : Verdict.ACCEPT;
        }

        @Override
        public Verdict data(SessionView session, MessageContent content) {
          if (is(session, "quarantine")) return new Verdict.Quarantine("a look first");
          if (is(session, "header")) return Verdict.addHeader("X-By-Name", "yes");
          if (is(session, "throw")) throw new IllegalStateException("cannot tell");
          if (is(session, "error")) throw new StackOverflowError();
          return Verdict.ACCEPT;
        }

        private static boolean is(SessionView session, String name) {
          return session.sender().get().toString().startsWith(name + "@");
        }
      }
      """;

  private final List<SmtpSink.ReceivedMessage> received = new CopyOnWriteArrayList<>();
  private LoopbackNameServer names;
  private SmtpSink sink;
  private NodeSettings settings;
  private NodeProcess node;
  private int reloads;

  @TempDir private Path directory;

  @BeforeEach
  void start() throws Exception {
    names = new LoopbackNameServer();
    sink = SmtpSink.start(SmtpSink.Options.onPort(0), received::add);
    settings =
        NodeSettings.standAlone("one", directory, "smtp://127.0.0.1:" + sink.port())
            .withDelivery(
                "dns = { servers = [\"127.0.0.1:" + names.address().getPort() + "\"] }",
                "process_interval = \"1s\"")
            .withSections(strangers(""));
    Path program = ProgramWithJar.of(directory, FILTER_SERVICE, "ByName", FILTER);
    node = new NodeProcess(settings, Map.of(), program);
    node.start();
    node.awaitReady(Duration.ofSeconds(60));
  }

  @AfterEach
  void stop() {
    node.close();
    sink.close();
    names.close();
  }

  @Test
  void nmapFindsNoOpenRelay() throws Exception {
    ForeignProgram.ProgramResult ended =
        ForeignProgram.run(
            directory,
            "",
            "nmap",
            "-Pn",
            "-p",
            Integer.toString(settings.smtpPort()),
            "--script",
            "+smtp-open-relay",
            "127.0.0.1");
    assertThat(ended.output()).contains("doesn't seem to be an open relay");
  }

  @Test
  void everyPartOfThePolicyCountsAfterAReload() throws Exception {
    Path aliases = directory.resolve("aliases");
    Files.writeString(aliases, "sales@local.test: ann@local.test, bob@partner.test\n");
    Path recipients = Files.writeString(directory.resolve("recipients"), "ann@local.test\n");

    assertThat(send("anybody@local.test")).startsWith("250 ");
    aFilterFromAJarIsAsked();
    reload("recipients = \"" + recipients + "\"\n[aliases]\nfile = \"" + aliases + "\"");
    assertThat(send("anybody@local.test")).startsWith("550 5.1.1");
    assertThat(send("ann@elsewhere.test")).startsWith("550 5.7.1");
    received.clear();
    assertThat(send("sales@local.test")).startsWith("250 ");
    await().atMost(Duration.ofSeconds(30)).until(() -> recipients().size() == 2);
    assertThat(recipients()).containsExactlyInAnyOrder("ann@local.test", "bob@partner.test");

    Files.writeString(aliases, "a@local.test: b@local.test\nb@local.test: a@local.test\n");
    signal();
    await().atMost(Duration.ofSeconds(30)).until(() -> log().contains("aliases: a loop"));
    assertThat(send("sales@local.test")).startsWith("250 "); // the old rules stay

    recipientsAreAskedForOverTheNetwork();
    whatIsQuarantinedWaitsForAnOperator();

    reload("[policy.limits]\nclient_message_rate = \"2/h\"");
    assertThat(send("ann@local.test")).startsWith("250 ");
    assertThat(send("ann@local.test")).startsWith("250 ");
    assertThat(send("ann@local.test")).startsWith("450 4.7.1");

    names.add("1.0.0.127.bl.test", Type.A, "127.0.0.2");
    names.add("1.0.0.127.bl.test", Type.TXT, "\"you are listed\"");
    reload("[policy.dnsbl]\nsites = [\"bl.test=127.0.0.[2..4]\"]");
    assertThat(send("ann@local.test"))
        .startsWith("554 5.7.1")
        .contains("[127.0.0.1]")
        .endsWith("you are listed");

    reload("[policy.greylist]\nenabled = true\ndelay = \"1s\"");
    assertThat(send("ann@local.test")).startsWith("450 4.7.1 Greylisted");
    await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(500))
        .until(() -> send("ann@local.test").startsWith("250 "));
  }

  /** A custom filter from a jar, as in docs/receive.md. */
  private void aFilterFromAJarIsAsked() throws Exception {
    assertThat(send("reject@it.test", "ann@local.test")).isEqualTo("550 5.7.1 Not you");
    String held = queueId(send("quarantine@it.test", "ann@local.test"));
    assertThat(OperatorCommand.run(directory, node, "queue", "view", held).text())
        .contains("ByName: a look first");
    assertThat(send("header@it.test", "ann@local.test")).startsWith("250 ");
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(received)
                    .filteredOn(mail -> mail.from().equals("header@it.test"))
                    .singleElement()
                    .extracting(mail -> new String(mail.copy(), StandardCharsets.US_ASCII))
                    .asString()
                    .contains("\r\nX-By-Name: yes\r\nFrom: <a@it.test>"));
    for (String broken : List.of("throw@it.test", "error@it.test")) {
      assertThat(send(broken, "ann@local.test"))
          .isEqualTo("451 4.7.1 A filter is not available, try again later");
    }
    assertThat(log())
        .contains("filter=ByName stage=data reason=\"java.lang.IllegalStateException: cannot tell")
        .contains("reason=\"java.lang.StackOverflowError")
        .doesNotContain("\tat ");
  }

  private static String queueId(String accepted) {
    assertThat(accepted).startsWith("250 2.0.0 Ok: queued as ");
    return accepted.substring(accepted.lastIndexOf(' ') + 1);
  }

  private void recipientsAreAskedForOverTheNetwork() throws Exception {
    HttpServer web =
        HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 10);
    web.createContext(
        "/",
        exchange -> {
          boolean exists = exchange.getRequestURI().getPath().equals("/ann");
          exchange.sendResponseHeaders(exists ? 204 : 404, -1);
          exchange.close();
        });
    web.start();
    try {
      int port = web.getAddress().getPort();
      reload("[policy.recipients.http]\nurl = \"http://127.0.0.1:" + port + "/{local}\"");
      assertThat(send("ann@local.test")).startsWith("250 ");
      assertThat(send("bob@local.test")).startsWith("550 5.1.1");
    } finally {
      web.stop(0);
    }
    assertThat(send("eve@local.test")).startsWith("451 4.");

    var config = new InMemoryDirectoryServerConfig("dc=local");
    config.setSchema(null);
    var directoryServer = new InMemoryDirectoryServer(config);
    directoryServer.add("dn: dc=local", "objectClass: top", "dc: local");
    directoryServer.add("dn: cn=ann,dc=local", "objectClass: top", "mail: ann@local.test");
    directoryServer.startListening();
    try {
      String url = "ldap://127.0.0.1:" + directoryServer.getListenPort();
      reload("[policy.recipients.ldap]\nurl = \"" + url + "\"\nbase = \"dc=local\"");
      assertThat(send("ann@local.test")).startsWith("250 ");
      assertThat(send("*@local.test")).startsWith("550 5.1.1");
    } finally {
      directoryServer.shutDown(true);
    }
  }

  private void whatIsQuarantinedWaitsForAnOperator() throws Exception {
    reload("[[milter]]\nsocket = \"inet:127.0.0.1:1\"\ndefault_action = \"quarantine\"");
    String id = queueId(send("held@local.test"));
    assertThat(OperatorCommand.run(directory, node, "queue", "list", "--status", "held").text())
        .contains(id);
    assertThat(recipients()).doesNotContain("held@local.test");
    assertThat(OperatorCommand.run(directory, node, "queue", "release", id).exitCode()).isZero();
    await().atMost(Duration.ofSeconds(30)).until(() -> recipients().contains("held@local.test"));
  }

  private String send(String to) throws IOException {
    return send("a@it.test", to);
  }

  private String send(String from, String to) throws IOException {
    try (SmtpTestClient client = new SmtpTestClient(settings.smtpAddress())) {
      client.request("EHLO client.test");
      return client.send(from, List.of(to), MESSAGE);
    }
  }

  private List<String> recipients() {
    return received.stream().flatMap(delivery -> delivery.recipients().stream()).toList();
  }

  /** Strangers may write to local.test; more lines follow those of {@code [relay]}. */
  private static String strangers(String more) {
    return "[relay]\nnetworks = []\ndomains = [\"local.test\"]\n" + more;
  }

  private void reload(String more) throws Exception {
    settings = settings.withSections(strangers(more));
    settings.configFile().toFile().delete();
    settings.writeConfig();
    reloads++;
    signal();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(log().split("configuration_reloaded", -1)).hasSizeGreaterThan(reloads));
  }

  private void signal() throws Exception {
    new ProcessBuilder("kill", "-HUP", Long.toString(node.pid())).start().waitFor();
  }

  private String log() throws IOException {
    return Files.readString(settings.logFile());
  }
}
