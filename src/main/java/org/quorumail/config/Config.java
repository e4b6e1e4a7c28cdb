package org.quorumail.config;

import java.lang.reflect.RecordComponent;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.gossip.PlumtreeConfig;

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
    HealthConfig health,
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

  /** {@code [node]}; an empty id means: generated once, kept in the data directory. */
  public record NodeConfig(Optional<String> id, Path dataDirectory, String region, String zone) {}

  /** One of {@code [[smtp.listeners]]}. */
  public record ListenerConfig(
      InetSocketAddress socket,
      Service service,
      ListenerTls tls,
      boolean requireTls,
      Optional<KeyPairFiles> certificate,
      ClientCertificates clientCertificates,
      boolean requireAuth,
      List<Network> proxyProtocolFrom,
      List<Network> xclientFrom,
      long maxMessageSize,
      Timeouts timeouts,
      Limits limits,
      Map<String, String> context) {}

  public enum Service {
    MX,
    SUBMISSION,
    LMTP
  }

  public enum ListenerTls {
    NONE,
    STARTTLS,
    IMPLICIT
  }

  /**
   * Whether clients are asked for a certificate in the handshake, and whether they must have one.
   */
  public enum ClientCertificates {
    NONE,
    REQUEST,
    REQUIRE
  }

  /** PEM files: a certificate chain and its private key (PKCS#8). */
  public record KeyPairFiles(Path certificate, Path key) {}

  /** How long a session waits for its client, RFC 5321 §4.5.3.2.7 and after. */
  public record Timeouts(
      Duration command,
      Duration dataInit,
      Duration dataBlock,
      Duration dataTermination,
      Duration connection) {}

  /** Zero messages: no limit. */
  public record Limits(
      int connections, int connectionsPerIp, int recipients, int messages, int errors, int line) {}

  /** {@code [relay]}: clients that may relay anywhere, and domains accepted from anyone. */
  public record RelayConfig(
      List<Network> networks,
      Set<CertificateName> certificates,
      Set<String> domains,
      Optional<Path> recipients) {}

  /** One of {@code [[route]]}; the first whose pattern fits the recipient's domain counts. */
  public record RouteConfig(DomainPattern domain, List<NextHop> to) {}

  /** {@code [delivery]}. */
  public record DeliveryConfig(
      Duration scanInterval,
      Duration processInterval,
      int maxAttempts,
      Duration baseRetryDelay,
      Duration maxRetryDelay,
      double retryJitterFactor,
      Duration messageExpiration,
      Duration delayNoticeAfter,
      int maxConcurrentDeliveries,
      boolean acceptInvalidCerts,
      SmtpTimeouts smtpTimeouts,
      DnsConfig dns,
      CircuitBreaker circuitBreaker,
      DsnConfig dsn,
      Map<String, DomainConfig> domains) {}

  public record SmtpTimeouts(
      Duration connect,
      Duration ehlo,
      Duration starttls,
      Duration mailFrom,
      Duration rcptTo,
      Duration data,
      Duration finalDot,
      Duration quit) {}

  /** Empty servers: those of the system's resolver configuration. */
  public record DnsConfig(
      List<InetSocketAddress> servers,
      Duration timeout,
      int cacheSize,
      Duration minTtl,
      Duration maxTtl) {}

  public record CircuitBreaker(int failures, Duration within, Duration openFor) {}

  /** An empty postmaster means {@code postmaster@} and the hostname. */
  public record DsnConfig(boolean enabled, Optional<String> postmaster) {}

  /** {@code [delivery.domains."…"]}. */
  public record DomainConfig(
      Optional<HostPort> mxOverride,
      boolean requireTls,
      boolean acceptInvalidCerts,
      int maxConnections,
      Optional<RateLimit> rateLimit) {}

  /** {@code "10/s burst 20"}. */
  public record RateLimit(double perSecond, int burst) {}

  public record SpoolConfig(Path path, long minFree) {}

  public record HealthConfig(boolean enabled, InetSocketAddress listenAddress, long maxQueueSize) {}

  public record ApiConfig(Optional<Path> tokenFile) {}

  public record MetricsConfig(boolean enabled) {}

  public record LogConfig(Level level, Format format, Optional<Path> file) {
    public enum Level {
      TRACE,
      DEBUG,
      INFO,
      WARN,
      ERROR
    }

    public enum Format {
      TEXT,
      JSON
    }
  }

  /** {@code [tls]}: for listeners without a pair of their own. */
  public record TlsConfig(
      Optional<KeyPairFiles> certificate,
      List<KeyPairFiles> more,
      String minVersion,
      Optional<Path> clientCa) {}

  /** {@code [cluster]}; meaningful only when enabled. */
  public record ClusterConfig(
      boolean enabled,
      String bindAddress,
      Optional<String> advertiseAddress,
      int port,
      int raftPort,
      int expect,
      List<HostPort> seeds,
      Optional<Secret> secret,
      Optional<ClusterTlsFiles> tls,
      Duration electionTimeoutMin,
      Duration electionTimeoutMax,
      Duration joinTimeout,
      int replicationFactor,
      Duration snapshotInterval,
      GossipConfig gossip,
      PlumtreeConfig plumtree) {

    /** The same with other secrets: what a reload changes. */
    public ClusterConfig withSecretsOf(ClusterConfig other) {
      return new ClusterConfig(
          enabled,
          bindAddress,
          advertiseAddress,
          port,
          raftPort,
          expect,
          seeds,
          other.secret,
          tls,
          electionTimeoutMin,
          electionTimeoutMax,
          joinTimeout,
          replicationFactor,
          snapshotInterval,
          gossip.withAcceptedSecrets(other.gossip.acceptedSecrets),
          plumtree);
    }
  }

  /**
   * How nodes find and watch each other.
   *
   * @param acceptedSecrets beside {@code cluster.secret}, during a rotation
   * @param probeInterval empty: the preset's, as for the next two
   */
  public record GossipConfig(
      Transport transport,
      String clusterName,
      List<Secret> acceptedSecrets,
      Discovery discovery,
      String discoveryDns,
      HostPort multicast,
      KubernetesConfig kubernetes,
      Preset preset,
      Optional<Duration> probeInterval,
      Optional<Duration> probeTimeout,
      Optional<Duration> failureDetectionTimeout) {

    public enum Transport {
      UDP,
      QUIC
    }

    public enum Discovery {
      STATIC,
      DNS,
      MULTICAST,
      KUBERNETES,
      CUSTOM
    }

    public enum Preset {
      LAN,
      WAN,
      LARGE_CLUSTER
    }

    GossipConfig withAcceptedSecrets(List<Secret> secrets) {
      return new GossipConfig(
          transport,
          clusterName,
          secrets,
          discovery,
          discoveryDns,
          multicast,
          kubernetes,
          preset,
          probeInterval,
          probeTimeout,
          failureDetectionTimeout);
    }
  }

  /** {@code [cluster.kubernetes]}. */
  public record KubernetesConfig(
      String service,
      Optional<String> namespace,
      Optional<String> apiServer,
      Path tokenFile,
      Path caFile) {}

  public record ClusterTlsFiles(Path certificate, Path key, Path ca) {}
}
