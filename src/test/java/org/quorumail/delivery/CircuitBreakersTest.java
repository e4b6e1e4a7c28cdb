package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class CircuitBreakersTest {
  private static final long SECOND = 1_000_000_000L;
  private static final String HOST = "mx.test:25";

  @Test
  void aCircuitOpensAfterItsFailuresAndAllowsOneTrialAtATime() {
    CircuitBreakers breakers = breakers(3);
    breakers.recordFailure(HOST, 0);
    breakers.recordFailure(HOST, SECOND);
    assertThat(breakers.openCount()).isZero();
    breakers.recordFailure(HOST, 2 * SECOND);
    assertThat(breakers.openCount()).isEqualTo(1);
    assertThat(breakers.openUntil(HOST, 3 * SECOND)).isEqualTo(302 * SECOND);
    assertThat(breakers.allows(HOST, 300 * SECOND)).isFalse();
    assertThat(breakers.allows("other.test:25", 300 * SECOND)).isTrue();
    assertThat(breakers.allows(HOST, 302 * SECOND)).isTrue();
    assertThat(breakers.allows(HOST, 303 * SECOND)).isFalse();
    breakers.recordSuccess(HOST);
    assertThat(breakers.allows(HOST, 304 * SECOND)).isTrue();
    assertThat(breakers.openCount()).isZero();
  }

  @Test
  void failuresThatAreFarApartDoNotOpenACircuit() {
    CircuitBreakers breakers = breakers(2);
    breakers.recordFailure(HOST, 0);
    breakers.recordFailure(HOST, 61 * SECOND);
    assertThat(breakers.openCount()).isZero();
    breakers.recordFailure(HOST, 62 * SECOND);
    assertThat(breakers.openCount()).isEqualTo(1);
  }

  @Test
  void aHostThatNobodyTriesAnyMoreIsForgotten() {
    CircuitBreakers breakers = breakers(1);
    breakers.recordFailure(HOST, 0);
    breakers.removeUnused(301 * SECOND);
    assertThat(breakers.openCount()).isEqualTo(1);
    breakers.removeUnused((302 + 3600) * SECOND);
    assertThat(breakers.openCount()).isZero();
    assertThat(breakers.allows(HOST, 0)).isTrue();
  }

  private static CircuitBreakers breakers(int failures) {
    return new CircuitBreakers(
        new CircuitBreakerConfig(failures, Duration.ofSeconds(60), Duration.ofSeconds(300)));
  }
}
