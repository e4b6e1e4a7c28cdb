package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.dns.DnsResolver;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.FakeSessionView;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

class PolicyFactoryTest {
  @TempDir Path folder;

  /** A filter as somebody else would write it. */
  public static final class NoMondays implements MessageFilter {
    @Override
    public Verdict mail(SessionView session) {
      return Verdict.reject(550, "5.7.1", "No mail on Mondays");
    }
  }

  @Test
  void aNamedFilterIsAskedAndOnesThatCannotBeUsedAreNamed() throws IOException {
    Map<String, String> keys = Map.of("policy.filters.classes", NoMondays.class.getName());
    assertThat(read(keys).mail()).hasValueSatisfying(r -> assertThat(r.code()).isEqualTo(550));
    assertThatThrownBy(() -> read(Map.of("policy.filters.classes", "java.lang.Object")))
        .hasMessage("policy.filters.classes: java.lang.Object is not a MessageFilter");
    assertThatThrownBy(() -> read(Map.of("policy.filters.classes", "com.example.Missing")))
        .hasMessageContaining("com.example.Missing cannot be used");
  }

  @Test
  void withoutConfigurationOnlyTheRelayRuleSpeaksAndNoContentIsRead() throws IOException {
    FilterSession screening = read(Map.of());
    assertThat(screening.connect()).isEmpty();
    assertThat(screening.ehlo()).isEmpty();
    assertThat(screening.mail()).isEmpty();
    assertThat(screening.rcpt(MailAddress.of("a@b.example")))
        .hasValueSatisfying(r -> assertThat(r.toString()).startsWith("550 5.7.1 Relaying"));
    assertThat(screening.needsContent()).isFalse();
  }

  @Test
  void aListIsReadFromItsFileAndItsMistakesAreNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("deny"), "# spam\nbad.example # all of it\n");
    Map<String, String> keys = new HashMap<>();
    keys.put("policy.lists.deny_senders", "file:" + file);
    assertThat(read(keys).mail()).isEmpty();
    Files.writeString(file, "client.example\n");
    assertThat(read(keys).mail()).isPresent();
    Files.writeString(file, "not a domain\n");
    assertThatThrownBy(() -> read(keys)).hasMessageContaining(" line 1: \"not a");
    keys.put("policy.lists.deny_senders", "file:" + folder.resolve("missing"));
    assertThatThrownBy(() -> read(keys)).hasMessageContaining("there is no file");
  }

  @Test
  void aReloadThatComesToNothingKeepsTheDirectoryThatIsAsked() throws Exception {
    InMemoryDirectoryServer server =
        new InMemoryDirectoryServer(new InMemoryDirectoryServerConfig("dc=example"));
    server.startListening();
    try {
      Map<String, String> keys = new HashMap<>();
      keys.put("relay.domains", "a.example");
      keys.put("policy.recipients.ldap.url", "ldap://127.0.0.1:" + server.getListenPort());
      keys.put("policy.recipients.ldap.base", "dc=example");
      Config config = Config.standalone(folder, keys);
      PolicyFactory rules = rules(config);
      FilterSession screening = rules.build(config).rules().chain().open(new FakeSessionView());
      rules.commit();
      keys.put("policy.recipients.ldap.timeout", "7s");
      rules.build(Config.standalone(folder, keys)); // then a certificate was bad, say
      assertUnknown(screening, "a");
      rules.build(config);
      rules.commit();
      assertUnknown(screening, "b");
    } finally {
      server.shutDown(true);
    }
  }

  /** 550, not the 451 of a directory that cannot be asked. */
  private static void assertUnknown(FilterSession screening, String name) {
    assertThat(screening.rcpt(MailAddress.of(name + "@a.example")))
        .hasValueSatisfying(r -> assertThat(r.code()).isEqualTo(550));
  }

  private FilterSession read(Map<String, String> keys) throws IOException {
    Config config = Config.standalone(folder, keys);
    return rules(config).build(config).rules().chain().open(new FakeSessionView());
  }

  private static PolicyFactory rules(Config config) {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    Clock clock = Clock.systemUTC();
    return new PolicyFactory(
        new DnsResolver(config.delivery().dns(), clock, meters),
        new LocalPolicyState(1_000, clock),
        meters,
        clock);
  }
}
