package org.quorumail.tools;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.AbstractHistogram;
import org.jspecify.annotations.Nullable;

/** The result of a {@link LoadGenerator} run, as text or JSON. */
public record LoadReport(
    int requested,
    int accepted,
    Duration duration,
    Map<String, Integer> errors,
    Quantiles dotTo250,
    Quantiles transaction,
    @Nullable SinkResult endToEnd) {

  /** Latency percentiles in milliseconds. */
  public record Quantiles(double p50, double p90, double p99, double p999, double max) {
    static Quantiles of(AbstractHistogram nanos) {
      return new Quantiles(
          millisAt(nanos, 50),
          millisAt(nanos, 90),
          millisAt(nanos, 99),
          millisAt(nanos, 99.9),
          millisAt(nanos, 100));
    }

    private static double millisAt(AbstractHistogram nanos, double percentile) {
      return Math.round(nanos.getValueAtPercentile(percentile) / 1e4) / 1e2;
    }

    String toText() {
      return String.format(
          Locale.ROOT,
          "p50 %.2f ms   p90 %.2f ms   p99 %.2f ms   p99.9 %.2f ms   max %.2f ms",
          p50,
          p90,
          p99,
          p999,
          max);
    }
  }

  /** The deliveries that the sink has seen; the rate counts until the last of them. */
  public record SinkResult(
      int delivered, int duplicates, int corrupt, Duration duration, Quantiles latency) {
    double perSecond() {
      return LoadReport.perSecond(delivered, duration);
    }
  }

  /** True when every message was accepted and, with a sink, arrived unchanged. */
  public boolean isGood() {
    if (accepted < requested) return false;
    return endToEnd == null || (endToEnd.delivered() >= accepted && endToEnd.corrupt() == 0);
  }

  public double perSecond() {
    return perSecond(accepted, duration);
  }

  private static double perSecond(int messages, Duration took) {
    return took.isZero() ? 0 : Math.round(messages / (took.toNanos() / 1e9) * 10) / 10.0;
  }

  private static double seconds(Duration took) {
    return took.toMillis() / 1e3;
  }

  String toText() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "accepted     %d of %d in %.2f s: %.1f messages/s%n",
            accepted,
            requested,
            seconds(duration),
            perSecond()));
    text.append("dot to 250   ").append(dotTo250.toText()).append(System.lineSeparator());
    text.append("transaction  ").append(transaction.toText()).append(System.lineSeparator());
    if (!errors.isEmpty())
      text.append("errors       ").append(errors).append(System.lineSeparator());
    if (endToEnd != null) {
      text.append(
          String.format(
              Locale.ROOT,
              "end to end   %d delivered in %.2f s: %.1f messages/s, %d duplicates, %d corrupt%n",
              endToEnd.delivered(),
              seconds(endToEnd.duration()),
              endToEnd.perSecond(),
              endToEnd.duplicates(),
              endToEnd.corrupt()));
      text.append("latency      ")
          .append(endToEnd.latency().toText())
          .append(System.lineSeparator());
    }
    return text.toString();
  }

  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("requested", requested);
    json.put("accepted", accepted);
    json.put("seconds", seconds(duration));
    json.put("messages_per_second", perSecond());
    json.put("errors", errors);
    json.put("dot_to_250_ms", dotTo250);
    json.put("transaction_ms", transaction);
    if (endToEnd != null) {
      Map<String, Object> end = new LinkedHashMap<>();
      end.put("delivered", endToEnd.delivered());
      end.put("duplicates", endToEnd.duplicates());
      end.put("corrupt", endToEnd.corrupt());
      end.put("seconds", seconds(endToEnd.duration()));
      end.put("messages_per_second", endToEnd.perSecond());
      end.put("latency_ms", endToEnd.latency());
      json.put("end_to_end", end);
    }
    return json;
  }
}
