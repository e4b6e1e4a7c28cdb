package org.quorumail.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.HostPort;
import org.quorumail.config.Secret;
import org.quorumail.gossip.plumtree.PlumtreeConfig;

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
    boolean leaveOnStop,
    Duration replaceAfter,
    int replicationFactor,
    Duration snapshotInterval,
    GossipConfig gossip,
    PlumtreeConfig plumtree) {

  /** Reports whether the configuration itself names any other node. */
  public boolean hasSeeds() {
    return !seeds.isEmpty() || !plumtree.bridge().staticSeeds().isEmpty();
  }

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
        leaveOnStop,
        replaceAfter,
        replicationFactor,
        snapshotInterval,
        gossip.withAcceptedSecrets(other.gossip.acceptedSecrets()),
        plumtree);
  }
}
