package org.quorumail.metrics;

import com.sun.management.OperatingSystemMXBean;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The registry of a node, with the meters of its JVM and process, and its Prometheus export. */
public final class Metrics implements AutoCloseable {
  /** Meters of the process whose names break Prometheus' rules; ours replace them. */
  private static final Set<String> REPLACED = Set.of("process.cpu.time", "system.cpu.count");

  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics garbageCollection = new JvmGcMetrics();

  public Metrics() {
    registry
        .config()
        .meterFilter(MeterFilter.deny(id -> REPLACED.contains(id.getName())))
        .meterFilter(histograms());
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
    FunctionCounter.builder("process.cpu", PROCESS, p -> p.getProcessCpuTime() / 1e9)
        .baseUnit("seconds")
        .description("The processor time of the process")
        .register(registry);
    Gauge.builder("system.cpus", Runtime.getRuntime(), Runtime::availableProcessors)
        .description("The number of processors available to the process")
        .register(registry);
  }

  /** Timers of libraries get buckets too: quantiles of several nodes cannot be added up. */
  private static MeterFilter histograms() {
    return new MeterFilter() {
      @Override
      public DistributionStatisticConfig configure(
          Meter.Id id, DistributionStatisticConfig config) {
        boolean ready = config.getServiceLevelObjectiveBoundaries() != null;
        boolean library = id.getType() == Meter.Type.TIMER && id.getName().startsWith("jvm.");
        if (ready || !library) return config;
        double[] nanos = Arrays.stream(Buckets.work()).mapToDouble(Duration::toNanos).toArray();
        return DistributionStatisticConfig.builder()
            .serviceLevelObjectives(nanos)
            .build()
            .merge(config);
      }
    };
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
