package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTest {
  @ParameterizedTest
  @CsvSource({
    "192.0.2.0/24, 192.0.2.0/24",
    "' 192.0.2.7 ', 192.0.2.7/32",
    "0.0.0.0/0, 0.0.0.0/0",
    "2001:db8::/32, 2001:db8:0:0:0:0:0:0/32",
    "[2001:db8::]/32, 2001:db8:0:0:0:0:0:0/32",
    "::ffff:192.0.2.0/120, 192.0.2.0/24",
    "::ffff:0.0.0.0/96, 0.0.0.0/0",
  })
  void aNetworkIsReadAsItIsMeant(String text, String network) {
    assertThat(Network.parse(text)).hasToString(network);
  }

  /** The JDK reads most of these as another address, or asks a name server. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "10/8",
        "192.168/16",
        "1.2.3",
        "3232235777",
        "010.0.0.0/8",
        "0x7f.0.0.1",
        "cafe",
        "abc.de",
        "192.0.2.0/+24",
        "192.0.2.0/024",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/",
        "/8",
        "",
        "192.0.2.256",
        "::ffff:192.0.2.0/24",
        "192.0.2.0/255.255.255.0",
        "fe80::1%eth0",
        "::1/129"
      })
  void otherTextsAreRefused(String text) {
    assertThatThrownBy(() -> Network.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a network is written as address/bits");
  }

  @Test
  void bitsAfterThePrefixAreRefusedWithBothMeanings() {
    assertThatThrownBy(() -> Network.parse("192.0.2.77/24"))
        .hasMessage("192.0.2.77/24 has bits after its prefix: write 192.0.2.0/24 or 192.0.2.77");
  }

  @Test
  void aMappedNetworkContainsIpv4() throws Exception {
    assertThat(Network.parse("::ffff:192.0.2.0/120").contains(InetAddress.getByName("192.0.2.9")))
        .isTrue();
  }
}
