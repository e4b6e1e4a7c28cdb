package org.quorumail.node;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.api.ApiConfig;
import org.quorumail.api.HttpServerConfig;
import org.quorumail.auth.AuthConfigReader;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.ClusterConfigReader;
import org.quorumail.config.ConfigKey;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.HostName;
import org.quorumail.config.Network;
import org.quorumail.config.ParseContext;
import org.quorumail.config.Problem;
import org.quorumail.config.Section;
import org.quorumail.config.SocketAddresses;
import org.quorumail.config.TomlDocument;
import org.quorumail.delivery.DeliveryConfigReader;
import org.quorumail.delivery.NextHop;
import org.quorumail.delivery.RouteConfig;
import org.quorumail.metrics.LogConfig;
import org.quorumail.metrics.MetricsConfig;
import org.quorumail.node.Config.Role;
import org.quorumail.policy.PolicyConfigReader;
import org.quorumail.policy.RelayConfig;
import org.quorumail.smtp.server.ListenerConfigReader;
import org.quorumail.spool.SpoolConfig;
import org.quorumail.tls.CertificateName;
import org.quorumail.tls.KeyPairFiles;
import org.quorumail.tls.TlsConfig;

/**
 * Turns TOML, environment and command line into a {@link Config}. Every key is named exactly once,
 * in this class or in the readers of the larger tables beside it, with its type, range, default and
 * meaning; {@code docs/configuration.md} is written from there.
 */
public final class ConfigReader {
  private static final String SAMPLE =
      """
      [[route]]
      domain = "*"
      to = ["mx"]
      [[milter]]
      [[tls.more]]
      [delivery.domains."example.org"]
      """;

  private final Section root;

  private ConfigReader(Section root) {
    this.root = root;
  }

  /**
   * @param toml the file's text, empty when there is none
   * @param fileName how problems name it
   */
  public static ConfigResult read(
      String toml,
      String fileName,
      Map<String, String> environment,
      Map<String, String> overrides) {
    TomlDocument text;
    try {
      text = TomlDocument.parse(toml);
    } catch (TomlDocument.SyntaxException e) {
      String origin = e.line() > 0 ? fileName + ":" + e.line() : fileName;
      return ConfigResult.Invalid.of(origin, "not valid TOML: " + e.getMessage());
    }
    ParseContext reading =
        new ParseContext(fileName, text.root(), text.lines(), environment, overrides);
    Config config = new ConfigReader(reading.root()).config();
    new ConfigCrossChecks(config, reading).run();
    List<Problem> problems = reading.problems();
    return problems.isEmpty()
        ? new ConfigResult.Valid(config, reading.warnings())
        : new ConfigResult.Invalid(problems);
  }

  /** Every key that exists, in the order of the documentation. */
  public static List<ConfigKey> keys() {
    try {
      TomlDocument text = TomlDocument.parse(SAMPLE);
      ParseContext reading = new ParseContext("", text.root(), text.lines(), Map.of(), Map.of());
      new ConfigReader(reading.root()).config();
      return reading.keys();
    } catch (TomlDocument.SyntaxException e) {
      throw new IllegalStateException("the sample is TOML", e);
    }
  }

  private Config config() {
    String hostname =
        root.value(
            "hostname",
            "host name",
            "(the host's name)",
            HostName.local(),
            "name in the greeting, EHLO and Received",
            HostName::validate);
    Optional<Path> socket =
        root.optional(
            "control_socket",
            "path",
            "(control.sock in the data directory)",
            "Unix socket that the commands use; mode 0600",
            Path::of);
    Set<Role> roles = roles();
    NodeConfig node = node(root.section("node"));
    TlsConfig tls = tls(root.section("tls"));
    return new Config(
        hostname,
        socket.orElse(node.dataDirectory().resolve("control.sock")),
        roles,
        node,
        ListenerConfigReader.listeners(root.section("smtp"), tls),
        relay(root.section("relay")),
        PolicyConfigReader.policy(root),
        routes(),
        new DeliveryConfigReader(root.section("delivery")).delivery(),
        spool(root.section("spool"), node.dataDirectory()),
        health(root.section("health")),
        new ApiConfig(
            root.section("api")
                .optional(
                    "token_file",
                    "path",
                    "",
                    "file with the bearer token that writes over HTTP want; without it they go"
                        + " through the control socket only",
                    Path::of)),
        metrics(root.section("metrics")),
        log(root.section("log")),
        tls,
        new AuthConfigReader(root.section("auth")).auth(),
        withLaterTables(new ClusterConfigReader(root.section("cluster")).cluster()));
  }

  private Set<Role> roles() {
    List<Role> roles =
        root.list(
            "roles",
            "roles",
            List.of("receive", "deliver", "gateway"),
            "what this node does: accept mail, deliver it, pass connections on",
            text -> Section.choose(Role.class, text, "receive, deliver, gateway"));
    if (roles.isEmpty()) root.problem("roles", "must name at least one role");
    return Set.copyOf(new LinkedHashSet<>(roles));
  }

  private static NodeConfig node(Section node) {
    return new NodeConfig(
        node.optional(
            "id",
            "name",
            "(generated once, kept in the data directory)",
            "name of this node in the cluster: letters, digits, '.', '-', '_'",
            ConfigReader::nodeId),
        node.value(
            "data_directory",
            "path",
            "data",
            Path.of("data"),
            "everything that this node keeps; relative paths start at the working directory",
            Path::of),
        node.text("region", "default", "region of this node"),
        node.text("zone", "default", "failure zone of this node; replicas are spread over zones"));
  }

  private static String nodeId(String text) {
    if (text.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) return text;
    throw new IllegalArgumentException(
        "must be at most 63 letters, digits, '.', '-' or '_' and start with a letter or digit");
  }

  private static TlsConfig tls(Section tls) {
    Optional<KeyPairFiles> pair =
        ListenerConfigReader.keyPair(tls, "PEM certificate chain for listeners without their own");
    List<KeyPairFiles> more = new ArrayList<>();
    for (Section further : tls.sections("more", 0)) {
      Optional<KeyPairFiles> one =
          ListenerConfigReader.keyPair(further, "PEM certificate chain of a further pair");
      one.ifPresent(more::add);
      boolean named = further.has("certificate") || further.has("key");
      if (!named) further.problem("", "must name a certificate and a key");
    }
    if (!more.isEmpty() && pair.isEmpty()) {
      tls.problem("more", "needs tls.certificate and tls.key, for clients that name no server");
    }
    return new TlsConfig(
        pair,
        List.copyOf(more),
        tls.value(
            "min_version",
            "version",
            "1.2",
            "1.2",
            "oldest TLS version that is spoken: 1.2 or 1.3",
            version -> {
              if (version.matches("1\\.[23]")) return version;
              throw new IllegalArgumentException("must be \"1.2\" or \"1.3\"");
            }),
        tls.optional(
            "client_ca",
            "path",
            "",
            "PEM certificates that sign those of clients; see smtp.listeners[].client_certificates",
            Path::of));
  }

  private static RelayConfig relay(Section relay) {
    return new RelayConfig(
        relay.list(
            "networks",
            "networks",
            List.of("127.0.0.0/8", "::1/128"),
            "clients that may send anywhere",
            Network::parse),
        Set.copyOf(
            relay.list(
                "certificates",
                "certificate names",
                List.of(),
                "client certificates that may send anywhere: \"sha256:…\" (fingerprint), or"
                    + " \"dns:…\", \"email:…\" (a name in one signed by tls.client_ca)",
                CertificateName::parse)),
        Set.copyOf(
            relay.list(
                "domains",
                "domains",
                List.of(),
                "recipient domains that are accepted from anyone",
                HostName::validate)),
        relay.optional(
            "recipients",
            "path",
            "",
            "table of the known recipients in these domains, one address per line; others get 550",
            Path::of));
  }

  private List<RouteConfig> routes() {
    List<RouteConfig> routes = new ArrayList<>();
    for (Section route : root.sections("route", 0)) {
      DomainPattern domain =
          route.value(
              "domain",
              "domain pattern",
              "*",
              new DomainPattern("*"),
              "\"example.org\", \"*.example.org\" (its subdomains) or \"*\"; the first route that"
                  + " fits counts, without one it is the domain's MX",
              SocketAddresses::domainPattern);
      List<NextHop> to =
          route.list(
              "to",
              "next hops",
              List.of(),
              "\"smtp://host:25?priority=10&weight=100\", \"lmtp://host:24\", \"mx\", \"discard\"",
              SocketAddresses::nextHop);
      if (to.isEmpty()) route.problem("to", "must name at least one next hop");
      routes.add(new RouteConfig(domain, to));
    }
    return List.copyOf(routes);
  }

  private static SpoolConfig spool(Section spool, Path dataDirectory) {
    return new SpoolConfig(
        spool
            .optional(
                "path",
                "path",
                "(spool in the data directory)",
                "the replicated store of accepted mail",
                Path::of)
            .orElse(dataDirectory.resolve("spool")),
        spool.size("min_free", "1GB", "0B", "1024TB", "free disk below which mail gets 452 4.3.1"));
  }

  private static HttpServerConfig health(Section health) {
    return new HttpServerConfig(
        health.flag("enabled", true, "whether the HTTP server runs"),
        health.value(
            "listen_address",
            "address:port",
            "[::]:8080",
            new InetSocketAddress(SocketAddresses.ANY, 8080),
            "the HTTP server: health, metrics, API",
            SocketAddresses::socket),
        health.longInteger(
            "max_queue_size",
            10_000,
            1,
            Long.MAX_VALUE,
            "queued messages above which the node reports that it is not ready"));
  }

  private static MetricsConfig metrics(Section metrics) {
    metrics.unavailable("endpoint", "\"\"", "OTLP/HTTP collector");
    metrics.unavailable("exporters", "[]", "further exporters");
    metrics.unavailable("export_interval", "\"30s\"", "how often the exporters send");
    metrics.unavailable("aliases", "[]", "the same series under other prefixes");
    return new MetricsConfig(metrics.flag("enabled", true, "whether /metrics is served"));
  }

  private static LogConfig log(Section log) {
    log.unavailable("include_heartbeats", "false", "debug logging of the cluster's talk");
    log.unavailable("include_state_sync", "false", "debug logging of replicated state");
    return new LogConfig(
        log.value(
            "level",
            "level",
            "info",
            LogConfig.Level.INFO,
            "trace, debug, info, warn or error; .NET's names are understood",
            ConfigReader::level),
        log.choice("format", LogConfig.Format.class, LogConfig.Format.TEXT, "form of a line"),
        log.optional("file", "path", "", "log file; empty: standard error", Path::of));
  }

  private static LogConfig.Level level(String text) {
    return switch (text.strip().toLowerCase(java.util.Locale.ROOT)) {
      case "trace" -> LogConfig.Level.TRACE;
      case "debug" -> LogConfig.Level.DEBUG;
      case "info", "information" -> LogConfig.Level.INFO;
      case "warn", "warning" -> LogConfig.Level.WARN;
      case "error", "critical", "fatal" -> LogConfig.Level.ERROR;
      default ->
          throw new IllegalArgumentException(
              "must be trace, debug, info, warn or error, not \"" + text + "\"");
    };
  }

  /** Tables of later versions: their documented defaults may stand in a file. */
  private ClusterConfig withLaterTables(ClusterConfig cluster) {
    Map<String, Map<String, String>> tables = new LinkedHashMap<>();
    tables.put("control_auth", Map.of("enabled", "false", "token_hashes", "[]"));
    tables.put(
        "audit",
        Map.of("enabled", "false", "redact_sender", "false", "redact_recipients", "false"));
    tables.forEach(
        (name, keys) -> {
          Section section = root.section(name);
          keys.keySet().stream()
              .sorted()
              .forEach(key -> section.unavailable(key, keys.getOrDefault(key, ""), ""));
        });
    return cluster;
  }
}
