package org.quorumail.node;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.api.ApiConfig;
import org.quorumail.api.HttpServerConfig;
import org.quorumail.auth.AuthConfig;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.delivery.DeliveryConfig;
import org.quorumail.delivery.RouteConfig;
import org.quorumail.metrics.LogConfig;
import org.quorumail.metrics.MetricsConfig;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.RelayConfig;
import org.quorumail.smtp.server.ListenerConfig;
import org.quorumail.spool.AccountingConfig;
import org.quorumail.spool.SpoolConfig;
import org.quorumail.tls.TlsConfig;

/**
 * The whole configuration of a node, with every default filled in. Sizes are bytes. Parts of the
 * node take their own records; only assembly, reports and the command line see the whole.
 */
public record Config(
    String hostname,
    Path controlSocket,
    Set<Role> roles,
    NodeConfig node,
    List<ListenerConfig> listeners,
    long smtpMemory,
    RelayConfig relay,
    PolicyConfig policy,
    List<RouteConfig> routes,
    DeliveryConfig delivery,
    SpoolConfig spool,
    AccountingConfig accounting,
    HttpServerConfig health,
    ApiConfig api,
    MetricsConfig metrics,
    LogConfig log,
    TlsConfig tls,
    AuthConfig auth,
    ClusterConfig cluster) {

  /** The defaults of a node without configuration that keeps its data in the given directory. */
  public static Config standalone(Path dataDirectory) {
    return standalone(dataDirectory, Map.of());
  }

  /**
   * The same defaults with some keys set, written as on the command line: {@code
   * "smtp.listeners[0].socket"} → {@code "127.0.0.1:0"}.
   *
   * @throws IllegalArgumentException with every problem there is
   */
  public static Config standalone(Path dataDirectory, Map<String, String> overrides) {
    Map<String, String> all = new HashMap<>(overrides);
    all.put("node.data_directory", dataDirectory.toString());
    return switch (ConfigReader.read("", "", Map.of(), all)) {
      case ConfigResult.Valid valid -> valid.config();
      case ConfigResult.Invalid invalid ->
          throw new IllegalArgumentException(invalid.problems().toString());
    };
  }

  /** The same with what a reload changes. */
  public Config with(
      RelayConfig relay,
      PolicyConfig policy,
      List<RouteConfig> routes,
      DeliveryConfig delivery,
      LogConfig log,
      TlsConfig tls,
      AuthConfig auth,
      ClusterConfig cluster) {
    return new Config(
        hostname,
        controlSocket,
        roles,
        node,
        listeners,
        smtpMemory,
        relay,
        policy,
        routes,
        delivery,
        spool,
        accounting,
        health,
        api,
        metrics,
        log,
        tls,
        auth,
        cluster);
  }

  /** The operator's rules for the classes of failures. */
  public Optional<Path> classificationFile() {
    return delivery.classificationFile();
  }

  /** One line about the node: its name, ports and data directory. */
  public String summary() {
    StringBuilder text = new StringBuilder(hostname);
    listeners.forEach(l -> text.append(", SMTP on ").append(text(l.socket())));
    if (health.enabled()) {
      text.append(api.certificate().isPresent() ? ", HTTPS on " : ", HTTP on ");
      text.append(text(health.listenAddress()));
    }
    text.append(cluster.enabled() ? ", clustered" : ", stand-alone");
    return text.append(", data in ").append(node.dataDirectory()).toString();
  }

  private static String text(InetSocketAddress socket) {
    if (socket.getAddress().isAnyLocalAddress()) return "port " + socket.getPort();
    return socket.getAddress().getHostAddress() + " port " + socket.getPort();
  }

  /** The tasks of a node. */
  public enum Role {
    RECEIVE,
    DELIVER,
    GATEWAY
  }
}
