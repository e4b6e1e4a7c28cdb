package org.quorumail.api;

import java.time.Duration;
import java.util.List;

/** The node itself, as the API asks it. Implemented by the composition root. Thread-safe. */
public interface NodeView {
  String version();

  Duration uptime();

  /** The effective configuration as records, which become JSON; the API leaves secrets out. */
  Record config();

  /**
   * How things are at this moment. May look at disks and threads, but answers within a second
   * whatever state they are in.
   */
  NodeHealth health();

  /** Starts to drain and leave; returns at once. */
  void shutdown();

  /** Reads file and certificates again. */
  ReloadResult reload();

  /**
   * @param alive whether the loops of the process make progress
   * @param draining whether the node is leaving; it is not ready then
   */
  record NodeHealth(
      boolean alive,
      boolean draining,
      boolean smtpReady,
      boolean spoolReady,
      boolean deliveryReady,
      boolean dnsReady,
      boolean clusterReady,
      long queueSize,
      long maxQueueSize) {

    /** Whether traffic should come here. */
    public boolean ready() {
      return alive
          && !draining
          && smtpReady
          && spoolReady
          && deliveryReady
          && dnsReady
          && clusterReady
          && queueSize <= maxQueueSize;
    }
  }

  /**
   * What a reload did.
   *
   * @param changed keys whose new value counts now
   * @param needRestart keys that keep their old value until the next start
   * @param problems why nothing was changed; empty when the configuration is good
   */
  record ReloadResult(List<String> changed, List<String> needRestart, List<String> problems) {
    public ReloadResult {
      changed = List.copyOf(changed);
      needRestart = List.copyOf(needRestart);
      problems = List.copyOf(problems);
    }
  }
}
