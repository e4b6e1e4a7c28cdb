package org.quorumail.policy.checks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.MailAddress;

class AddressSetTest {
  @Test
  void domainsInUnicodeAreReadInTheirAsciiForm() throws IOException {
    AddressSet set =
        set("Ann@B\u00fccher.example", "m\u00fcnchen.example", "*.stra\u00dfe.example");
    assertThat(set.contains(MailAddress.of("ann@xn--bcher-kva.example"))).isTrue();
    assertThat(set.contains(MailAddress.of("bob@xn--bcher-kva.example"))).isFalse();
    assertThat(set.contains(MailAddress.of("x@xn--mnchen-3ya.example"))).isTrue();
    assertThat(set.contains(MailAddress.of("x@a.xn--strae-oqa.example"))).isTrue();
    assertThat(set.contains(MailAddress.of("x@xn--strae-oqa.example"))).isFalse();
  }

  @Test
  void anotherSpellingOfAnAddressIsTheSameAddress() throws IOException {
    AddressSet set = set("bob@a.example", "\"an\\n\"@a.example", "\"x y\"@a.example");
    for (String listed : List.of("bob", "\"bob\"", "\"b\\ob\"", "ann", "\"x\\ y\"")) {
      assertThat(set.contains(MailAddress.of(listed + "@a.example"))).as(listed).isTrue();
    }
    assertThat(set.contains(MailAddress.of("\"b ob\"@a.example"))).isFalse();
  }

  @Test
  void aDomainWithoutADotIsWrittenWithAnAtSign() throws IOException {
    assertThat(set("@localhost").contains(MailAddress.of("root@localhost"))).isTrue();
    assertThatThrownBy(() -> set("bob"))
        .hasMessage("key: \"bob\" has no dot: write \"@bob\" for a domain, or name@domain");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"*@a.example", "<ann@a.example>", "a..example", "*", "ann@a b", "192.0.2.1"})
  void anEntryThatNoAddressCanMatchIsRefused(String entry) {
    assertThatThrownBy(() -> set(entry)).hasMessageStartingWith("key: ");
  }

  private static AddressSet set(String... entries) throws IOException {
    return AddressSet.parse(ListEntry.readAll("key", List.of(entries)));
  }
}
