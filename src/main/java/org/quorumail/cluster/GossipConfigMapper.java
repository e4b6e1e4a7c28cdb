package org.quorumail.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import org.quorumail.config.HostPort;
import org.quorumail.config.Secret;
import org.quorumail.gossip.discovery.DnsDiscovery;
import org.quorumail.gossip.discovery.KubernetesDiscovery;
import org.quorumail.gossip.discovery.MulticastDiscovery;
import org.quorumail.gossip.discovery.NodeDiscovery;
import org.quorumail.gossip.discovery.SeedAddress;
import org.quorumail.gossip.discovery.StaticDiscovery;
import org.quorumail.gossip.driver.GossipSettings;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.TransportSettings;

/** The mapper from {@code [cluster]} to the settings of this node's gossip. */
public final class GossipConfigMapper {
  private static final Path POD_NAMESPACE =
      Path.of("/var/run/secrets/kubernetes.io/serviceaccount/namespace");

  private GossipConfigMapper() {}

  /**
   * @param self this node's metadata
   * @param credentials this node's certificate, and the authorities that it trusts
   * @param directory where the addresses of the members are kept
   * @throws ClusterStartException with a sentence that names the key
   */
  public static GossipSettings settings(
      ClusterConfig cluster, MemberMetadata self, NodeCredentials credentials, Path directory)
      throws ClusterStartException {
    InetSocketAddress advertised = advertised(self);
    return new GossipSettings(
        self.nodeId(),
        new InetSocketAddress(address("cluster.bind_address", cluster.bindAddress()), self.port()),
        advertised,
        keyRing(cluster),
        transport(cluster.gossip(), credentials),
        swim(cluster.gossip()),
        cluster.plumtree(),
        GossipMembership.encode(self),
        discoveries(cluster, self, advertised),
        Optional.of(directory.resolve("peers")),
        GossipMembership::zone);
  }

  private static TransportSettings transport(GossipConfig gossip, NodeCredentials credentials)
      throws ClusterStartException {
    if (gossip.transport() == GossipConfig.Transport.UDP) return new TransportSettings.SealedUdp();
    Optional<String> missing = TransportSettings.Quic.unavailableReason();
    if (missing.isPresent()) throw new ClusterStartException("cluster.transport: " + missing.get());
    return new TransportSettings.Quic(
        credentials.keyManager(), credentials.trustManager(), NodeCertificate::names);
  }

  /** The keys that follow from {@code cluster.secret} and {@code cluster.accepted_secrets}. */
  public static KeyRing keyRing(ClusterConfig cluster) {
    Secret secret = cluster.secret().orElseThrow();
    List<byte[]> accepted = cluster.gossip().acceptedSecrets().stream().map(Secret::bytes).toList();
    return KeyRing.of(cluster.gossip().clusterName(), secret.bytes(), accepted);
  }

  private static SwimConfig swim(GossipConfig gossip) {
    SwimConfig swim =
        switch (gossip.preset()) {
          case LAN -> SwimConfig.lan();
          case WAN -> SwimConfig.wan();
          case LARGE_CLUSTER -> SwimConfig.largeCluster();
        };
    if (gossip.failureDetectionTimeout().isPresent()) {
      swim =
          swim.withFailureDetectionTimeout((int) gossip.failureDetectionTimeout().get().toMillis());
    }
    return withProbes(swim, gossip);
  }

  /** Applies {@code heartbeat_interval} and {@code heartbeat_timeout}: they are SWIM's probes. */
  private static SwimConfig withProbes(SwimConfig swim, GossipConfig gossip) {
    if (gossip.probeInterval().isEmpty() && gossip.probeTimeout().isEmpty()) return swim;
    int interval = millis(gossip.probeInterval(), swim.probeInterval());
    int timeout = millis(gossip.probeTimeout(), swim.probeTimeout());
    int window = Math.max(swim.probeWindow(), timeout + (swim.probeWindow() - swim.probeTimeout()));
    return new SwimConfig(
        interval,
        swim.smallClusterProbeStep(),
        Math.min(swim.minProbeInterval(), interval),
        timeout,
        window,
        swim.indirectProbes(),
        swim.suspicionFloor(),
        swim.suspicionStep(),
        swim.suspicionMaxFactor(),
        swim.suspicionConfirmations(),
        swim.failureDetectionTimeout(),
        swim.gossipInterval(),
        swim.gossipNodes(),
        swim.retransmitFactor(),
        swim.pushPullInterval(),
        swim.pushPullBusyInterval(),
        swim.lazarusInterval(),
        swim.lazarusBusyInterval(),
        swim.maxHealthScore(),
        swim.packetBytes(),
        swim.tombstoneTime(),
        swim.maxTombstones(),
        swim.maxMembers(),
        swim.leaveTimeout());
  }

  private static int millis(Optional<java.time.Duration> given, int preset) {
    return given.map(d -> (int) d.toMillis()).orElse(preset);
  }

  private static List<NodeDiscovery> discoveries(
      ClusterConfig cluster, MemberMetadata self, InetSocketAddress advertised)
      throws ClusterStartException {
    List<NodeDiscovery> discoveries = new ArrayList<>();
    discoveries.add(
        new StaticDiscovery(cluster.seeds().stream().map(GossipConfigMapper::seed).toList()));
    GossipConfig gossip = cluster.gossip();
    try {
      switch (gossip.discovery()) {
        case STATIC -> {}
        case DNS -> discoveries.add(new DnsDiscovery(gossip.discoveryDns(), cluster.port()));
        case MULTICAST -> discoveries.add(multicast(cluster, self, advertised));
        case KUBERNETES ->
            discoveries.add(
                KubernetesDiscovery.open(kubernetes(gossip.kubernetes()), cluster.port()));
        case CUSTOM -> discoveries.add(custom());
      }
    } catch (IOException e) {
      throw new ClusterStartException(String.valueOf(e.getMessage()), e);
    }
    return discoveries;
  }

  private static NodeDiscovery custom() throws ClusterStartException {
    try {
      return NodeDiscovery.loadCustom()
          .orElseThrow(
              () ->
                  new ClusterStartException(
                      "cluster.discovery: there is no NodeDiscovery on the class path; add the jar"
                          + " that provides one, or set another discovery"));
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new ClusterStartException(
          "cluster.discovery: the NodeDiscovery on the class path cannot be used (%s)".formatted(e),
          e);
    }
  }

  private static SeedAddress seed(HostPort seed) {
    return new SeedAddress(seed.host(), seed.port());
  }

  private static NodeDiscovery multicast(
      ClusterConfig cluster, MemberMetadata self, InetSocketAddress advertised)
      throws ClusterStartException {
    HostPort group = cluster.gossip().multicast();
    InetAddress address = address("cluster.multicast_address", group.host());
    try {
      return MulticastDiscovery.join(
          keyRing(cluster),
          self.nodeId(),
          new InetSocketAddress(address, group.port()),
          advertised.getAddress(),
          advertised);
    } catch (IOException e) {
      throw new ClusterStartException("cluster.multicast_address: " + e.getMessage(), e);
    }
  }

  private static KubernetesDiscovery.Settings kubernetes(KubernetesConfig k)
      throws ClusterStartException {
    String api = k.apiServer().orElseGet(GossipConfigMapper::apiServer);
    if (api.isEmpty()) {
      throw new ClusterStartException(
          "cluster.kubernetes.api_server: this is no pod (KUBERNETES_SERVICE_HOST is not set); name"
              + " the API server");
    }
    URI uri;
    try {
      uri = URI.create(api);
    } catch (IllegalArgumentException e) {
      throw new ClusterStartException("cluster.kubernetes.api_server: " + api + " is not a URL", e);
    }
    if (uri.getHost() == null || !List.of("https", "http").contains(uri.getScheme())) {
      throw new ClusterStartException(
          "cluster.kubernetes.api_server: " + api + " is not an https URL");
    }
    return new KubernetesDiscovery.Settings(
        uri, namespace(k), k.service(), k.tokenFile(), k.caFile());
  }

  private static String apiServer() {
    String host = System.getenv("KUBERNETES_SERVICE_HOST");
    String port = System.getenv("KUBERNETES_SERVICE_PORT");
    if (host == null) return "";
    return "https://"
        + (host.contains(":") ? "[" + host + "]" : host)
        + ":"
        + (port == null ? "443" : port);
  }

  private static String namespace(KubernetesConfig k) throws ClusterStartException {
    if (k.namespace().isPresent()) return k.namespace().get();
    try {
      return Files.readString(POD_NAMESPACE).strip();
    } catch (IOException e) {
      throw new ClusterStartException(
          "cluster.kubernetes.namespace: this is no pod (%s is not there); name the namespace"
              .formatted(POD_NAMESPACE),
          e);
    }
  }

  private static InetSocketAddress advertised(MemberMetadata self) throws ClusterStartException {
    InetAddress address = address("cluster.advertise_address", self.host());
    if (address.isAnyLocalAddress()) {
      throw new ClusterStartException(
          "cluster.advertise_address: %s is no address that other nodes can reach; name this node's own"
              .formatted(self.host()));
    }
    return new InetSocketAddress(address, self.port());
  }

  private static InetAddress address(String key, String host) throws ClusterStartException {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new ClusterStartException("%s: no address is known for %s".formatted(key, host), e);
    }
  }
}
