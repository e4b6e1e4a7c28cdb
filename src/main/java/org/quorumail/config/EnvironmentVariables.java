package org.quorumail.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The environment variables that set keys: {@code QUORUMAIL_<KEY_WITH_UNDERSCORES>} for every key,
 * and the names in the documents of Zetian, smtp-server (Zig) and memberlist-plumtree for the keys
 * that exist here.
 */
final class EnvironmentVariables {
  static final String PREFIX = "QUORUMAIL_";

  /** Variables with the prefix that are no keys: read by the launcher, or set by Kubernetes. */
  private static final List<String> NOT_KEYS =
      List.of("QUORUMAIL_CONFIG", "QUORUMAIL_JAVA_OPTS", "QUORUMAIL_HOME", "QUORUMAIL_CACHE");

  private record ForeignName(String name, String key, UnaryOperator<String> translate) {}

  /** The foreign names, strongest first: the first one that is set counts. */
  private static final List<ForeignName> FOREIGN =
      List.of(
          same("SMTP_CLUSTER_NODE_ID", "node.id"),
          same("NODE_ID", "node.id"),
          same("DATA_DIRECTORY", "node.data_directory"),
          new ForeignName("SMTP_PORT", "smtp.listeners[0].socket", port -> "[::]:" + port),
          new ForeignName("HEALTH_PORT", "health.listen_address", port -> "[::]:" + port),
          same("SMTP_CLUSTER_BIND_PORT", "cluster.port"),
          same("CLUSTER_PORT", "cluster.port"),
          same("SMTP_CLUSTER_ENABLED", "cluster.enabled"),
          same("SMTP_CLUSTER_BIND_ADDRESS", "cluster.bind_address"),
          same("PLUMTREE_ADVERTISE_ADDR", "cluster.advertise_address"),
          same("POD_IP", "cluster.advertise_address"),
          same("SMTP_CLUSTER_PEERS", "cluster.seeds"),
          same("SEED_NODES", "cluster.seeds"),
          same("PLUMTREE_SEEDS", "cluster.seeds"),
          same("CLUSTER_SECRET", "cluster.secret"),
          same("SMTP_CLUSTER_AUTH_TOKEN", "cluster.secret"),
          new ForeignName("SMTP_CLUSTER_TLS_CERT", "cluster.tls.certificate", path -> path),
          new ForeignName("SMTP_CLUSTER_TLS_KEY", "cluster.tls.key", path -> path),
          new ForeignName("SMTP_CLUSTER_TLS_CA", "cluster.tls.ca", path -> path),
          new ForeignName(
              "DISCOVERY_METHOD", "cluster.discovery", method -> method.toLowerCase(Locale.ROOT)),
          new ForeignName(
              "SMTP_CLUSTER_AUTO_DISCOVERY",
              "cluster.discovery",
              on -> isOff(on) ? "static" : "multicast"),
          millis("SMTP_CLUSTER_HEARTBEAT_INTERVAL", "cluster.heartbeat_interval"),
          millis("SMTP_CLUSTER_HEARTBEAT_TIMEOUT", "cluster.heartbeat_timeout"),
          millis("SMTP_CLUSTER_ELECTION_TIMEOUT", "cluster.election_timeout"),
          same("LOG_LEVEL", "log.level"),
          same("ENABLE_METRICS", "metrics.enabled"));

  private static final String FOREIGN_PREFIX = "SMTP_CLUSTER_";
  private static final String AUTH_ENABLED = "SMTP_CLUSTER_AUTH_ENABLED";
  private static final String TLS_ENABLED = "SMTP_CLUSTER_TLS_ENABLED";
  private static final String TLS_KEYS = "cluster.tls.";
  private static final String BUFFER_SIZE = "SMTP_CLUSTER_REPLICATION_BUFFER_SIZE";

  private EnvironmentVariables() {}

  private static ForeignName same(String name, String key) {
    return new ForeignName(name, key, value -> value);
  }

  private static boolean isOff(String flag) {
    return List.of("false", "0", "no", "off").contains(flag.strip().toLowerCase(Locale.ROOT));
  }

  private static ForeignName millis(String name, String key) {
    return new ForeignName(
        name, key, value -> value.chars().allMatch(Character::isDigit) ? value + "ms" : value);
  }

  /** The own variable of a key: {@code QUORUMAIL_SMTP_LISTENERS_0_SOCKET}. */
  static String nameOf(String path) {
    String words = path.replaceAll("[^A-Za-z0-9]+", "_");
    return PREFIX + words.replaceAll("_$", "").toUpperCase(Locale.ROOT);
  }

  /** The variables with foreign names: key path → variable and its value. */
  static Map<String, Variable> foreignVariables(Map<String, String> environment) {
    Map<String, Variable> byKey = new HashMap<>();
    boolean withoutTlsFiles = isOff(environment.getOrDefault(TLS_ENABLED, ""));
    for (ForeignName f : FOREIGN) {
      if (withoutTlsFiles && f.key.startsWith(TLS_KEYS)) continue;
      String value = environment.get(f.name);
      if (value == null || value.isBlank() || setByKubernetes(value)) continue;
      byKey.putIfAbsent(f.key, new Variable(f.name, f.translate.apply(value.strip())));
    }
    return byKey;
  }

  /** The foreign variables that are set without effect, each with its message. */
  static Map<String, String> foreignWarnings(Map<String, String> environment) {
    Map<String, String> warnings = new TreeMap<>();
    List<String> known = new ArrayList<>(List.of(AUTH_ENABLED, TLS_ENABLED, BUFFER_SIZE));
    FOREIGN.forEach(f -> known.add(f.name));
    environment.forEach(
        (name, value) -> {
          if (!name.startsWith(FOREIGN_PREFIX) || isKubernetesServiceVariable(name)) return;
          if (!known.contains(name)) {
            String hint =
                Spelling.nearest(name, known).map(k -> "; did you mean " + k + "?").orElse("");
            warnings.put(name, "no key has this name and it is ignored" + hint);
          }
        });
    if (isOff(environment.getOrDefault(AUTH_ENABLED, ""))) {
      warnings.put(
          AUTH_ENABLED,
          "is ignored: nodes always authenticate each other by cluster.secret or cluster.tls");
    }
    if (isOff(environment.getOrDefault(TLS_ENABLED, ""))) {
      warnings.put(
          TLS_ENABLED,
          "replication always uses TLS; without SMTP_CLUSTER_TLS_CERT, _KEY and _CA the"
              + " certificates are derived from cluster.secret");
    }
    if (environment.containsKey(BUFFER_SIZE)) {
      warnings.put(BUFFER_SIZE, "is ignored: replication has no buffer of a configured size");
    }
    return warnings;
  }

  /** A service named "smtp" makes Kubernetes set {@code SMTP_PORT=tcp://10.0.0.1:25}. */
  private static boolean setByKubernetes(String value) {
    return value.startsWith("tcp://") || value.startsWith("udp://");
  }

  /** Variables with our prefix that should be keys. */
  static Map<String, String> ownVariables(Map<String, String> environment) {
    Map<String, String> own = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          if (name.startsWith(PREFIX)
              && !NOT_KEYS.contains(name)
              && !isKubernetesServiceVariable(name)) {
            own.put(name, value);
          }
        });
    return own;
  }

  /** A Kubernetes service named "quorumail…" sets QUORUMAIL_PORT…, QUORUMAIL_…_SERVICE_HOST …. */
  private static boolean isKubernetesServiceVariable(String name) {
    return name.matches(
            "(QUORUMAIL|SMTP_CLUSTER)_(.*_)?(SERVICE_(HOST|PORT)|PORT(_\\d+_(TCP|UDP)).*)(_.*)?")
        || name.equals("QUORUMAIL_PORT")
        || name.equals("SMTP_CLUSTER_PORT");
  }

  record Variable(String name, String value) {}
}
