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
import org.quorumail.config.Config.ClusterConfig;
import org.quorumail.config.Config.GossipConfig;
import org.quorumail.config.Config.KubernetesConfig;
import org.quorumail.config.HostPort;
import org.quorumail.config.Secret;
import org.quorumail.gossip.SwimConfig;
import org.quorumail.gossip.net.DnsDiscovery;
import org.quorumail.gossip.net.GossipSettings;
import org.quorumail.gossip.net.GossipSettings.Carrier;
import org.quorumail.gossip.net.KeyRing;
import org.quorumail.gossip.net.KubernetesDiscovery;
import org.quorumail.gossip.net.MulticastDiscovery;
import org.quorumail.gossip.net.NodeDiscovery;
import org.quorumail.gossip.net.StaticDiscovery;

/** Makes of {@code [cluster]} what the gossip of this node needs. */
public final class GossipPlan {
  private static final Path POD_NAMESPACE =
      Path.of("/var/run/secrets/kubernetes.io/serviceaccount/namespace");

  private GossipPlan() {}

  /**
   * @param card what this node says about itself
   * @param identity what it shows to the others, and whom it trusts
   * @param directory where the addresses of the members are kept
   * @throws ClusterFault with a sentence that names the key
   */
  public static GossipSettings settings(
      ClusterConfig cluster, NodeCard card, NodeIdentity identity, Path directory)
      throws ClusterFault {
    InetSocketAddress advertised = advertised(card);
    return new GossipSettings(
        card.nodeId(),
        new InetSocketAddress(address("cluster.bind_address", cluster.bindAddress()), card.port()),
        advertised,
        ring(cluster),
        carrier(cluster.gossip(), identity),
        swim(cluster.gossip()),
        cluster.plumtree(),
        GossipMembership.metadata(card),
        discoveries(cluster, card, advertised),
        Optional.of(directory.resolve("peers")),
        GossipMembership::zone);
  }

  private static Carrier carrier(GossipConfig gossip, NodeIdentity identity) throws ClusterFault {
    if (gossip.transport() == GossipConfig.Transport.UDP) return new Carrier.SealedUdp();
    Optional<String> missing = Carrier.Quic.missing();
    if (missing.isPresent()) throw new ClusterFault("cluster.transport: " + missing.get());
    return new Carrier.Quic(identity.keyManager(), identity.trustManager(), NodeCertificate::names);
  }

  /** The keys that follow from {@code cluster.secret} and {@code cluster.accepted_secrets}. */
  public static KeyRing ring(ClusterConfig cluster) {
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

  /** {@code heartbeat_interval} and {@code heartbeat_timeout} are SWIM's probes. */
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
      ClusterConfig cluster, NodeCard card, InetSocketAddress advertised) throws ClusterFault {
    List<NodeDiscovery> ways = new ArrayList<>();
    ways.add(new StaticDiscovery(cluster.seeds()));
    GossipConfig gossip = cluster.gossip();
    try {
      switch (gossip.discovery()) {
        case STATIC -> {}
        case DNS -> ways.add(new DnsDiscovery(gossip.discoveryDns(), cluster.port()));
        case MULTICAST -> ways.add(multicast(cluster, card, advertised));
        case KUBERNETES ->
            ways.add(new KubernetesDiscovery(kubernetes(gossip.kubernetes()), cluster.port()));
        case CUSTOM -> ways.add(custom());
      }
    } catch (IOException e) {
      throw new ClusterFault(String.valueOf(e.getMessage()), e);
    }
    return ways;
  }

  private static NodeDiscovery custom() throws ClusterFault {
    try {
      return NodeDiscovery.custom()
          .orElseThrow(
              () ->
                  new ClusterFault(
                      "cluster.discovery: there is no NodeDiscovery on the class path; add the jar"
                          + " that provides one, or name another way"));
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new ClusterFault(
          "cluster.discovery: the NodeDiscovery on the class path cannot be used (%s)".formatted(e),
          e);
    }
  }

  private static NodeDiscovery multicast(
      ClusterConfig cluster, NodeCard card, InetSocketAddress advertised)
      throws IOException, ClusterFault {
    HostPort group = cluster.gossip().multicast();
    InetAddress address = address("cluster.multicast_address", group.host());
    return MulticastDiscovery.join(
        ring(cluster),
        card.nodeId(),
        new InetSocketAddress(address, group.port()),
        advertised.getAddress(),
        advertised);
  }

  private static KubernetesDiscovery.Settings kubernetes(KubernetesConfig k) throws ClusterFault {
    String api = k.apiServer().orElseGet(GossipPlan::apiServer);
    if (api.isEmpty()) {
      throw new ClusterFault(
          "cluster.kubernetes.api_server: this is no pod (KUBERNETES_SERVICE_HOST is not set); name"
              + " the API server");
    }
    URI uri;
    try {
      uri = URI.create(api);
    } catch (IllegalArgumentException e) {
      throw new ClusterFault("cluster.kubernetes.api_server: " + api + " is not a URL", e);
    }
    if (uri.getHost() == null || !List.of("https", "http").contains(uri.getScheme())) {
      throw new ClusterFault("cluster.kubernetes.api_server: " + api + " is not an https URL");
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

  private static String namespace(KubernetesConfig k) throws ClusterFault {
    if (k.namespace().isPresent()) return k.namespace().get();
    try {
      return Files.readString(POD_NAMESPACE).strip();
    } catch (IOException e) {
      throw new ClusterFault(
          "cluster.kubernetes.namespace: this is no pod (%s is not there); name the namespace"
              .formatted(POD_NAMESPACE),
          e);
    }
  }

  private static InetSocketAddress advertised(NodeCard card) throws ClusterFault {
    InetAddress address = address("cluster.advertise_address", card.host());
    if (address.isAnyLocalAddress()) {
      throw new ClusterFault(
          "cluster.advertise_address: %s is no address that others can call; name this node's own"
              .formatted(card.host()));
    }
    return new InetSocketAddress(address, card.port());
  }

  private static InetAddress address(String key, String host) throws ClusterFault {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new ClusterFault("%s: no address is known for %s".formatted(key, host), e);
    }
  }
}
