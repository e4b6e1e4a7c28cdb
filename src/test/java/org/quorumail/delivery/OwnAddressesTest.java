package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OwnAddressesTest {
  private final OwnAddresses ours = new OwnAddresses();

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.9.9.9", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1"})
  void loopbackAndWildcardAreOurs(String address) {
    assertThat(ours.test(InetAddress.ofLiteral(address))).isTrue();
  }

  @Test
  void everyAddressOfThisMachineIsOurs() throws SocketException {
    assertThat(NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses))
        .isNotEmpty()
        .allMatch(ours);
  }

  @Test
  void anAddressForDocumentationElsewhereIsNot() {
    assertThat(ours.test(InetAddress.ofLiteral("2001:db8:ffff::1"))).isFalse();
  }
}
