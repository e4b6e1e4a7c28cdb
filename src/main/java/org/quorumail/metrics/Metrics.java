package org.quorumail.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The registry of a node, with the meters of its JVM and process, and its Prometheus export. */
public final class Metrics implements AutoCloseable {
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics garbageCollection = new JvmGcMetrics();

  public Metrics() {
    List<MeterBinder> binders =
        List.of(
            new ClassLoaderMetrics(),
            new JvmMemoryMetrics(),
            new JvmThreadMetrics(),
            garbageCollection,
            new ProcessorMetrics(),
            new FileDescriptorMetrics(),
            new UptimeMetrics());
    binders.forEach(binder -> binder.bindTo(registry));
  }

  /** The registry in which the parts of a node register their meters. */
  public MeterRegistry registry() {
    return registry;
  }

  /**
   * Exports all metrics in Prometheus' text format.
   *
   * @param names only metrics with these names; empty: all
   */
  public String scrape(Set<String> names) {
    String contentType = "text/plain; version=0.0.4";
    if (names.isEmpty()) return registry.scrape(contentType);
    Set<String> families = new HashSet<>();
    for (String name : names) families.add(name.replaceFirst("_(total|count|sum|bucket|max)$", ""));
    return registry.scrape(contentType, families);
  }

  @Override
  public void close() {
    garbageCollection.close();
    registry.close();
  }
}
