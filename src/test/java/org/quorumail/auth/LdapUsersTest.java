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
import org.quorumail.auth.Users.PasswordCheck;
import org.quorumail.config.AuthConfig.Ldap;
import org.quorumail.config.Secret;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.TestCertificates;

/** Against UnboundID's directory server in memory. */
class LdapUsersTest {
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
    try (LdapUsers users = users(false)) {
      assertRight(users.check("alice", "pencil"));
      assertRight(users.check("alice@example.org", "pencil"));
      assertThat(users.check("alice", "paper")).isInstanceOf(PasswordCheck.Wrong.class);
      assertThat(users.check("nobody", "pencil")).isInstanceOf(PasswordCheck.Wrong.class);
      assertRight(users.check("bob", "paper"));
    }
  }

  /** RFC 4513 §5.1.2: a bind without password succeeds at many servers and proves nothing. */
  @Test
  void anEmptyPasswordProvesNothing() throws Exception {
    try (LdapUsers users = users(false)) {
      assertThat(users.check("alice", "")).isNotInstanceOf(PasswordCheck.Right.class);
    }
  }

  @Test
  void aNameCannotChangeTheFilter() throws Exception {
    try (LdapUsers users = users(false)) {
      for (String name : List.of("*", "alice)(uid=*", "a*", "alice\\2a", "*)(objectClass=*")) {
        assertThat(users.check(name, "pencil")).as(name).isInstanceOf(PasswordCheck.Wrong.class);
      }
    }
  }

  @Test
  void theAddressesOfTheEntryAreTheUsers() throws Exception {
    try (LdapUsers users = users(false)) {
      User alice = users.known("alice").orElseThrow();
      assertThat(alice.maySendAs(MailAddress.of("sales@example.org"))).isTrue();
      assertThat(alice.maySendAs(MailAddress.of("bob@example.org"))).isFalse();
      assertThat(users.known("nobody")).isEmpty();
    }
  }

  @Test
  void tlsFromTheBeginningWorksToo() throws Exception {
    try (LdapUsers users = users(true)) {
      assertRight(users.check("alice", "pencil"));
    }
  }

  @Test
  void aServerWithAnotherCertificateIsNotTrusted() throws Exception {
    TestCertificates.write(folder, "other");
    try (LdapUsers users =
        new LdapUsers(config(uri("ldaps", server.getListenPort("tls")), "other.pem"))) {
      assertThat(users.check("alice", "pencil")).isInstanceOf(PasswordCheck.Unavailable.class);
    }
  }

  @Test
  void aDirectoryThatIsDownSaysNothingAboutAPassword() throws Exception {
    try (LdapUsers users = users(false)) {
      assertRight(users.check("alice", "pencil"));
      server.shutDown(true);
      assertThat(users.check("alice", "pencil")).isInstanceOf(PasswordCheck.Unavailable.class);
      assertThat(users.known("alice")).isEmpty();
    }
  }

  @Test
  void aDirectoryThatNeverAnswersIsGivenUp() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        LdapUsers users = new LdapUsers(config(uri("ldap", silent.getLocalPort()), ""))) {
      assertThat(users.check("alice", "pencil")).isInstanceOf(PasswordCheck.Unavailable.class);
    }
  }

  @Test
  void aPoolOfOneServesManyAfterEachOther() throws Exception {
    try (LdapUsers users = users(false)) {
      for (int i = 0; i < 20; i++) {
        users.check("alice", "wrong" + i);
        assertRight(users.check("bob", "paper"));
      }
    }
  }

  private LdapUsers users(boolean implicit) throws Exception {
    URI uri =
        implicit
            ? uri("ldaps", server.getListenPort("tls"))
            : uri("ldap", server.getListenPort("plain"));
    return new LdapUsers(config(uri, "127.0.0.1.pem"));
  }

  private static URI uri(String scheme, int port) {
    return URI.create(scheme + "://127.0.0.1:" + port);
  }

  private Ldap config(URI uri, String ca) {
    return new Ldap(
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
    assertThat(check).isInstanceOf(PasswordCheck.Right.class);
  }
}
