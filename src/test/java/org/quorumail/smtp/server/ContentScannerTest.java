package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContentScannerTest {
  @Test
  void cleanAsciiHasNoFinding() {
    ContentScanner scanner = scan("Subject: x\r\n\r\nbody\r\n");
    assertThat(scanner.hasEightBit()).isFalse();
    assertThat(scanner.hasEightBitHeader()).isFalse();
    assertThat(scanner.hasBareLineEnds()).isFalse();
    assertThat(scanner.hops()).isZero();
  }

  @Test
  void eightBitInTheBodyIsNotInTheHeader() {
    ContentScanner body = scan("Subject: x\r\n\r\nb\u00e9\r\n");
    assertThat(body.hasEightBit()).isTrue();
    assertThat(body.hasEightBitHeader()).isFalse();
    assertThat(scan("Subject: \u00e9\r\n\r\n").hasEightBitHeader()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nb\r\n", "\n", "a\rb\r\n", "\r\r\n", "a\r\n\r"})
  void aBareLineEndIsFoundHoweverTheContentArrives(String content) {
    assertThat(scan(content).hasBareLineEnds()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "a~0.~b, true", "0.~b, true", "a~00.00~b, true", "a~0., true", "a~.0~b, false",
    "a~0..~b, false", "a~ 0.~b, false", "a~0.x~b, false", "a0.~b, false", "a~0~.~b, false"
  })
  void aLineOfNulAndADotIsFoundHoweverTheContentArrives(String shown, boolean found) {
    String content = shown.replace("~", "\r\n").replace('0', '\0');
    assertThat(scan(content).hasNulBesideDot(true)).isEqualTo(found);
  }

  @Test
  void theReceivedFieldsOfTheHeaderAreCounted() {
    String field = "rEceiVed: from a by b\r\n\tid 1\r\n";
    assertThat(scan(field.repeat(30)).hops()).isEqualTo(30);
    String body = "\r\n" + field.repeat(30);
    assertThat(scan(field + body).hops()).as("fields of the body").isEqualTo(1);
    assertThat(scan(("X-" + field).repeat(30)).hops()).isZero();
  }

  /** Checks that pieces of one octet give the same findings as the whole. */
  private static ContentScanner scan(String content) {
    byte[] octets = content.getBytes(StandardCharsets.ISO_8859_1);
    ContentScanner whole = new ContentScanner();
    whole.accept(octets, 0, octets.length);
    ContentScanner pieces = new ContentScanner();
    for (int i = 0; i < octets.length; i++) pieces.accept(octets, i, 1);
    assertThat(pieces.hops()).isEqualTo(whole.hops());
    assertThat(pieces.hasEightBit()).isEqualTo(whole.hasEightBit());
    assertThat(pieces.hasEightBitHeader()).isEqualTo(whole.hasEightBitHeader());
    assertThat(pieces.hasNulBesideDot(true)).isEqualTo(whole.hasNulBesideDot(true));
    assertThat(pieces.hasBareLineEnds()).isEqualTo(whole.hasBareLineEnds());
    return whole;
  }
}
