package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressOrderTest {
  /** The examples of RFC 6724 §10.2, as far as they compare two destinations. */
  @ParameterizedTest
  @CsvSource({
    // destination A, source for A, destination B, source for B; A comes first
    "2001:db8:1::1, 2001:db8:1::2, 198.51.100.121, 169.254.13.78", // matching scope
    "198.51.100.121, 198.51.100.117, 2001:db8:1::1, fe80::1",
    "2001:db8:1::1, 2001:db8:1::2, 10.1.2.3, 10.1.2.4", // higher precedence
    "2002:c633:6401::1, 2002:c633:6401::2, 2001:db8:1::1, 2002:c633:6401::2", // matching label
    "2001:db8:1::1, 2001:db8:1::2, 2002:c633:6401::1, 2002:c633:6401::2",
    "198.51.100.1, 198.51.100.2, fd00::1, fd00::2", // ULA below IPv4
    "2001:db8:2::1, 2001:db8:2::2, 2001:db8:3f44::1, 2001:db8:2::2" // longest prefix
  })
  void theFirstDestinationIsPreferred(String a, String sourceA, String b, String sourceB) {
    AddressOrder order = order(Map.of(a, sourceA, b, sourceB));
    assertThat(order.sort(addresses(b, a), AddressFamily.ANY)).isEqualTo(addresses(a, b));
    assertThat(order.sort(addresses(a, b), AddressFamily.ANY)).isEqualTo(addresses(a, b));
  }

  @Test
  void anAddressWithoutARouteComesLast() {
    AddressOrder order = order(Map.of("192.0.2.1", "192.0.2.9"));
    for (AddressFamily family : List.of(AddressFamily.ANY, AddressFamily.PREFER_IPV6)) {
      assertThat(order.sort(addresses("2001:db8::1", "192.0.2.1"), family))
          .isEqualTo(addresses("192.0.2.1", "2001:db8::1"));
    }
  }

  @Test
  void thePreferenceOfTheOperatorIsStrongerThanTheTable() {
    AddressOrder order = order(Map.of("192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::9"));
    List<InetAddress> both = addresses("192.0.2.1", "2001:db8::1");
    assertThat(order.sort(both, AddressFamily.ANY))
        .isEqualTo(addresses("2001:db8::1", "192.0.2.1"));
    assertThat(order.sort(both, AddressFamily.PREFER_IPV4)).isEqualTo(both);
    assertThat(order.sort(both, AddressFamily.IPV4)).isEqualTo(addresses("192.0.2.1"));
    assertThat(order.sort(both, AddressFamily.IPV6)).isEqualTo(addresses("2001:db8::1"));
  }

  @Test
  void theFamiliesAlternate() {
    AddressOrder order = new AddressOrder(address -> Optional.of(address));
    assertThat(
            order.sort(
                addresses("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"),
                AddressFamily.PREFER_IPV4))
        .isEqualTo(addresses("192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"));
  }

  @Test
  void thisMachineReachesItself() {
    assertThat(new AddressOrder().sort(addresses("127.0.0.1", "127.0.0.2"), AddressFamily.ANY))
        .isEqualTo(addresses("127.0.0.1", "127.0.0.2"));
  }

  private static AddressOrder order(Map<String, String> sources) {
    return new AddressOrder(
        address ->
            sources.entrySet().stream()
                .filter(e -> InetAddress.ofLiteral(e.getKey()).equals(address))
                .map(e -> InetAddress.ofLiteral(e.getValue()))
                .findFirst());
  }

  private static List<InetAddress> addresses(String... texts) {
    return Arrays.stream(texts).map(InetAddress::ofLiteral).toList();
  }
}
