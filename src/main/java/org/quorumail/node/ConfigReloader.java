package org.quorumail.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.NodeView.ReloadResult;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.ConfigStatus;
import org.quorumail.cluster.ConfigVersion;
import org.quorumail.config.Problem;
import org.quorumail.config.ReplicatedDocument;
import org.quorumail.config.TomlDocument;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reload of the configuration: reads the sources again, applies the result, and informs the
 * parts that are concerned. The configuration of the cluster is one of the sources, the weakest. A
 * version of it that this node cannot use leaves the one before in force. Thread-safe: one reload
 * runs at a time.
 */
public final class ConfigReloader {
  private static final Logger LOG = LoggerFactory.getLogger(ConfigReloader.class);

  /** The name of a version that is not accepted yet, in problems. */
  private static final String CANDIDATE = "configuration";

  private final ConfigSources sources;
  private final LiveConfig config;
  private final Consumer<ClusterConfig> onSecrets;
  private final Consumer<ReloadResult> onReload;
  private final List<Consumer<Config>> parts = new ArrayList<>();

  /** The latest version of the cluster, and the one in force here. */
  private @Nullable ConfigVersion latest;

  private @Nullable ConfigVersion running;
  private volatile ConfigStatus status = ConfigStatus.NONE;

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

  /** Adds a part that gets the configuration now and after each reload that took effect. */
  public synchronized void addPart(Consumer<Config> part) {
    parts.add(part);
    part.accept(config.current());
  }

  /** Reads the sources and applies them. The log has the result too: SIGHUP has no reply. */
  public synchronized ReloadResult reload() {
    ReloadResult result = apply(latest);
    if (result.problems().isEmpty() || latest == running) return result;
    return apply(running); // this node's own sources may be right all the same
  }

  /**
   * Puts a version of the cluster's configuration into force on this node; when the node cannot use
   * it, the one before stays.
   */
  public synchronized void follow(ConfigVersion version) {
    latest = version;
    ReloadResult result = apply(version);
    if (result.problems().isEmpty()) return;
    String problem = result.problems().getFirst();
    long runs = running == null ? 0 : running.version();
    status = new ConfigStatus(runs, "version " + version.version() + ": " + problem, List.of());
    LOG.warn(
        "event=cluster_configuration_not_used version={} running={} reason=\"{}\"",
        version.version(),
        runs,
        problem);
  }

  /** The version of the cluster's configuration that this node runs. */
  public ConfigStatus status() {
    return status;
  }

  /** The problems that a document would have as the cluster's configuration, read on this node. */
  public List<Problem> problems(String toml) {
    ReplicatedDocument document;
    try {
      document = ReplicatedDocument.parse(CANDIDATE, toml);
    } catch (TomlDocument.SyntaxException e) {
      String origin = e.line() > 0 ? CANDIDATE + ":" + e.line() : CANDIDATE;
      return List.of(new Problem("", origin, "not valid TOML: " + e.getMessage()));
    }
    List<Problem> own = ConfigReader.problems(document);
    if (!own.isEmpty()) return own;
    return switch (sources.read(Optional.of(document))) {
      case ConfigResult.Invalid invalid -> invalid.problems();
      case ConfigResult.Valid valid -> List.of();
    };
  }

  private ReloadResult apply(@Nullable ConfigVersion version) {
    ClusterConfig before = config.current().cluster();
    ReloadResult result = read(version);
    for (String problem : result.problems()) {
      LOG.warn("event=configuration_not_reloaded problem=\"{}\"", problem);
    }
    if (!result.problems().isEmpty()) return result;
    running = version;
    LOG.info(
        "event=configuration_reloaded changed={} need_restart={} cluster_version={}",
        result.changed(),
        result.needRestart(),
        status.version());
    ClusterConfig after = config.current().cluster();
    if (!before.equals(after)) onSecrets.accept(after);
    parts.forEach(part -> part.accept(config.current()));
    onReload.accept(result);
    return result;
  }

  private ReloadResult read(@Nullable ConfigVersion version) {
    Optional<ReplicatedDocument> document;
    try {
      document = version == null ? Optional.empty() : Optional.of(document(version));
    } catch (TomlDocument.SyntaxException e) {
      return refused(List.of("not valid TOML: " + e.getMessage()));
    }
    return switch (sources.read(document)) {
      case ConfigResult.Invalid invalid ->
          refused(invalid.problems().stream().map(Object::toString).toList());
      case ConfigResult.Valid valid -> {
        ReloadResult result = config.apply(valid);
        if (result.problems().isEmpty()) applied(version, valid.overridden());
        yield result;
      }
    };
  }

  private void applied(@Nullable ConfigVersion version, List<String> overridden) {
    List<String> known = new ArrayList<>(overridden);
    known.removeAll(status.overridden());
    for (String key : known) {
      LOG.warn(
          "event=cluster_configuration_overridden key={} reason=\"this node has its own value, in"
              + " its file, its environment or on its command line\"",
          key);
    }
    String problem = version == latest ? "" : status.problem();
    status = new ConfigStatus(version == null ? 0 : version.version(), problem, overridden);
  }

  private static ReplicatedDocument document(ConfigVersion version)
      throws TomlDocument.SyntaxException {
    String name = "version %d of the cluster's configuration".formatted(version.version());
    return ReplicatedDocument.parse(name, version.toml());
  }

  private static ReloadResult refused(List<String> problems) {
    return new ReloadResult(List.of(), List.of(), problems);
  }
}
