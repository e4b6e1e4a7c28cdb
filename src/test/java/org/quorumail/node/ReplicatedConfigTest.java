package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.config.ReplicatedDocument;
import org.quorumail.config.TomlDocument;

/** The cluster's configuration as a source of a node's, and the keys that may be there. */
class ReplicatedConfigTest {
  private static ReplicatedDocument document(String toml) {
    try {
      return ReplicatedDocument.parse("shared", toml);
    } catch (TomlDocument.SyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static List<String> problems(String toml) {
    return ConfigReader.problems(document(toml)).stream().map(Object::toString).toList();
  }

  private static ConfigResult.Valid read(
      String shared, String file, Map<String, String> environment) {
    return (ConfigResult.Valid)
        ConfigReader.read(Optional.of(document(shared)), file, "q.toml", environment, Map.of());
  }

  @Test
  void keysThatTakeEffectAtOnceOnEachNodeMayBeThere() {
    assertThat(
            problems(
                """
                log.level = "debug"
                [relay]
                domains = ["example.org"]
                [policy.dnsbl]
                sites = ["zen.example.org"]
                [auth]
                failures_per_ip = 10
                [[milter]]
                socket = "inet:192.0.2.1:8891"
                [aliases.domains]
                "a.test" = "b.test"
                [delivery.domains."slow.test"]
                max_connections = 2
                rate_limit = "1/s"
                """))
        .isEmpty();
  }

  @Test
  void aKeyThatCannotBeThereIsRefusedWithItsLine() {
    Map<String, String> refused =
        Map.of(
            "\nhostname = \"mx.test\"", "shared:2: hostname: cannot be in the configuration of",
            "[cluster]\nsecret = \"x\"", "shared:2: cluster.secret: ",
            "[policy.limits]\nkeys = 1000", "shared:2: policy.limits.keys: cannot be",
            "[[smtp.listeners]]\nsocket = \"0.0.0.0:25\"", "shared:1: smtp.listeners: cannot be",
            "[relay]\n\nrecipients = \"r.txt\"", "shared:3: relay.recipients: ",
            "[policy.lists]\ndeny_clients = [\"file:x\"]",
                "shared:2: policy.lists.deny_clients: names a file",
            "[policy.recipients.http]\nurl = \"https://u:p@h/x\"",
                "has a password or a key in its URL",
            "[policy.filters]\nclasses = [\"A\"]", "shared:2: policy.filters.classes: cannot be",
            "[auth.ldap]\nbind_password = \"x\"", "shared:2: auth.ldap.bind_password: cannot be",
            "[[milter]]\nsocket = \"unix:/run/m\"", "names a file");
    refused.forEach(
        (toml, problem) ->
            assertThat(problems(toml))
                .as(toml)
                .isNotEmpty()
                .anySatisfy(p -> assertThat(p).contains(problem)));
    assertThat(problems("[policy.recipients.http]\nurl = \"https://u:secret@h/x\"").toString())
        .doesNotContain("secret@");
  }

  @Test
  void aWrongValueIsNamedWithKeyAndLineWhateverTheFileOfTheNodeHas() {
    assertThat(problems("[relay]\ndomains = [\n\"ok.test\",\n\"not a domain\"]\n"))
        .singleElement()
        .asString()
        .startsWith("shared:4: relay.domains[1]: ");
    assertThat(problems("[relay]\ndomian = []\n"))
        .singleElement()
        .asString()
        .startsWith("shared:2: relay.domian: unknown key; did you mean relay.domains?");
  }

  @Test
  void theFileTheEnvironmentAndListsAsAWholeAreStronger() {
    String shared =
        """
        [relay]
        domains = ["a.test", "b.test"]
        networks = ["192.0.2.0/24"]
        [policy.tarpit]
        after_errors = 7
        error_delay = "1s"
        [[milter]]
        socket = "inet:192.0.2.1:1"
        name = "shared"
        [[milter]]
        socket = "inet:192.0.2.1:2"
        """;
    ConfigResult.Valid alone = read(shared, "", Map.of());
    assertThat(alone.overridden()).isEmpty();
    assertThat(alone.config().policy().milters()).hasSize(2);
    assertThat(alone.values().origin("relay.domains")).contains("shared:2");

    ConfigResult.Valid both =
        read(
            shared,
            "[relay]\ndomains = [\"own.test\"]\n[[milter]]\nsocket = \"inet:192.0.2.9:9\"\n",
            Map.of("QUORUMAIL_POLICY_TARPIT_AFTER_ERRORS", "9"));
    assertThat(both.overridden())
        .containsExactly("relay.domains", "policy.tarpit.after_errors", "milter");
    assertThat(both.config().relay().domains()).containsExactly("own.test");
    assertThat(both.config().relay().networks()).hasSize(1);
    assertThat(both.config().policy().tarpit().afterErrors()).isEqualTo(9);
    assertThat(both.config().policy().tarpit().errorDelay())
        .isEqualTo(java.time.Duration.ofSeconds(1));
    assertThat(both.config().policy().milters())
        .singleElement()
        .satisfies(m -> assertThat(m.name()).contains("192.0.2.9"));
    assertThat(both.values().origin("milter[0].name")).isEmpty();
  }

  @Test
  void aProblemOfBothTogetherNamesItsPlace() {
    ConfigResult result =
        ConfigReader.read(
            Optional.of(document("[policy.greylist]\ndelay = \"1m\"\n")),
            "[policy.greylist]\ndelay_secs = 90\n",
            "q.toml",
            Map.of(),
            Map.of());
    assertThat(((ConfigResult.Invalid) result).problems())
        .singleElement()
        .asString()
        .startsWith("q.toml:2: policy.greylist.delay_secs: says the same");
  }
}
