package org.quorumail.node;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How busy this process is. Thread-safe. */
public final class ProcessCpuUsage {
  /** Shorter spans tell of single requests, not of load. */
  public static final Duration MIN_INTERVAL = Duration.ofSeconds(2);

  private final long intervalNanos;
  private double cpu;
  private long lastSampleNanos = System.nanoTime();
  private long lastCpuNanos = cpuNanos();

  public ProcessCpuUsage(Duration span) {
    this.intervalNanos = span.toNanos();
  }

  /**
   * Share of all processors that this process used lately, 0 to 1; 0 when unknown. From its own
   * time: the system's own answer reads half a dozen files of the control group.
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

  /** Nanoseconds of processor time since the start; negative, and always the same, when unknown. */
  private static long cpuNanos() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? os.getProcessCpuTime()
        : -1;
  }
}
