package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.config.Config;
import org.quorumail.config.Config.RateLimit;
import org.quorumail.smtp.client.TlsRule;

class FlowTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void theWindowStartsSmallAndGrowsWithSuccess() {
    Flow flow = flow(20, Optional.empty());
    assertThat(admitted(flow, 0)).isEqualTo(5);
    flow.succeeded();
    assertThat(admitted(flow, 0)).isEqualTo(1);
    for (int i = 0; i < 100; i++) flow.succeeded();
    assertThat(admitted(flow, 0)).isEqualTo(14);
  }

  @Test
  void troubleHalvesTheWindow() {
    Flow flow = flow(20, Optional.empty());
    flow.troubled();
    assertThat(admitted(flow, 0)).isEqualTo(2);
    for (int i = 0; i < 10; i++) flow.troubled();
    flow.ended();
    flow.ended();
    assertThat(admitted(flow, 0)).isEqualTo(1);
  }

  @Test
  void aClosedFlowOpensForOneTrial() {
    Flow flow = flow(20, Optional.empty());
    flow.closeUntil(10 * SECOND);
    assertThat(flow.admit(9 * SECOND)).isEqualTo(new Admission.Closed(10 * SECOND));
    assertThat(admitted(flow, 10 * SECOND)).isEqualTo(1);
  }

  @Test
  void aRateLimitHasABurstAndThenARate() {
    Flow flow = flow(20, Optional.of(new RateLimit(2, 3)));
    assertThat(admitted(flow, 0)).isEqualTo(3);
    assertThat(flow.admit(0)).isEqualTo(new Admission.RateLimited(SECOND / 2));
    assertThat(admitted(flow, SECOND / 2)).isEqualTo(1);
  }

  @Test
  void aCircuitOpensAfterItsFailuresAndAdmitsOneTrialAtATime() {
    CircuitBreaker breaker =
        new CircuitBreaker(
            new Config.CircuitBreaker(3, Duration.ofSeconds(60), Duration.ofSeconds(300)));
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
            new Config.CircuitBreaker(2, Duration.ofSeconds(60), Duration.ofSeconds(300)));
    assertThat(breaker.failed(0)).isFalse();
    assertThat(breaker.failed(61 * SECOND)).isFalse();
    assertThat(breaker.failed(62 * SECOND)).isTrue();
  }

  @Test
  void aHostThatNobodyTriesAnyMoreIsForgotten() {
    Breakers breakers =
        new Breakers(new Config.CircuitBreaker(1, Duration.ofSeconds(60), Duration.ofSeconds(300)));
    breakers.failed("gone.test:25", 0);
    breakers.forgetOld(301 * SECOND);
    assertThat(breakers.open()).isEqualTo(1);
    breakers.forgetOld((302 + 3600) * SECOND);
    assertThat(breakers.open()).isZero();
    assertThat(breakers.allows("gone.test:25", 0)).isTrue();
  }

  private static int admitted(Flow flow, long now) {
    int count = 0;
    while (flow.admit(now) instanceof Admission.Granted) count++;
    return count;
  }

  private static Flow flow(int maxConnections, Optional<RateLimit> limit) {
    return new Flow(
        new Destination("d", List.of(), "d", TlsRule.OPPORTUNISTIC, maxConnections, limit), 0);
  }
}
