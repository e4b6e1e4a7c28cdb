package org.quorumail.gossip.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SeedAddressTest {
  @ParameterizedTest
  @CsvSource({
    "mail-1.example.org:25, mail-1.example.org, 25",
    "under_score, under_score, 7946",
    "192.0.2.1:7947, 192.0.2.1, 7947",
    "[2001:db8::1]:1, 2001:db8::1, 1",
    "[2001:db8::1], 2001:db8::1, 7946",
    "2001:db8::1, 2001:db8::1, 7946",
    "host:65535, host, 65535"
  })
  void hostsAndPortsAreRead(String text, String host, int port) {
    assertThat(SeedAddress.parse(text)).isEqualTo(new SeedAddress(host, port));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        ":1",
        "host:",
        "host:0",
        "host:65536",
        "host:123456",
        "host:+1",
        "[::1",
        "[]:1",
        "[::1]x",
        "[::1]:",
        "[::1]:x"
      })
  void otherTextIsRejected(String text) {
    assertThatThrownBy(() -> SeedAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anAddressReadsWhatItWrites() {
    SeedAddress seed = new SeedAddress("2001:db8::1", 7_947);
    assertThat(seed).hasToString("[2001:db8::1]:7947");
    assertThat(SeedAddress.parse(seed.toString())).isEqualTo(seed);
  }
}
