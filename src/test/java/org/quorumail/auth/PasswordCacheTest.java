package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PasswordCacheTest {
  private final AtomicLong now = new AtomicLong();
  private final PasswordCache cache = new PasswordCache(now::get);
  private final ScramKeys stored = keys("first salt of all");

  @Test
  void aProofHoldsForItsKeysAndItsPasswordOnly() {
    cache.add(stored, "pencil");
    assertThat(cache.contains(stored, "pencil")).isTrue();
    assertThat(cache.contains(stored, "paper")).isFalse();
    assertThat(cache.contains(keys("another salt here"), "pencil")).isFalse();
  }

  @Test
  void aProofExpiresHoweverOftenItIsUsed() {
    long half = PasswordCache.TIME_TO_LIVE.toNanos() / 2;
    cache.add(stored, "pencil");
    now.addAndGet(half);
    assertThat(cache.contains(stored, "pencil")).isTrue();
    cache.add(stored, "pencil");
    now.addAndGet(half + 1);
    assertThat(cache.contains(stored, "pencil")).isFalse();
  }

  private static ScramKeys keys(String salt) {
    return ScramKeys.derive("pencil", salt.getBytes(StandardCharsets.US_ASCII), 4096);
  }
}
