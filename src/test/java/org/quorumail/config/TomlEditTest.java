package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TomlEditTest {
  private static final String DOCUMENT =
      """
      # all nodes
      log.level = "info"

      [relay]        # who may
      domains = [    # ours
        "a.test",
        "b.test",
      ]              # so far
      networks = ["192.0.2.0/24"]
      # end

      [aliases.domains]
      "old.test" = "new.test"

      [[route]]
      domain = "x.test"
      to = ["mx"]
      """;

  private static String set(String text, String key, String value) throws Exception {
    return TomlEdit.of(text, key).set(value);
  }

  @Test
  void aValueIsReplacedAndEveryOtherLineStays() throws Exception {
    assertThat(set(DOCUMENT, "log.level", "debug"))
        .isEqualTo(DOCUMENT.replace("\"info\"", "\"debug\""));
    assertThat(set(DOCUMENT, "relay.domains", "[\"c.test\"]"))
        .contains("domains = [\"c.test\"]              # so far\nnetworks = [\"192.0.2.0/24\"]\n");
    assertThat(set(DOCUMENT, "aliases.domains.\"old.test\"", "c.test"))
        .contains("\"old.test\" = \"c.test\"\n");
  }

  @Test
  void aNewKeyStandsInItsTableOrInANewOneOrWithItsPath() throws Exception {
    assertThat(set(DOCUMENT, "relay.certificates", "[]"))
        .contains("networks = [\"192.0.2.0/24\"]\ncertificates = []\n# end\n");
    assertThat(set(DOCUMENT, "aliases.domains.\"b.test\"", "c.test"))
        .contains("\"old.test\" = \"new.test\"\n\"b.test\" = \"c.test\"\n");
    assertThat(set(DOCUMENT, "delivery.max_attempts", "7"))
        .isEqualTo(DOCUMENT + "[delivery]\nmax_attempts = 7\n");
    assertThat(set("log.level = \"info\"\n", "log.format", "json"))
        .isEqualTo("log.format = \"json\"\nlog.level = \"info\"\n");
    assertThat(set("", "delivery.max_retry_delay", "2h"))
        .isEqualTo("[delivery]\nmax_retry_delay = \"2h\"\n");
    assertThat(set("[relay]", "relay.domains", "[]")).isEqualTo("[relay]\ndomains = []\n");
  }

  @Test
  void aKeyIsRemovedWithItsLinesAlone() throws Exception {
    assertThat(TomlEdit.of(DOCUMENT, "relay.domains").unset())
        .contains("[relay]        # who may\nnetworks = [\"192.0.2.0/24\"]\n# end\n")
        .contains("# all nodes\nlog.level");
    assertThat(TomlEdit.of(DOCUMENT, "log.level").unset()).startsWith("# all nodes\n\n[relay]");
    assertThat(TomlEdit.of("[a]\nb = 1", "a.b").unset()).isEqualTo("[a]\n");
  }

  @Test
  void aTextIsQuotedWhateverItHas() throws Exception {
    String text = set("", "aliases.catch_all", "a\"b\\c\nd = 1 # é");
    assertThat(TomlDocument.parse(text).root().path("aliases").path("catch_all").asString())
        .isEqualTo("a\"b\\c\nd = 1 # é");
  }

  @ParameterizedTest
  @ValueSource(strings = {"route.domain", "route", "log.level.x", "policy.tarpit.x"})
  void aKeyThatCannotBeChangedAloneIsRefused(String key) {
    String text = DOCUMENT.replace("# all nodes", "policy = { tarpit = { error_delay = 1 } }");
    assertThatThrownBy(() -> TomlEdit.of(text, key).set("1"))
        .isInstanceOf(TomlEdit.EditException.class)
        .hasMessage(
            key
                + " cannot be changed alone: change the whole document with 'cluster config set"
                + " FILE'");
  }

  @Test
  void aKeyThatIsNotThereOrIsNoKeyIsRefused() {
    assertThatThrownBy(() -> TomlEdit.of(DOCUMENT, "relay.x").unset())
        .hasMessage("relay.x is not set");
    assertThatThrownBy(() -> TomlEdit.of(DOCUMENT, "a.b.c").unset()).hasMessage("a.b.c is not set");
    for (String key : new String[] {"", "a b", "a.", "a\nb = 1\nc", "a = 1 #"}) {
      assertThatThrownBy(() -> TomlEdit.of(DOCUMENT, key))
          .as(key)
          .hasMessageContaining("is not a key");
    }
    assertThatThrownBy(() -> TomlEdit.of("a = ", "b")).hasMessageContaining("line 1 is not TOML");
  }
}
