package org.quorumail.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.HostPort;
import org.quorumail.config.Secret;

/**
 * The part of {@code [cluster]} about discovery and failure detection.
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
