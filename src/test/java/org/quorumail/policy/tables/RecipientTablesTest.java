package org.quorumail.policy.tables;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.policy.RecipientTable.Existence.KNOWN;
import static org.quorumail.policy.RecipientTable.Existence.UNAVAILABLE;
import static org.quorumail.policy.RecipientTable.Existence.UNKNOWN;

import com.sun.net.httpserver.HttpServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.util.ssl.PEMFileKeyManager;
import com.unboundid.util.ssl.SSLUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.RecipientTable;
import org.quorumail.policy.RecipientTable.Existence;
import org.quorumail.smtp.TestCertificates;

class RecipientTablesTest {
  @TempDir Path folder;

  @Test
  void anHttpServiceIsAskedAndItsStatusIsTheAnswer() throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    CountDownLatch never = new CountDownLatch(1);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 10);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + body);
          String all = exchange.getRequestURI() + body;
          try {
            if (all.contains("slow")) never.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          int status =
              all.contains("ann")
                  ? 204
                  : all.contains("gone") ? 410 : all.contains("err") ? 500 : 404;
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
    try {
      String base = "http://127.0.0.1:" + server.getAddress().getPort();
      HttpRecipientTable table =
          new HttpRecipientTable(http(base + "/x?a={address}&l={local}&d={domain}", false));
      assertThat(find(table, "ann@a.example")).isEqualTo(KNOWN);
      assertThat(find(table, "bob@a.example")).isEqualTo(UNKNOWN);
      assertThat(find(table, "gone@a.example")).isEqualTo(UNKNOWN);
      assertThat(find(table, "err@a.example")).isEqualTo(UNAVAILABLE);
      assertThat(find(table, "slow@a.example")).isEqualTo(UNAVAILABLE);
      find(table, "a&d=x#/../+ b@a.example");
      assertThat(asked)
          .contains("GET /x?a=ann%40a.example&l=ann&d=a.example ")
          .anyMatch(line -> line.contains("l=a%26d%3Dx%23%2F..%2F%2B%20b&d=a.example"));
      HttpRecipientTable posts = new HttpRecipientTable(http(base + "/", true));
      assertThat(find(posts, "\"a\\\"ann\"@a.example")).isEqualTo(KNOWN);
      assertThat(asked).contains("POST / {\"address\":\"\\\"a\\\\\\\"ann\\\"@a.example\"}");
    } finally {
      never.countDown();
      server.stop(0);
    }
    HttpRecipientTable gone = new HttpRecipientTable(http("http://127.0.0.1:1/", false));
    assertThat(find(gone, "ann@a.example")).isEqualTo(UNAVAILABLE);
  }

  @Test
  void aDirectoryIsAskedWithAnEscapedFilter() throws Exception {
    InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig("dc=a,dc=example");
    config.setSchema(null);
    config.addAdditionalBindCredentials("cn=mail", "secret");
    config.setAuthenticationRequiredOperationTypes(com.unboundid.ldap.sdk.OperationType.SEARCH);
    InMemoryDirectoryServer server = new InMemoryDirectoryServer(config);
    server.add("dn: dc=a,dc=example", "objectClass: top", "dc: a");
    server.add(
        "dn: uid=ann,dc=a,dc=example", "objectClass: top", "uid: ann", "mail: ann@a.example");
    server.startListening();
    Path password = Files.writeString(folder.resolve("password"), "secret\n");
    PolicyConfig.LdapTableConfig settings =
        ldap("ldap://127.0.0.1:" + server.getListenPort(), Optional.of(password));
    try (LdapRecipientTable table = LdapRecipientTable.open(settings)) {
      assertThat(find(table, "ann@a.example")).isEqualTo(KNOWN);
      assertThat(find(table, "bob@a.example")).isEqualTo(UNKNOWN);
      assertThat(find(table, "*@a.example")).isEqualTo(UNKNOWN);
      assertThat(find(table, "x)(uid=ann@a.example")).isEqualTo(UNKNOWN);
      server.shutDown(true);
      assertThat(find(table, "ann@a.example")).isEqualTo(UNAVAILABLE);
    }
    Path wrong = Files.writeString(folder.resolve("wrong"), "guess\n");
    try (LdapRecipientTable table =
        LdapRecipientTable.open(ldap(settings.url().toString(), Optional.of(wrong)))) {
      assertThat(find(table, "ann@a.example")).isEqualTo(UNAVAILABLE);
    }
  }

  /** A relay between table and directory sees what a host on the way sees. */
  @Test
  void withStartTlsNobodyOnTheWayReadsThePassword() throws Exception {
    InMemoryDirectoryServer server = directoryWithTls();
    Path password = Files.writeString(folder.resolve("password"), "secret-word\n");
    Optional<Path> ca = Optional.of(folder.resolve("127.0.0.1.pem"));
    try (TcpRelay relay = new TcpRelay(server.getListenPort())) {
      String url = "ldap://127.0.0.1:" + relay.port();
      try (LdapRecipientTable plain = LdapRecipientTable.open(ldap(url, Optional.of(password)))) {
        assertThat(find(plain, "ann@a.example")).isEqualTo(KNOWN);
        assertThat(relay.received()).contains("secret-word");
      }
      relay.forget();
      PolicyConfig.LdapTableConfig settings = ldap(url, Optional.of(password), true, ca);
      try (LdapRecipientTable secured = LdapRecipientTable.open(settings)) {
        assertThat(find(secured, "ann@a.example")).isEqualTo(KNOWN);
        assertThat(find(secured, "bob@a.example")).isEqualTo(UNKNOWN);
        assertThat(relay.received()).isNotEmpty().doesNotContain("secret-word", "ann@a.example");
      }
    } finally {
      server.shutDown(true);
    }
  }

  @Test
  void withoutTheCertificateOfTheHostNothingIsSent() throws Exception {
    InMemoryDirectoryServer server = directoryWithTls();
    Path password = Files.writeString(folder.resolve("password"), "secret-word\n");
    TestCertificates.write(folder, "other");
    try (TcpRelay relay = new TcpRelay(server.getListenPort())) {
      String byAddress = "ldap://127.0.0.1:" + relay.port();
      String byName = "ldap://localhost:" + relay.port(); // the certificate has the address alone
      Path other = folder.resolve("other.pem");
      Path own = folder.resolve("127.0.0.1.pem");
      for (PolicyConfig.LdapTableConfig settings :
          List.of(
              ldap(byAddress, Optional.of(password), true, Optional.of(other)),
              ldap(byAddress, Optional.of(password), true, Optional.empty()),
              ldap(byName, Optional.of(password), true, Optional.of(own)))) {
        try (LdapRecipientTable table = LdapRecipientTable.open(settings)) {
          assertThat(find(table, "ann@a.example")).as(settings.toString()).isEqualTo(UNAVAILABLE);
        }
      }
      assertThat(relay.received()).doesNotContain("secret-word", "ann@a.example");
    } finally {
      server.shutDown(true);
    }
  }

  @Test
  void aDirectoryWithoutStartTlsGetsNoPassword() throws Exception {
    InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig("dc=a,dc=example");
    InMemoryDirectoryServer server = new InMemoryDirectoryServer(config);
    server.startListening();
    Path password = Files.writeString(folder.resolve("password"), "secret-word\n");
    try (TcpRelay relay = new TcpRelay(server.getListenPort());
        LdapRecipientTable table =
            LdapRecipientTable.open(
                ldap(
                    "ldap://127.0.0.1:" + relay.port(),
                    Optional.of(password),
                    true,
                    Optional.empty()))) {
      assertThat(find(table, "ann@a.example")).isEqualTo(UNAVAILABLE);
      assertThat(relay.received()).isNotEmpty().doesNotContain("secret-word", "ann@a.example");
    } finally {
      server.shutDown(true);
    }
  }

  private InMemoryDirectoryServer directoryWithTls() throws Exception {
    TestCertificates.write(folder, "127.0.0.1");
    var keys =
        new PEMFileKeyManager(
            folder.resolve("127.0.0.1.pem").toFile(), folder.resolve("127.0.0.1.key").toFile());
    InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig("dc=a,dc=example");
    config.setSchema(null);
    config.addAdditionalBindCredentials("cn=mail", "secret-word");
    config.setAuthenticationRequiredOperationTypes(com.unboundid.ldap.sdk.OperationType.SEARCH);
    config.setListenerConfigs(
        InMemoryListenerConfig.createLDAPConfig(
            "plain",
            InetAddress.getLoopbackAddress(),
            0,
            new SSLUtil(keys, null).createSSLSocketFactory()));
    InMemoryDirectoryServer server = new InMemoryDirectoryServer(config);
    server.add("dn: dc=a,dc=example", "objectClass: top", "dc: a");
    server.add(
        "dn: uid=ann,dc=a,dc=example", "objectClass: top", "uid: ann", "mail: ann@a.example");
    server.startListening();
    return server;
  }

  @Test
  void answersAreKeptForATimeAndFailuresAreNot() {
    AtomicInteger asked = new AtomicInteger();
    AtomicLong nanos = new AtomicLong();
    RecipientTable counting =
        address -> {
          asked.incrementAndGet();
          return address.localPart().equals("fails") ? UNAVAILABLE : KNOWN;
        };
    CachingRecipientTable cached =
        new CachingRecipientTable(counting, Duration.ofSeconds(60), 10, nanos::get);
    for (int i = 0; i < 5; i++) assertThat(find(cached, "ann@a.example")).isEqualTo(KNOWN);
    assertThat(asked).hasValue(1);
    for (int i = 0; i < 5; i++) assertThat(find(cached, "fails@a.example")).isEqualTo(UNAVAILABLE);
    assertThat(asked).hasValue(6);
    nanos.addAndGet(Duration.ofSeconds(61).toNanos());
    find(cached, "ann@a.example");
    assertThat(asked).hasValue(7);
  }

  @Test
  void aTableThatIsAskedAboutTheDomainAloneKnowsNoRoutes() throws Exception {
    MailAddress route = MailAddress.of("x%far.example@a.example");
    HttpRecipientTable domains = new HttpRecipientTable(http("http://127.0.0.1:1/{domain}", false));
    assertThat(domains.findExact(route)).isEqualTo(UNKNOWN);
    HttpRecipientTable names = new HttpRecipientTable(http("http://127.0.0.1:1/{local}", false));
    assertThat(names.findExact(route)).isEqualTo(UNAVAILABLE); // it was asked
    HttpRecipientTable posts = new HttpRecipientTable(http("http://127.0.0.1:1/", true));
    assertThat(posts.findExact(route)).isEqualTo(UNAVAILABLE);
    PolicyConfig.LdapTableConfig named = ldap("ldap://127.0.0.1:1", Optional.empty());
    PolicyConfig.LdapTableConfig byDomain =
        new PolicyConfig.LdapTableConfig(
            named.url(),
            false,
            Optional.empty(),
            named.base(),
            "(associatedDomain={domain})",
            "",
            Optional.empty(),
            named.timeout(),
            Duration.ZERO,
            0);
    try (LdapRecipientTable table = LdapRecipientTable.open(byDomain)) {
      assertThat(table.findExact(route)).isEqualTo(UNKNOWN);
    }
    RecipientTable domainOnly =
        new RecipientTable() {
          @Override
          public Existence find(MailAddress address) {
            return KNOWN;
          }

          @Override
          public Existence findExact(MailAddress address) {
            return UNKNOWN;
          }
        };
    RecipientTable cached =
        new CachingRecipientTable(domainOnly, Duration.ofSeconds(60), 10, System::nanoTime);
    RecipientTable all = new CombinedRecipientTable(List.of(cached));
    for (int i = 0; i < 2; i++) {
      assertThat(all.find(route)).isEqualTo(KNOWN);
      assertThat(all.findExact(route)).isEqualTo(UNKNOWN);
    }
  }

  @Test
  void whoIsInOneOfSeveralTablesExists() {
    assertThat(any(UNKNOWN, KNOWN)).isEqualTo(KNOWN);
    assertThat(any(UNAVAILABLE, KNOWN)).isEqualTo(KNOWN);
    assertThat(any(UNKNOWN, UNKNOWN)).isEqualTo(UNKNOWN);
    assertThat(any(UNKNOWN, UNAVAILABLE)).isEqualTo(UNAVAILABLE);
  }

  private static Existence any(Existence... answers) {
    List<RecipientTable> tables =
        java.util.Arrays.stream(answers).<RecipientTable>map(a -> address -> a).toList();
    return find(new CombinedRecipientTable(tables), "x@y");
  }

  private static Existence find(RecipientTable table, String address) {
    return table.find(MailAddress.of(address));
  }

  private static PolicyConfig.HttpTableConfig http(String url, boolean post) {
    return new PolicyConfig.HttpTableConfig(url, post, Duration.ofSeconds(2), Duration.ZERO, 0);
  }

  private static PolicyConfig.LdapTableConfig ldap(String url, Optional<Path> password) {
    return ldap(url, password, false, Optional.empty());
  }

  private static PolicyConfig.LdapTableConfig ldap(
      String url, Optional<Path> password, boolean startTls, Optional<Path> ca) {
    return new PolicyConfig.LdapTableConfig(
        URI.create(url),
        startTls,
        ca,
        "dc=a,dc=example",
        "(mail={address})",
        "cn=mail",
        password,
        Duration.ofSeconds(2),
        Duration.ZERO,
        0);
  }
}
