package org.quorumail.node;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.quorumail.auth.AuthConfig;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.GossipConfig;
import org.quorumail.config.FileExposure;
import org.quorumail.config.IpLiteral;
import org.quorumail.config.ParseContext;
import org.quorumail.config.SocketAddressParser;
import org.quorumail.delivery.DeliveryConfig;
import org.quorumail.delivery.RouteLogin;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.server.ListenerConfig;
import org.quorumail.smtp.server.TlsMode;
import org.quorumail.tls.ClientCertificates;
import org.quorumail.tls.KeyPairFiles;

/**
 * The checks that one key alone does not allow: values that contradict each other, missing files.
 */
final class ConfigCrossChecks {
  /** {@code sun_path} holds 108 bytes on Linux and 104 elsewhere, a final zero included. */
  private static final int MAX_SOCKET_PATH = 103;

  private final Config config;
  private final ParseContext context;

  ConfigCrossChecks(Config config, ParseContext reading) {
    this.config = config;
    this.context = reading;
  }

  void run() {
    controlSocket();
    listeners();
    sockets();
    roles();
    relay();
    auth();
    delivery(config.delivery());
    if (config.cluster().enabled()) cluster(config.cluster());
    files();
    exposure();
  }

  /** Warns about files with a secret that every user of the host can read. */
  private void exposure() {
    for (String key : List.of("cluster.secret", "cluster.accepted_secrets")) {
      context.fileOf(key).map(Path::of).ifPresent(file -> exposure(key, file));
    }
    config.tls().certificate().ifPresent(pair -> exposure("tls.key", pair.key()));
    for (int i = 0; i < config.tls().more().size(); i++) {
      exposure("tls.more[" + i + "].key", config.tls().more().get(i).key());
    }
    for (int i = 0; i < config.listeners().size(); i++) {
      String key = "smtp.listeners[" + i + "].extensions.starttls.key";
      config.listeners().get(i).certificate().ifPresent(pair -> exposure(key, pair.key()));
    }
    config.cluster().tls().ifPresent(tls -> exposure("cluster.tls.key", tls.key()));
    config.api().tokenFile().ifPresent(file -> exposure("api.token_file", file));
    config.api().readTokenFile().ifPresent(file -> exposure("api.read_token_file", file));
    apiTokens(this::exposure);
    config.api().certificate().ifPresent(pair -> exposure("api.tls.key", pair.key()));
    config.auth().usersFile().ifPresent(file -> exposure("auth.users_file", file));
    config
        .policy()
        .recipientsLdap()
        .flatMap(PolicyConfig.LdapTableConfig::passwordFile)
        .ifPresent(file -> exposure("policy.recipients.ldap.password_file", file));
    routeSecrets(this::exposure);
  }

  private void apiTokens(BiConsumer<String, Path> check) {
    for (int i = 0; i < config.api().tokens().size(); i++) {
      Path file = config.api().tokens().get(i).file();
      if (!file.toString().isEmpty()) check.accept("api.tokens[" + i + "].file", file);
    }
  }

  /** The files of {@code [[route.login]]}. */
  private void routeSecrets(BiConsumer<String, Path> check) {
    for (int i = 0; i < config.routes().size(); i++) {
      List<RouteLogin> logins = config.routes().get(i).logins();
      for (int j = 0; j < logins.size(); j++) {
        String key = "route[" + i + "].login[" + j + "]." + logins.get(j).key();
        check.accept(key, logins.get(j).file());
      }
    }
  }

  private void exposure(String key, Path file) {
    FileExposure.warning(file).ifPresent(warning -> context.warning(key, warning));
  }

  private void controlSocket() {
    String path = config.controlSocket().toString();
    if (path.getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH) {
      context.problem(
          "control_socket",
          "the path " + path + " is longer than " + MAX_SOCKET_PATH + " bytes; set a shorter one");
    }
  }

  private void listeners() {
    List<ListenerConfig> listeners = config.listeners();
    for (int i = 0; i < listeners.size(); i++) {
      if (listeners.get(i).requireTls() && listeners.get(i).tls() == TlsMode.NONE) {
        context.problem(
            "smtp.listeners[" + i + "].require_tls", "needs tls = \"starttls\" or \"implicit\"");
      }
      if (listeners.get(i).service() == Service.LMTP && listeners.get(i).socket().getPort() == 25) {
        context.problem(
            "smtp.listeners[" + i + "].socket",
            "LMTP must not be served on port 25 (RFC 2033 §5); use 24 or another");
      }
    }
  }

  /** Two services cannot listen on one socket; a wildcard address conflicts with all. */
  private void sockets() {
    List<Use> uses = new ArrayList<>();
    for (int i = 0; i < config.listeners().size(); i++) {
      uses.add(new Use("smtp.listeners[" + i + "].socket", config.listeners().get(i).socket()));
    }
    if (config.health().enabled()) {
      uses.add(new Use("health.listen_address", config.health().listenAddress()));
    }
    if (config.cluster().enabled()) {
      ClusterConfig cluster = config.cluster();
      uses.add(
          new Use("cluster.port", new InetSocketAddress(SocketAddressParser.ANY, cluster.port())));
      uses.add(
          new Use(
              "cluster.raft_port",
              new InetSocketAddress(SocketAddressParser.ANY, cluster.raftPort())));
    }
    uses.removeIf(use -> context.hasProblem(use.key));
    for (int i = 0; i < uses.size(); i++) {
      for (Use earlier : uses.subList(0, i)) {
        if (collide(earlier.socket, uses.get(i).socket)) {
          context.problem(uses.get(i).key, "uses the same socket as " + earlier.key);
        }
      }
    }
  }

  private record Use(String key, InetSocketAddress socket) {}

  private static boolean collide(InetSocketAddress a, InetSocketAddress b) {
    if (a.getPort() != b.getPort() || a.getPort() == 0) return false;
    InetAddress here = a.getAddress();
    InetAddress there = b.getAddress();
    return here.equals(there) || here.isAnyLocalAddress() || there.isAnyLocalAddress();
  }

  private void roles() {
    if (config.roles().contains(Config.Role.DELIVER)) return;
    context.warning("roles", "without deliver, mail waits until another node owns this spool");
  }

  private void relay() {
    for (int i = 0; i < config.relay().networks().size(); i++) {
      if (config.relay().networks().get(i).prefixLength() == 0) {
        context.warning("relay.networks[" + i + "]", "lets everyone send anywhere: an open relay");
      }
    }
    if (!config.relay().certificates().isEmpty()
        && config.listeners().stream()
            .allMatch(l -> l.clientCertificates() == ClientCertificates.NONE)) {
      context.warning(
          "relay.certificates",
          "has no effect: no listener asks for a certificate"
              + " (smtp.listeners[].client_certificates)");
    }
    if (config.relay().networks().isEmpty() && config.relay().domains().isEmpty()) {
      context.warning("relay", "neither networks nor domains: no mail will be accepted");
    }
  }

  private void auth() {
    AuthConfig auth = config.auth();
    if (auth.allowWithoutTls()) {
      context.warning("auth.allow_without_tls", "passwords may cross the network in clear");
    }
    boolean plain =
        auth.ldap().isPresent()
            && !auth.ldap().get().startTls()
            && auth.ldap().get().servers().stream().anyMatch(ConfigCrossChecks::isReadable);
    if (plain) {
      context.warning(
          "auth.ldap.starttls",
          "the passwords of all users cross the network readable to an ldap:// server");
    }
  }

  private static boolean isReadable(URI directory) {
    String host = Optional.ofNullable(directory.getHost()).orElse("");
    return directory.getScheme().equalsIgnoreCase("ldap") && !IpLiteral.isLoopback(host);
  }

  private void delivery(DeliveryConfig d) {
    if (d.baseRetryDelay().compareTo(d.maxRetryDelay()) > 0) {
      context.problem("delivery.base_retry_delay", "is longer than delivery.max_retry_delay");
    }
    if (d.dns().minTtl().compareTo(d.dns().maxTtl()) > 0) {
      context.problem("delivery.dns.min_ttl", "is longer than delivery.dns.max_ttl");
    }
    if (d.messageExpiration().compareTo(d.baseRetryDelay()) < 0) {
      context.warning(
          "delivery.message_expiration",
          "is shorter than delivery.base_retry_delay: there will be no second attempt");
    }
  }

  private void cluster(ClusterConfig cluster) {
    if (cluster.secret().isEmpty() && cluster.tls().isEmpty()) {
      context.problem(
          "cluster.secret",
          "a cluster needs cluster.secret (`quorumail cluster secret` makes one) or cluster.tls"
              + " with certificate, key and ca");
    }
    if (cluster.gossip().acceptedSecrets().size() > 3) {
      context.problem("cluster.accepted_secrets", "has more than 3 secrets; remove old ones");
    }
    if (!cluster.gossip().acceptedSecrets().isEmpty() && cluster.secret().isEmpty()) {
      context.problem("cluster.accepted_secrets", "is of no use without cluster.secret");
    }
    if (cluster.tls().isPresent()
        && cluster.secret().isPresent()
        && cluster.gossip().transport() == GossipConfig.Transport.UDP) {
      context.warning(
          "cluster.transport",
          "udp does not use the certificates of cluster.tls: in gossip each holder of the secret"
              + " can pose as any node; set \"quic\"");
    }
    boolean isQuic = cluster.gossip().transport() == GossipConfig.Transport.QUIC;
    if (isQuic && cluster.secret().isEmpty()) {
      context.problem(
          "cluster.transport", "is of no use without cluster.secret: such a cluster has no gossip");
    }
    boolean listed = cluster.gossip().discovery() == GossipConfig.Discovery.STATIC;
    if (listed && cluster.expect() > 1 && !cluster.hasSeeds()) {
      context.problem(
          "cluster.expect",
          "is "
              + cluster.expect()
              + ", but cluster.seeds is empty; name one or more of the other nodes, or set"
              + " cluster.discovery");
    }
    if (cluster.expect() == 2) {
      context.warning(
          "cluster.expect", "two nodes lose no mail, but accept none while one of them is down");
    }
  }

  private void files() {
    config.relay().recipients().ifPresent(path -> readable("relay.recipients", path));
    config.policy().aliases().file().ifPresent(path -> readable("aliases.file", path));
    config
        .policy()
        .recipientsLdap()
        .flatMap(PolicyConfig.LdapTableConfig::passwordFile)
        .ifPresent(path -> readable("policy.recipients.ldap.password_file", path));
    config
        .policy()
        .recipientsLdap()
        .flatMap(PolicyConfig.LdapTableConfig::ca)
        .ifPresent(path -> readable("policy.recipients.ldap.ca", path));
    config
        .delivery()
        .classificationFile()
        .ifPresent(path -> readable("delivery.classification.file", path));
    routeSecrets(this::readable);
    config.api().tokenFile().ifPresent(path -> readable("api.token_file", path));
    config.api().readTokenFile().ifPresent(path -> readable("api.read_token_file", path));
    apiTokens(this::readable);
    config.api().certificate().ifPresent(pair -> readable("api.tls", pair));
    config.auth().usersFile().ifPresent(this::usersFile);
    config.auth().jwt().ifPresent(jwt -> readable("auth.jwt.keys", jwt.keys()));
    config
        .auth()
        .ldap()
        .flatMap(AuthConfig.LdapConfig::ca)
        .ifPresent(path -> readable("auth.ldap.ca", path));
    config.tls().certificate().ifPresent(pair -> readable("tls", pair));
    for (int i = 0; i < config.tls().more().size(); i++) {
      readable("tls.more[" + i + "]", config.tls().more().get(i));
    }
    config.tls().clientCa().ifPresent(path -> readable("tls.client_ca", path));
    for (int i = 0; i < config.listeners().size(); i++) {
      String key = "smtp.listeners[" + i + "].extensions.starttls";
      config.listeners().get(i).certificate().ifPresent(pair -> readable(key, pair));
    }
    if (!config.cluster().enabled()) return;
    config
        .cluster()
        .tls()
        .ifPresent(
            tls -> {
              readable("cluster.tls.certificate", tls.certificate());
              readable("cluster.tls.key", tls.key());
              readable("cluster.tls.ca", tls.ca());
            });
  }

  /**
   * A missing users file is a warning: the command that creates it reads this configuration first.
   */
  private void usersFile(Path path) {
    if (Files.exists(path)) readable("auth.users_file", path);
    else {
      context.warning(
          "auth.users_file", "there is no file " + path + " yet; `quorumail user add` makes it");
    }
  }

  private void readable(String key, KeyPairFiles pair) {
    readable(key + ".certificate", pair.certificate());
    readable(key + ".key", pair.key());
  }

  private void readable(String key, Path path) {
    if (!Files.isReadable(path)) {
      context.problem(key, "the file " + path + " does not exist or cannot be read");
    } else if (Files.isDirectory(path)) {
      context.problem(key, path + " is a directory, not a file");
    }
  }
}
