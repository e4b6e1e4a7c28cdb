package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocalPartTest {
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "bob,bob,bob",
        "\"bob\",bob,bob",
        "\"b\\ob\",bob,bob",
        "\"\\b\\o\\b\",bob,bob",
        "\"Bob.Dole\",Bob.Dole,Bob.Dole",
        "\"o'hara+x=y\",o'hara+x=y,o'hara+x=y",
        "\"b o\\b\",\"b ob\",\"b ob\"",
        "\"a\\@b\",\"a@b\",\"a@b\"",
        "\"a\\\"b\",\"a\\\"b\",\"a\\\"b\"",
        "\"a\\\\b\",\"a\\\\b\",\"a\\\\b\"",
        "\"\",\"\",\"\"",
        "\".\",\".\",\".\"",
        "\"a..b\",\"a..b\",a..b",
        "a..b,a..b,a..b",
        "\"a.\",\"a.\",a.",
        "\"m\u00fcller\",m\u00fcller,m\u00fcller",
        "\"a\\\",\"a\\\",\"a\\\"",
      })
  void allWaysToWriteAMailboxAreOne(String written, String sent, String canonical) {
    assertThat(LocalPart.minimallyQuoted(written)).isEqualTo(sent);
    assertThat(LocalPart.canonical(written)).isEqualTo(canonical);
    assertThat(LocalPart.canonical(sent)).isEqualTo(canonical);
    assertThat(LocalPart.lookupKey(written))
        .isEqualTo(canonical.toLowerCase(java.util.Locale.ROOT));
  }

  @Test
  void anEntryOfAListIsReadInTheFormOfMessages() {
    assertThat(AddressPattern.parse("\"B\\ob\"@A.example").toString()).isEqualTo("Bob@a.example");
    assertThat(AddressPattern.parse("\"B\\ob\"@A.example").lookupKey()).isEqualTo("bob@a.example");
    assertThat(AddressPattern.parse("\"a..b\"@a.example").lookupKey()).isEqualTo("a..b@a.example");
    assertThat(AddressPattern.parse("@A.example").lookupKey()).isEqualTo("@a.example");
    assertThat(AddressPattern.parse(".A.example").lookupKey()).isEqualTo("*.a.example");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"a\"b\"@a.example", "\"a\\\"@a.example", "\"a@a.example"})
  void aNameWhoseQuotesDoNotFitIsRefused(String entry) {
    assertThatThrownBy(() -> AddressPattern.parse(entry))
        .hasMessageContaining("a quoted name ends");
  }
}
