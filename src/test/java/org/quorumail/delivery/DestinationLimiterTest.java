package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.client.TlsRule;

class DestinationLimiterTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void theWindowStartsSmallAndGrowsWithSuccess() {
    DestinationLimiter flow = flow(20, Optional.empty());
    assertThat(admitted(flow, 0)).isEqualTo(5);
    flow.growWindow();
    assertThat(admitted(flow, 0)).isEqualTo(1);
    for (int i = 0; i < 100; i++) flow.growWindow();
    assertThat(admitted(flow, 0)).isEqualTo(14);
  }

  @Test
  void troubleHalvesTheWindow() {
    DestinationLimiter flow = flow(20, Optional.empty());
    flow.shrinkWindow();
    assertThat(admitted(flow, 0)).isEqualTo(2);
    for (int i = 0; i < 10; i++) flow.shrinkWindow();
    flow.release();
    flow.release();
    assertThat(admitted(flow, 0)).isEqualTo(1);
  }

  @Test
  void aClosedFlowOpensForOneTrial() {
    DestinationLimiter flow = flow(20, Optional.empty());
    flow.openCircuitUntil(10 * SECOND);
    assertThat(flow.admit(9 * SECOND)).isEqualTo(new Admission.CircuitOpen(10 * SECOND));
    assertThat(admitted(flow, 10 * SECOND)).isEqualTo(1);
  }

  @Test
  void aRateLimitHasABurstAndThenARate() {
    DestinationLimiter flow = flow(20, Optional.of(new RateLimit(2, 3)));
    assertThat(admitted(flow, 0)).isEqualTo(3);
    assertThat(flow.admit(0)).isEqualTo(new Admission.RateLimited(SECOND / 2));
    assertThat(admitted(flow, SECOND / 2)).isEqualTo(1);
  }

  @Test
  void aCircuitOpensAfterItsFailuresAndAdmitsOneTrialAtATime() {
    CircuitBreaker breaker =
        new CircuitBreaker(
            new CircuitBreakerConfig(3, Duration.ofSeconds(60), Duration.ofSeconds(300)));
    assertThat(breaker.failed(0)).isFalse();
    assertThat(breaker.failed(SECOND)).isFalse();
    assertThat(breaker.failed(2 * SECOND)).isTrue();
    assertThat(breaker.allows(300 * SECOND)).isFalse();
    assertThat(breaker.allows(302 * SECOND)).isTrue();
    assertThat(breaker.allows(303 * SECOND)).isFalse();
    breaker.succeeded();
    assertThat(breaker.allows(304 * SECOND)).isTrue();
    assertThat(breaker.isOpen()).isFalse();
  }

  @Test
  void failuresThatAreFarApartDoNotOpenACircuit() {
    CircuitBreaker breaker =
        new CircuitBreaker(
            new CircuitBreakerConfig(2, Duration.ofSeconds(60), Duration.ofSeconds(300)));
    assertThat(breaker.failed(0)).isFalse();
    assertThat(breaker.failed(61 * SECOND)).isFalse();
    assertThat(breaker.failed(62 * SECOND)).isTrue();
  }

  @Test
  void aHostThatNobodyTriesAnyMoreIsForgotten() {
    CircuitBreakers breakers =
        new CircuitBreakers(
            new CircuitBreakerConfig(1, Duration.ofSeconds(60), Duration.ofSeconds(300)));
    breakers.recordFailure("gone.test:25", 0);
    breakers.removeUnused(301 * SECOND);
    assertThat(breakers.openCount()).isEqualTo(1);
    breakers.removeUnused((302 + 3600) * SECOND);
    assertThat(breakers.openCount()).isZero();
    assertThat(breakers.allows("gone.test:25", 0)).isTrue();
  }

  private static int admitted(DestinationLimiter flow, long now) {
    int count = 0;
    while (flow.admit(now) instanceof Admission.Granted) count++;
    return count;
  }

  private static DestinationLimiter flow(int maxConnections, Optional<RateLimit> limit) {
    return new DestinationLimiter(
        new Destination("d", List.of(), "d", TlsRule.OPPORTUNISTIC, maxConnections, limit), 0);
  }
}
