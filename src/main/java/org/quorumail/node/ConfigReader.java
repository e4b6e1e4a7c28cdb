package org.quorumail.node;

import java.nio.file.Path;
import java.util.ArrayList;
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
import org.quorumail.config.HostName;
import org.quorumail.config.ParseContext;
import org.quorumail.config.Problem;
import org.quorumail.config.ReplicatedDocument;
import org.quorumail.config.Section;
import org.quorumail.config.TomlDocument;
import org.quorumail.delivery.DeliveryConfigReader;
import org.quorumail.delivery.RouteConfig;
import org.quorumail.metrics.LogConfig;
import org.quorumail.metrics.MetricsConfig;
import org.quorumail.node.Config.Role;
import org.quorumail.policy.PolicyConfigReader;
import org.quorumail.policy.RelayConfig;
import org.quorumail.smtp.server.ListenerConfigReader;
import org.quorumail.spool.AccountingConfig;
import org.quorumail.spool.SpoolConfig;
import org.quorumail.tls.TlsConfig;

/**
 * The reader of a whole configuration: it turns TOML, environment and command line into a {@link
 * Config}. Each part of the program reads its own table. Every key is named exactly once, with its
 * type, range, default and meaning; {@code docs/configuration.md} is written from there.
 */
public final class ConfigReader {
  /** One element of each list and of each table with free names, so that all keys are declared. */
  private static final String SAMPLE =
      """
      [[route]]
      domain = "*"
      to = ["smtp://relay.example.org:587"]
      [[route.login]]
      [[milter]]
      [[tls.more]]
      [[api.tokens]]
      [delivery.domains."example.org"]
      """;

  private final Section root;

  private ConfigReader(Section root) {
    this.root = root;
  }

  /**
   * @param toml the file's text, empty when there is none
   * @param fileName the name of the file in problems
   */
  public static ConfigResult read(
      String toml,
      String fileName,
      Map<String, String> environment,
      Map<String, String> overrides) {
    return read(Optional.empty(), toml, fileName, environment, overrides);
  }

  /**
   * Reads the configuration of the cluster, if there is one, below that of this node.
   *
   * @param cluster the keys that all nodes have
   */
  static ConfigResult read(
      Optional<ReplicatedDocument> cluster,
      String toml,
      String fileName,
      Map<String, String> environment,
      Map<String, String> overrides) {
    TomlDocument file;
    try {
      file = TomlDocument.parse(toml);
    } catch (TomlDocument.SyntaxException e) {
      return notToml(fileName, e);
    }
    if (cluster.isEmpty())
      return read(
          new ParseContext(fileName, file.root(), file.lines(), environment, overrides), List.of());
    ReplicatedDocument shared = cluster.get();
    ParseContext context = ParseContext.above(shared, fileName, file, environment, overrides);
    List<String> overridden =
        shared.keys().stream()
            .filter(key -> !context.origin(key).startsWith(shared.name() + ":"))
            .toList();
    return read(context, overridden);
  }

  /**
   * Reads the configuration of the cluster alone, and checks that it may have these keys.
   *
   * @return the problems, empty when there is none
   */
  static List<Problem> problems(ReplicatedDocument cluster) {
    TomlDocument document = cluster.document();
    ParseContext context =
        new ParseContext(cluster.name(), document.root(), document.lines(), Map.of(), Map.of());
    new ConfigReader(context.root()).config();
    List<Problem> problems = new ArrayList<>(context.problems());
    ReplicatedConfigCheck.problems(cluster, context).stream()
        .filter(p -> !context.hasProblem(p.key())) // an unknown key is one problem
        .forEach(problems::add);
    return problems;
  }

  private static ConfigResult.Invalid notToml(String name, TomlDocument.SyntaxException e) {
    String origin = e.line() > 0 ? name + ":" + e.line() : name;
    return ConfigResult.Invalid.of(origin, "not valid TOML: " + e.getMessage());
  }

  private static ConfigResult read(ParseContext context, List<String> overridden) {
    Config config = new ConfigReader(context.root()).config();
    new ConfigCrossChecks(config, context).run();
    List<Problem> problems = context.problems();
    return problems.isEmpty()
        ? new ConfigResult.Valid(config, context.values(), context.warnings(), overridden)
        : new ConfigResult.Invalid(problems);
  }

  /** Lists every key that exists, in the order of the documentation. */
  public static List<ConfigKey> keys() {
    try {
      TomlDocument document = TomlDocument.parse(SAMPLE);
      ParseContext context =
          new ParseContext("", document.root(), document.lines(), Map.of(), Map.of());
      new ConfigReader(context.root()).config();
      return context.keys();
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
    NodeConfig node = NodeConfig.read(root.section("node"));
    TlsConfig tls = TlsConfig.read(root.section("tls"));
    Section smtp = root.section("smtp");
    return new Config(
        hostname,
        socket.orElse(node.dataDirectory().resolve("control.sock")),
        roles,
        node,
        ListenerConfigReader.listeners(smtp, tls),
        ListenerConfigReader.memory(smtp),
        RelayConfig.read(root.section("relay")),
        PolicyConfigReader.policy(root),
        RouteConfig.readAll(root),
        new DeliveryConfigReader(root.section("delivery")).delivery(),
        SpoolConfig.read(root.section("spool"), node.dataDirectory()),
        AccountingConfig.read(root.section("accounting")),
        HttpServerConfig.read(root.section("health")),
        ApiConfig.read(root.section("api")),
        MetricsConfig.read(root.section("metrics")),
        LogConfig.read(root.section("log")),
        tls,
        new AuthConfigReader(root.section("auth")).auth(),
        cluster());
  }

  private Set<Role> roles() {
    List<Role> roles =
        root.list(
            "roles",
            "roles",
            List.of("receive", "deliver", "gateway"),
            "tasks of this node: accept mail, deliver it, pass connections on",
            text -> Section.choose(Role.class, text, "receive, deliver, gateway"));
    if (roles.isEmpty() && !root.hasProblem("roles"))
      root.problem("roles", "must name at least one role");
    return Set.copyOf(new LinkedHashSet<>(roles));
  }

  private ClusterConfig cluster() {
    ClusterConfig cluster = new ClusterConfigReader(root.section("cluster")).cluster();
    Section controlAuth = root.section("control_auth");
    controlAuth.unavailable("enabled", "false", "");
    controlAuth.unavailable("token_hashes", "[]", "");
    Section audit = root.section("audit");
    audit.unavailable("enabled", "false", "");
    audit.unavailable("redact_recipients", "false", "");
    audit.unavailable("redact_sender", "false", "");
    return cluster;
  }
}
