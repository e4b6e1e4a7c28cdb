package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdnaTest {
  /** The first seven from RFC 3492 §7.1, without its letters in upper case. */
  @ParameterizedTest
  @CsvSource({
    "ليهمابتكلموشعربي؟,", // the question mark is no letter
    "他们为什么不说中文, xn--ihqwcrb4cv8a8dqg056pqjye",
    "他們爲什麽不說中文, xn--ihqwctvzc91f659drss3x8bo0yb",
    "почемужеонинеговорятпорусски, xn--b1abfaaepdrnnbgefbadotcwatmq2g4l",
    "porquénopuedensimplementehablarenespañol,"
        + " xn--porqunopuedensimplementehablarenespaol-fmd56a",
    "3年b組金八先生, xn--3b-ww4c5e180e575a65lsy2b",
    "bücher, xn--bcher-kva",
    "BÜCHER, xn--bcher-kva",
    "straße, xn--strae-oqa",
    "faß.ExAmPlE, xn--fa-hia.example",
    "ｆｕｌｌ.example, full.example",
    "例え。テスト, xn--r8jz45g.xn--zckzah",
    "ℒocal.example, local.example", // letters that are small only in their plain form
    "𝚨.example, xn--mxa.example",
  })
  void namesHaveTheirAsciiForm(String name, String ascii) {
    assertThat(Idna.toAscii(name)).isEqualTo(java.util.Optional.ofNullable(ascii));
  }

  @Test
  void decomposedAndComposedAreTheSameName() {
    assertThat(Idna.toAscii("bu\u0308cher")).isEqualTo(Idna.toAscii("b\u00fccher"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\u202eb", "\u0308x", "a b\u00fc", "\u00fc\u2603", "\ud83d\ude00"})
  void whatNoNameMayHaveIsRefused(String name) {
    assertThat(Idna.toAscii(name)).isEmpty();
  }
}
