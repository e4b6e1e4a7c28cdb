package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProcessCpuUsageTest {
  @Test
  void aProcessThatWorksIsSeenAndItsShareIsNeverMoreThanAll() {
    ProcessCpuUsage load = new ProcessCpuUsage(Duration.ofMillis(20));
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              long until = System.nanoTime() + Duration.ofMillis(50).toNanos();
              while (System.nanoTime() < until) Thread.onSpinWait();
              assertThat(load.cpu()).isBetween(0.0, 1.0);
              return load.cpu() > 0.01;
            });
  }
}
