package org.quorumail.api;

import java.time.Duration;
import java.util.List;

/** The API's view of the node itself. Thread-safe. */
public interface NodeView extends MaintenanceView {
  String version();

  Duration uptime();

  /** The effective configuration as records, which become JSON; the API leaves secrets out. */
  Record config();

  /**
   * The node's health at this moment. It may check disks and threads, but answers within a second
   * in any case.
   */
  NodeHealth health();

  /**
   * Whether the loops of the process make progress. The answer costs nothing: it asks neither disks
   * nor name servers.
   */
  boolean isAlive();

  /** Starts draining and leaving the cluster; returns at once. */
  void shutdown();

  /** Reloads the configuration file and the certificates. */
  ReloadResult reload();

  /**
   * The health of a node.
   *
   * @param alive whether the loops of the process make progress
   * @param draining whether the node is leaving; it is not ready then
   * @param maintenance whether an operator has taken it out of service; it is not ready then
   * @param clockSteady whether the wall clock agrees with the monotonic one; if not, nothing
   *     expires
   * @param groupsBehind groups whose replica here has not caught up although the node is ready
   */
  record NodeHealth(
      boolean alive,
      boolean draining,
      boolean maintenance,
      boolean smtpReady,
      boolean spoolReady,
      boolean deliveryReady,
      boolean dnsReady,
      boolean clusterReady,
      long queueSize,
      long maxQueueSize,
      boolean clockSteady,
      List<String> groupsBehind) {
    public NodeHealth {
      groupsBehind = List.copyOf(groupsBehind);
    }

    /** Returns whether the node should get traffic. */
    public boolean ready() {
      return alive
          && !draining
          && !maintenance
          && smtpReady
          && spoolReady
          && deliveryReady
          && dnsReady
          && clusterReady
          && queueSize <= maxQueueSize;
    }
  }

  /**
   * The result of a reload.
   *
   * @param changed keys whose new value is in force
   * @param needRestart keys that keep their old value until the next start
   * @param problems why nothing was changed; empty when the configuration is valid
   */
  record ReloadResult(List<String> changed, List<String> needRestart, List<String> problems) {
    public ReloadResult {
      changed = List.copyOf(changed);
      needRestart = List.copyOf(needRestart);
      problems = List.copyOf(problems);
    }
  }
}
