package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LoadReportTest {
  @Test
  void percentilesAreMillisecondsExactToOneInAThousand() {
    Histogram nanos = new Histogram(3);
    for (int micros = 1; micros <= 10_000; micros++) nanos.recordValue(micros * 1000L);

    LoadReport.Quantiles quantiles = LoadReport.Quantiles.of(nanos);

    assertThat(quantiles.p50()).isCloseTo(5, within(0.01));
    assertThat(quantiles.p90()).isCloseTo(9, within(0.01));
    assertThat(quantiles.p99()).isCloseTo(9.9, within(0.01));
    assertThat(quantiles.p999()).isCloseTo(9.99, within(0.01));
    assertThat(quantiles.max()).isCloseTo(10, within(0.01));
  }

  @Test
  void withoutMessagesEveryFigureIsZero() {
    LoadReport report = new LoadRun(Workload.of(1, 5, 100), Duration.ZERO, true).report();

    assertThat(report.dotTo250()).isEqualTo(new LoadReport.Quantiles(0, 0, 0, 0, 0));
    assertThat(report.isGood()).isFalse();
    assertThat(report.toText()).contains("accepted     0 of 5", "end to end   0 delivered");
  }

  @Test
  void theFieldsOfTheJsonStayAsScriptsKnowThem() {
    LoadRun run = new LoadRun(Workload.of(1, 1, 100), Duration.ofSeconds(1), false);
    run.recordReply(Duration.ofMillis(20).toNanos());
    run.recordAccepted(Duration.ofHours(2).toNanos()); // counts as an hour
    run.recordError("451");

    Map<String, Object> json = run.report().toJson();

    assertThat(json)
        .containsOnlyKeys(
            "requested",
            "accepted",
            "seconds",
            "messages_per_second",
            "errors",
            "dot_to_250_ms",
            "transaction_ms")
        .containsEntry("accepted", 1)
        .containsEntry("errors", Map.of("451", 1));
    assertThat(OutputFormat.json(json)).contains("\"dot_to_250_ms\":{\"p50\":20.0");
    assertThat(run.report().transaction().max()).isCloseTo(3_600_000, within(3_600.0));
  }
}
