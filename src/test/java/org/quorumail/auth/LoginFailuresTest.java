package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.quorumail.auth.AuthConfig.AuthLimits;

class LoginFailuresTest {
  private final AtomicLong now = new AtomicLong();
  private final LoginFailures failures =
      new LoginFailures(new AuthLimits(3, 5, 10, Duration.ofMinutes(10), Duration.ZERO), now::get);

  @Test
  void anAddressWithTooManyFailuresIsNotHeardUntilTheWindowIsOver() throws Exception {
    for (int i = 0; i < 5; i++) {
      assertThat(failures.isBlocked(ip("192.0.2.1"))).isFalse();
      failures.recordFailure(ip("192.0.2.1"), "user" + i);
    }
    assertThat(failures.isBlocked(ip("192.0.2.1"))).isTrue();
    assertThat(failures.isBlocked(ip("192.0.2.2"))).isFalse();
    now.addAndGet(Duration.ofMinutes(10).toNanos());
    assertThat(failures.isBlocked(ip("192.0.2.1"))).isFalse();
  }

  @Test
  void theAddressesOfOneIpv6NetworkCountTogether() throws Exception {
    for (int i = 0; i < 5; i++) failures.recordFailure(ip("2001:db8::" + (i + 1)), "alice");
    assertThat(failures.isBlocked(ip("2001:db8::ffff"))).isTrue();
    assertThat(failures.isBlocked(ip("2001:db8:0:1::1"))).isFalse();
  }

  @Test
  void aNameThatManyAddressesTryIsClosedButNotForItsOwner() throws Exception {
    failures.recordSuccess(ip("198.51.100.7"), "alice");
    for (int i = 0; i < 10; i++) failures.recordFailure(ip("192.0.2." + i), "alice");
    assertThat(failures.isBlocked(ip("203.0.113.1"), "alice")).isTrue();
    assertThat(failures.isBlocked(ip("203.0.113.1"), "bob")).isFalse();
    assertThat(failures.isBlocked(ip("198.51.100.7"), "alice")).isFalse();
  }

  @Test
  void limitsOfAReloadCountAtOnce() throws Exception {
    failures.recordFailure(ip("192.0.2.1"), "alice");
    failures.updateLimits(new AuthLimits(3, 1, 10, Duration.ofMinutes(10), Duration.ZERO));
    assertThat(failures.isBlocked(ip("192.0.2.1"))).isTrue();
  }

  @Test
  void failuresThatComeAtTheSameTimeAreAllCounted() throws Exception {
    failures.updateLimits(new AuthLimits(3, 800, 800, Duration.ofMinutes(10), Duration.ZERO));
    InetAddress client = ip("192.0.2.1");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 799; i++) threads.execute(() -> failures.recordFailure(client, "alice"));
    }
    assertThat(failures.isBlocked(client)).isFalse();
    failures.recordFailure(client, "alice");
    assertThat(failures.isBlocked(client)).isTrue();
    assertThat(failures.isBlocked(ip("192.0.2.2"), "alice")).isTrue();
  }

  private static InetAddress ip(String text) throws Exception {
    return InetAddress.getByName(text);
  }
}
