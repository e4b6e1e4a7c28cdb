package org.quorumail;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How busy this process is. Thread-safe. */
final class ProcessLoad {
  /** A look costs some reads of the system's files, and many ask several times a second. */
  private static final long LOOK_AGAIN = Duration.ofSeconds(2).toNanos();

  private double cpu;
  private long lookAt = System.nanoTime();

  /** Share of all processors that this process used lately, 0 to 1; 0 when unknown. */
  synchronized double cpu() {
    long now = System.nanoTime();
    if (now - lookAt >= 0) {
      cpu = look();
      lookAt = now + LOOK_AGAIN;
    }
    return cpu;
  }

  private static double look() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? Math.max(0, os.getProcessCpuLoad())
        : 0;
  }
}
