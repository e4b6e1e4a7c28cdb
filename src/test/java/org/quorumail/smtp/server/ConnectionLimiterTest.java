package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class ConnectionLimiterTest {
  private final ConnectionLimiter limiter =
      new ConnectionLimiter(new ListenerLimits(3, 1, 1, 0, 1, 512, 30));

  @Test
  void anAddressHasItsShareAndGetsItBack() throws Exception {
    ConnectionLimiter.Permit first = limiter.acquire().orElseThrow();
    ConnectionLimiter.Permit second = limiter.acquire().orElseThrow();
    assertThat(first.assignTo(address(1))).isEmpty();
    assertThat(second.assignTo(address(1))).get().asString().startsWith("421 4.7.0");
    second.release();
    first.release();
    assertThat(limiter.acquire().orElseThrow().assignTo(address(1))).isEmpty();
  }

  @Test
  void anotherClientOnTheSameConnectionFreesTheFormerAddress() throws Exception {
    ConnectionLimiter.Permit proxied = limiter.acquire().orElseThrow();
    assertThat(proxied.assignTo(address(1))).isEmpty();
    assertThat(proxied.assignTo(address(2))).isEmpty();
    assertThat(limiter.acquire().orElseThrow().assignTo(address(1))).isEmpty();
    assertThat(limiter.acquire().orElseThrow().assignTo(address(2))).isPresent();
  }

  @Test
  void theAddressesOfAnIpv6NetworkAreOneClient() throws Exception {
    ConnectionLimiter.Permit first = limiter.acquire().orElseThrow();
    ConnectionLimiter.Permit second = limiter.acquire().orElseThrow();
    ConnectionLimiter.Permit third = limiter.acquire().orElseThrow();
    assertThat(first.assignTo(InetAddress.getByName("2001:db8:0:1::1"))).isEmpty();
    assertThat(second.assignTo(InetAddress.getByName("2001:db8:0:1:ffff::2"))).isPresent();
    assertThat(third.assignTo(InetAddress.getByName("2001:db8:0:2::1"))).isEmpty();
    first.release();
    second.release();
    assertThat(limiter.acquire().orElseThrow().assignTo(InetAddress.getByName("2001:db8:0:1::9")))
        .isEmpty();
  }

  @Test
  void theListenerHasALimitAcrossAddresses() {
    for (int i = 0; i < 3; i++) assertThat(limiter.acquire()).isPresent();
    assertThat(limiter.acquire()).isEmpty();
    assertThat(limiter.active()).isEqualTo(3);
  }

  @Test
  void aPermitThatIsReleasedTwiceIsABug() {
    ConnectionLimiter.Permit permit = limiter.acquire().orElseThrow();
    permit.release();
    assertThatThrownBy(permit::release).isInstanceOf(IllegalStateException.class);
    assertThat(limiter.active()).isZero();
  }

  private static InetAddress address(int last) throws UnknownHostException {
    return InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, (byte) last});
  }
}
