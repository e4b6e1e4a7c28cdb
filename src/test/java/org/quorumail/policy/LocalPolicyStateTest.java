package org.quorumail.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.quorumail.config.RateLimit;

class LocalPolicyStateTest {
  private final AtomicLong millis = new AtomicLong(1_000_000);
  private final LocalPolicyState state =
      new LocalPolicyState(100, () -> Instant.ofEpochMilli(millis.get()));

  @Test
  void aRateGrantsItsBurstAndThenItsShareOfTime() {
    RateLimit twoPerSecond = new RateLimit(2, 3);
    for (int i = 0; i < 3; i++) assertThat(state.tryAcquire("a", twoPerSecond)).isTrue();
    assertThat(state.tryAcquire("a", twoPerSecond)).isFalse();
    assertThat(state.tryAcquire("b", twoPerSecond)).isTrue();
    millis.addAndGet(500);
    assertThat(state.tryAcquire("a", twoPerSecond)).isTrue();
    assertThat(state.tryAcquire("a", twoPerSecond)).isFalse();
    millis.addAndGet(60_000);
    for (int i = 0; i < 3; i++) assertThat(state.tryAcquire("a", twoPerSecond)).isTrue();
    assertThat(state.tryAcquire("a", twoPerSecond)).isFalse();
  }

  @Test
  void whoIsRefusedDoesNotPayForIt() {
    RateLimit one = new RateLimit(1, 1);
    assertThat(state.tryAcquire("a", one)).isTrue();
    for (int i = 0; i < 100; i++) assertThat(state.tryAcquire("a", one)).isFalse();
    millis.addAndGet(1_000);
    assertThat(state.tryAcquire("a", one)).isTrue();
  }

  @Test
  void valuesExpireAndTheMemoryIsBounded() {
    state.put("k", "v", Duration.ofSeconds(1));
    assertThat(state.find("k")).contains("v");
    millis.addAndGet(1_001);
    assertThat(state.find("k")).isEmpty();
    for (int i = 0; i < 10_000; i++) state.put("k" + i, "v", Duration.ofDays(1));
    assertThat(state.size()).isLessThanOrEqualTo(100);
  }
}
