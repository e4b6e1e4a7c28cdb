package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LatenciesTest {
  @Test
  void percentilesAreExactToThreePercent() {
    Latencies latencies = new Latencies();
    for (int micros = 1; micros <= 10_000; micros++) latencies.record(micros * 1000L);
    assertNear(latencies.percentile(0.5), Duration.ofMillis(5));
    assertNear(latencies.percentile(0.99), Duration.ofNanos(9_900_000));
    assertThat(latencies.percentile(1)).isEqualTo(Duration.ofMillis(10));
    assertThat(latencies.max()).isEqualTo(Duration.ofMillis(10));
  }

  @Test
  void mergedHistogramsCountBoth() {
    Latencies slow = new Latencies();
    Latencies fast = new Latencies();
    for (int i = 0; i < 90; i++) fast.record(1000);
    for (int i = 0; i < 10; i++) slow.record(Duration.ofHours(1).toNanos());
    fast.add(slow);
    assertThat(fast.count()).isEqualTo(100);
    assertNear(fast.percentile(0.9), Duration.ofNanos(1000));
    assertNear(fast.percentile(0.91), Duration.ofHours(1));
  }

  @Test
  void anEmptyHistogramAnswersZero() {
    assertThat(new Latencies().percentile(0.99)).isZero();
  }

  private static void assertNear(Duration actual, Duration expected) {
    double ratio = (double) actual.toNanos() / expected.toNanos();
    assertThat(ratio).isBetween(0.97, 1.04);
  }
}
