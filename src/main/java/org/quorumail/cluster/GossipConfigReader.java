package org.quorumail.cluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.quorumail.cluster.GossipConfig.Discovery;
import org.quorumail.cluster.GossipConfig.Preset;
import org.quorumail.cluster.GossipConfig.Transport;
import org.quorumail.config.HostPort;
import org.quorumail.config.Section;

/** The reader of the keys of {@code [cluster]} about discovery and failure detection. */
final class GossipConfigReader {
  private static final String ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/";

  private final Section cluster;

  GossipConfigReader(Section cluster) {
    this.cluster = cluster;
  }

  GossipConfig gossip() {
    return new GossipConfig(
        cluster.choice(
            "transport",
            Transport.class,
            Transport.UDP,
            "transport of gossip, the same on all nodes: sealed UDP and TCP, or QUIC"),
        cluster.text(
            "name",
            "quorumail",
            "nodes of another name are rejected, even if they share the secret"),
        cluster.list(
            "accepted_secrets",
            "base64",
            java.util.List.of(),
            "further secrets that are accepted while cluster.secret is being replaced, at most 3",
            ClusterConfigReader::secret),
        cluster.choice(
            "discovery",
            Discovery.class,
            Discovery.STATIC,
            "how nodes find each other, beside cluster.seeds"),
        cluster.text(
            "discovery_dns",
            "smtp-cluster.local",
            "name for discovery by DNS: A and AAAA, or SRV when it begins with an underscore"),
        cluster.value(
            "multicast_address",
            "address[:port]",
            "239.255.1.1",
            new HostPort("239.255.1.1", ClusterConfigReader.GOSSIP_PORT),
            "group for discovery by multicast",
            text -> HostPort.parse(text, ClusterConfigReader.GOSSIP_PORT)),
        kubernetes(cluster.section("kubernetes")),
        cluster.value(
            "preset",
            "one of lan, wan, large_cluster",
            "lan",
            Preset.LAN,
            "timing of gossip and failure detection",
            GossipConfigReader::preset),
        interval("heartbeat_interval", "how often each node probes another"),
        interval("heartbeat_timeout", "timeout of a probe"),
        failureDetection());
  }

  private static Preset preset(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "lan" -> Preset.LAN;
      case "wan" -> Preset.WAN;
      case "large_cluster", "large-cluster" -> Preset.LARGE_CLUSTER;
      default ->
          throw new IllegalArgumentException("must be one of lan, wan, large_cluster, not " + text);
    };
  }

  private Optional<Duration> interval(String key, String meaning) {
    Duration given = cluster.duration(key, "0s", "0s", "60s", meaning + "; 0s: as the preset says");
    if (given.isZero()) return Optional.empty();
    if (given.toMillis() < 50) cluster.problem(key, "must be 50ms to 60s");
    return Optional.of(given);
  }

  private Optional<Duration> failureDetection() {
    Duration given =
        cluster.duration(
            "failure_detection_timeout",
            "10s",
            "4s",
            "5m",
            "time within which a dead node is declared dead");
    return cluster.has("failure_detection_timeout") ? Optional.of(given) : Optional.empty();
  }

  private static KubernetesConfig kubernetes(Section kubernetes) {
    return new KubernetesConfig(
        kubernetes.text("service", "quorumail", "the service whose pods are the nodes"),
        kubernetes.optionalText("namespace", "(that of this pod)", "the namespace of the service"),
        kubernetes.optionalText(
            "api_server",
            "(from KUBERNETES_SERVICE_HOST and _PORT)",
            "URL of the API server, such as https://10.96.0.1:443"),
        kubernetes.value(
            "token_file",
            "path",
            ACCOUNT + "token",
            Path.of(ACCOUNT + "token"),
            "bearer token of the service account",
            Path::of),
        kubernetes.value(
            "ca_file",
            "path",
            ACCOUNT + "ca.crt",
            Path.of(ACCOUNT + "ca.crt"),
            "PEM certificate that signs the API server's",
            Path::of));
  }
}
