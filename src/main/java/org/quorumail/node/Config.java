package org.quorumail.node;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import org.quorumail.spool.SpoolConfig;
import org.quorumail.tls.TlsConfig;

/** Everything an operator can say, with every default filled in. Sizes are bytes. */
public record Config(
    String hostname,
    Path controlSocket,
    Set<Role> roles,
    NodeConfig node,
    List<ListenerConfig> listeners,
    RelayConfig relay,
    PolicyConfig policy,
    List<RouteConfig> routes,
    DeliveryConfig delivery,
    SpoolConfig spool,
    HttpServerConfig health,
    ApiConfig api,
    MetricsConfig metrics,
    LogConfig log,
    TlsConfig tls,
    AuthConfig auth,
    ClusterConfig cluster) {

  /** The defaults of a node without configuration, keeping its data in the given directory. */
  public static Config standalone(Path dataDirectory) {
    return standalone(dataDirectory, Map.of());
  }

  /**
   * As above with some keys set, written as on the command line: {@code "smtp.listeners[0].socket"}
   * → {@code "127.0.0.1:0"}.
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
      TlsConfig tls,
      AuthConfig auth,
      ClusterConfig cluster) {
    return new Config(
        hostname,
        controlSocket,
        roles,
        node,
        listeners,
        relay,
        policy,
        routes,
        delivery,
        spool,
        health,
        api,
        metrics,
        log,
        tls,
        auth,
        cluster);
  }

  /** The sections in which the other one differs. */
  public List<String> differences(Config other) {
    List<String> names = new ArrayList<>();
    for (RecordComponent section : Config.class.getRecordComponents()) {
      try {
        Object mine = section.getAccessor().invoke(this);
        if (!mine.equals(section.getAccessor().invoke(other))) names.add(section.getName());
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("a record's accessors are public", e);
      }
    }
    return names;
  }

  public enum Role {
    RECEIVE,
    DELIVER,
    GATEWAY
  }
}
