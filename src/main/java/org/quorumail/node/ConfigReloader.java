package org.quorumail.node;

import java.util.List;
import java.util.function.Consumer;
import org.quorumail.api.NodeView.ReloadResult;
import org.quorumail.cluster.ClusterConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reload of the configuration: reads the sources again, applies the result, and informs the
 * parts that are concerned. Thread-safe: one reload runs at a time.
 */
public final class ConfigReloader {
  private static final Logger LOG = LoggerFactory.getLogger(ConfigReloader.class);

  private final ConfigSources sources;
  private final LiveConfig config;
  private final Consumer<ClusterConfig> onSecrets;
  private final Consumer<ReloadResult> onReload;

  /**
   * @param onSecrets called when a reload has brought other secrets of the cluster
   * @param onReload called after each reload that took effect
   */
  public ConfigReloader(
      ConfigSources sources,
      LiveConfig config,
      Consumer<ClusterConfig> onSecrets,
      Consumer<ReloadResult> onReload) {
    this.sources = sources;
    this.config = config;
    this.onSecrets = onSecrets;
    this.onReload = onReload;
  }

  /** Reads the sources and applies them. The log has the result too: SIGHUP has no reply. */
  public synchronized ReloadResult reload() {
    ClusterConfig before = config.current().cluster();
    ReloadResult result = read();
    for (String problem : result.problems()) {
      LOG.warn("event=configuration_not_reloaded problem=\"{}\"", problem);
    }
    if (!result.problems().isEmpty()) return result;
    LOG.info(
        "event=configuration_reloaded changed={} need_restart={}",
        result.changed(),
        result.needRestart());
    ClusterConfig after = config.current().cluster();
    if (!before.equals(after)) onSecrets.accept(after);
    onReload.accept(result);
    return result;
  }

  private ReloadResult read() {
    return switch (sources.read()) {
      case ConfigResult.Invalid invalid ->
          new ReloadResult(
              List.of(), List.of(), invalid.problems().stream().map(Object::toString).toList());
      case ConfigResult.Valid valid -> config.apply(valid);
    };
  }
}
