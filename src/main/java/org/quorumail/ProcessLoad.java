package org.quorumail;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How busy this process is. */
final class ProcessLoad {
  private ProcessLoad() {}

  /** Share of all processors that this process used lately, 0 to 1; 0 when unknown. */
  static double cpu() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
        ? Math.max(0, os.getProcessCpuLoad())
        : 0;
  }
}
