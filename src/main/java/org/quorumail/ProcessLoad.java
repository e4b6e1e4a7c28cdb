package org.quorumail;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How busy this process is. Thread-safe. */
final class ProcessLoad {
  /** Shorter spans tell of single requests, not of load. */
  static final Duration SPAN = Duration.ofSeconds(2);

  private final long span;
  private double cpu;
  private long lookedAt = System.nanoTime();
  private long usedThen = used();

  ProcessLoad(Duration span) {
    this.span = span.toNanos();
  }

  /**
   * Share of all processors that this process used lately, 0 to 1; 0 when unknown. From its own
   * time: the system's own answer reads half a dozen files of the control group.
   */
  synchronized double cpu() {
    long elapsed = System.nanoTime() - lookedAt;
    if (elapsed >= span) {
      long used = used();
      double all = (double) elapsed * Runtime.getRuntime().availableProcessors();
      cpu = Math.clamp((used - usedThen) / all, 0, 1);
      usedThen = used;
      lookedAt += elapsed;
    }
    return cpu;
  }

  /** Nanoseconds of processor time since the start; negative, and always the same, when unknown. */
  private static long used() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? os.getProcessCpuTime()
        : -1;
  }
}
