package org.quorumail.metrics;

import org.quorumail.config.Section;

/** {@code [metrics]}: whether Prometheus may read the metrics. */
public record MetricsConfig(boolean enabled) {
  public static MetricsConfig read(Section metrics) {
    metrics.unavailable("endpoint", "\"\"", "OTLP/HTTP collector");
    metrics.unavailable("exporters", "[]", "further exporters");
    metrics.unavailable("export_interval", "\"30s\"", "how often the exporters send");
    metrics.unavailable("aliases", "[]", "the same series under other prefixes");
    return new MetricsConfig(metrics.flag("enabled", true, "whether /metrics is served"));
  }
}
