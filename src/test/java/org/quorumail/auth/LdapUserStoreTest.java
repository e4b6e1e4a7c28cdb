package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.util.ssl.PEMFileKeyManager;
import com.unboundid.util.ssl.SSLUtil;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.auth.AuthConfig.LdapConfig;
import org.quorumail.auth.UserStore.PasswordCheck;
import org.quorumail.config.Secret;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.TestCertificates;

/** Against UnboundID's directory server in memory. */
class LdapUserStoreTest {
  private static final String BASE = "dc=example,dc=org";

  @TempDir private Path folder;
  private InMemoryDirectoryServer server;

  @BeforeEach
  void start() throws Exception {
    TestCertificates.write(folder, "127.0.0.1");
    var keys =
        new PEMFileKeyManager(
            folder.resolve("127.0.0.1.pem").toFile(), folder.resolve("127.0.0.1.key").toFile());
    SSLUtil tls = new SSLUtil(keys, null);
    InetAddress loopback = InetAddress.getLoopbackAddress();
    InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig(BASE);
    config.addAdditionalBindCredentials("cn=mail", "service");
    config.setAuthenticationRequiredOperationTypes(com.unboundid.ldap.sdk.OperationType.SEARCH);
    config.setListenerConfigs(
        InMemoryListenerConfig.createLDAPConfig("plain", loopback, 0, tls.createSSLSocketFactory()),
        InMemoryListenerConfig.createLDAPSConfig(
            "tls", loopback, 0, tls.createSSLServerSocketFactory(), null));
    server = new InMemoryDirectoryServer(config);
    server.add("dn: " + BASE, "objectClass: domain", "dc: example");
    server.add("dn: ou=people," + BASE, "objectClass: organizationalUnit", "ou: people");
    person("alice", "pencil", "alice@example.org", "sales@example.org");
    person("bob", "paper", "bob@example.org");
    server.startListening();
  }

  @AfterEach
  void stop() {
    server.shutDown(true);
  }

  @Test
  void aUserIsFoundByNameOrAddressAndBound() throws Exception {
    try (LdapUserStore users = users(false)) {
      assertRight(users.checkPassword("alice", "pencil"));
      assertRight(users.checkPassword("alice@example.org", "pencil"));
      assertThat(users.checkPassword("alice", "paper")).isInstanceOf(PasswordCheck.Wrong.class);
      assertThat(users.checkPassword("nobody", "pencil")).isInstanceOf(PasswordCheck.Wrong.class);
      assertRight(users.checkPassword("bob", "paper"));
    }
  }

  /** RFC 4513 §5.1.2: a bind without password succeeds at many servers and proves nothing. */
  @Test
  void anEmptyPasswordProvesNothing() throws Exception {
    try (LdapUserStore users = users(false)) {
      assertThat(users.checkPassword("alice", "")).isNotInstanceOf(PasswordCheck.Correct.class);
    }
  }

  @Test
  void aNameCannotChangeTheFilter() throws Exception {
    try (LdapUserStore users = users(false)) {
      for (String name : List.of("*", "alice)(uid=*", "a*", "alice\\2a", "*)(objectClass=*")) {
        assertThat(users.checkPassword(name, "pencil"))
            .as(name)
            .isInstanceOf(PasswordCheck.Wrong.class);
      }
    }
  }

  @Test
  void theAddressesOfTheEntryAreTheUsers() throws Exception {
    try (LdapUserStore users = users(false)) {
      User alice = users.findUser("alice").orElseThrow();
      assertThat(alice.maySendAs(MailAddress.of("sales@example.org"))).isTrue();
      assertThat(alice.maySendAs(MailAddress.of("bob@example.org"))).isFalse();
      assertThat(users.findUser("nobody")).isEmpty();
    }
  }

  @Test
  void aNameOfSeveralEntriesIsNobodysHoweverManyTheyAre() throws Exception {
    person("carol", "pencil", "team@example.org");
    person("dave", "pencil", "team@example.org");
    try (LdapUserStore users = users(false)) {
      assertThat(users.checkPassword("team@example.org", "pencil"))
          .isInstanceOf(PasswordCheck.Wrong.class);
      person("erin", "pencil", "team@example.org"); // now above the size limit of the search
      assertThat(users.checkPassword("team@example.org", "pencil"))
          .isInstanceOf(PasswordCheck.Wrong.class);
      assertThat(users.findUser("team@example.org")).isEmpty();
    }
  }

  @Test
  void tlsFromTheBeginningWorksToo() throws Exception {
    try (LdapUserStore users = users(true)) {
      assertRight(users.checkPassword("alice", "pencil"));
    }
  }

  @Test
  void aServerWithAnotherCertificateIsNotTrusted() throws Exception {
    TestCertificates.write(folder, "other");
    try (LdapUserStore users =
        LdapUserStore.open(config(uri("ldaps", server.getListenPort("tls")), "other.pem"))) {
      assertThat(users.checkPassword("alice", "pencil"))
          .isInstanceOf(PasswordCheck.Unavailable.class);
    }
  }

  @Test
  void aDirectoryThatIsDownSaysNothingAboutAPassword() throws Exception {
    try (LdapUserStore users = users(false)) {
      assertRight(users.checkPassword("alice", "pencil"));
      server.shutDown(true);
      assertThat(users.checkPassword("alice", "pencil"))
          .isInstanceOf(PasswordCheck.Unavailable.class);
      assertThat(users.findUser("alice")).isEmpty();
    }
  }

  @Test
  void aDirectoryThatNeverAnswersIsGivenUp() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        LdapUserStore users = LdapUserStore.open(config(uri("ldap", silent.getLocalPort()), ""))) {
      assertThat(users.checkPassword("alice", "pencil"))
          .isInstanceOf(PasswordCheck.Unavailable.class);
    }
  }

  @Test
  void aPoolOfOneServesManyAfterEachOther() throws Exception {
    try (LdapUserStore users = users(false)) {
      for (int i = 0; i < 20; i++) {
        users.checkPassword("alice", "wrong" + i);
        assertRight(users.checkPassword("bob", "paper"));
      }
    }
  }

  private LdapUserStore users(boolean implicit) throws Exception {
    URI uri =
        implicit
            ? uri("ldaps", server.getListenPort("tls"))
            : uri("ldap", server.getListenPort("plain"));
    return LdapUserStore.open(config(uri, "127.0.0.1.pem"));
  }

  private static URI uri(String scheme, int port) {
    return URI.create(scheme + "://127.0.0.1:" + port);
  }

  private LdapConfig config(URI uri, String ca) {
    return new LdapConfig(
        List.of(uri),
        true,
        ca.isEmpty() ? Optional.empty() : Optional.of(folder.resolve(ca)),
        Optional.of("cn=mail"),
        Optional.of(new Secret("service".getBytes(StandardCharsets.UTF_8))),
        "ou=people," + BASE,
        "(|(uid=%u)(mail=%u))",
        "mail",
        Duration.ofSeconds(2),
        1);
  }

  private void person(String uid, String password, String... mail) throws Exception {
    var entry =
        new com.unboundid.ldap.sdk.Entry(
            "dn: uid=" + uid + ",ou=people," + BASE,
            "objectClass: inetOrgPerson",
            "uid: " + uid,
            "cn: " + uid,
            "sn: " + uid,
            "userPassword: " + password);
    entry.addAttribute("mail", mail);
    server.add(entry);
  }

  private static void assertRight(PasswordCheck check) {
    assertThat(check).isInstanceOf(PasswordCheck.Correct.class);
  }
}
