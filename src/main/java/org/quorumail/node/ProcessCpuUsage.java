package org.quorumail.node;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** The share of the processors that this process uses. Thread-safe. */
public final class ProcessCpuUsage {
  /** The shortest span that is measured; shorter ones show single requests, not load. */
  public static final Duration MIN_INTERVAL = Duration.ofSeconds(2);

  private final long intervalNanos;
  private double cpu;
  private long lastSampleNanos = System.nanoTime();
  private long lastCpuNanos = cpuNanos();

  public ProcessCpuUsage(Duration span) {
    this.intervalNanos = span.toNanos();
  }

  /**
   * The share of all processors that this process used lately, 0 to 1; 0 when unknown. It is
   * computed from the processor time of the process: the system's own figure reads half a dozen
   * files of the control group.
   */
  public synchronized double cpu() {
    long elapsed = System.nanoTime() - lastSampleNanos;
    if (elapsed >= intervalNanos) {
      long used = cpuNanos();
      double all = (double) elapsed * Runtime.getRuntime().availableProcessors();
      cpu = Math.clamp((used - lastCpuNanos) / all, 0, 1);
      lastCpuNanos = used;
      lastSampleNanos += elapsed;
    }
    return cpu;
  }

  /** Nanoseconds of processor time since the start; a negative constant when unknown. */
  private static long cpuNanos() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? os.getProcessCpuTime()
        : -1;
  }
}
