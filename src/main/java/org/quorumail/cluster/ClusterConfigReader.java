package org.quorumail.cluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.quorumail.config.HostPort;
import org.quorumail.config.Secret;
import org.quorumail.config.Section;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.plumtree.PlumtreeConfig;

/** The reader of {@code [cluster]}. */
public final class ClusterConfigReader {
  static final int GOSSIP_PORT = 7946;
  private static final String[] LATER_TABLES = {
    "leader_election", "load_balancing", "rate_limit", "regions", "state_store"
  };

  /** A node restarts and reads its log within this time. */
  private static final Duration REPLACE_AFTER_MIN = Duration.ofMinutes(1);

  private final Section cluster;

  public ClusterConfigReader(Section cluster) {
    this.cluster = cluster;
  }

  public ClusterConfig cluster() {
    boolean enabled =
        cluster.flag(
            "enabled",
            false,
            "(true with cluster.seeds or another cluster.discovery than static)",
            "whether this node is one of several");
    String bindAddress =
        cluster.text("bind_address", "0.0.0.0", "where the cluster's ports listen");
    Optional<String> advertise =
        cluster.optionalText(
            "advertise_address",
            "(that of the default route)",
            "the address at which the other nodes reach this one");
    int port = cluster.integer("port", GOSSIP_PORT, 1, 65_535, "gossip, UDP and TCP");
    int raftPort = raftPort(port);
    int expect = cluster.integer("expect", 3, 1, 1_000, "nodes to wait for at the first formation");
    List<HostPort> seeds =
        cluster.list(
            "seeds",
            "host:port",
            List.of(),
            "the other nodes, with their gossip ports",
            text -> HostPort.parse(text, GOSSIP_PORT));
    Optional<Secret> secret = secret();
    Optional<ClusterTlsFiles> tls = tls(cluster.section("tls"));
    GossipConfig gossip = new GossipConfigReader(cluster).gossip();
    Duration election = electionTimeout();
    Duration joinTimeout =
        cluster.duration(
            "join_timeout", "30s", "1s", "1h", "wait for the other nodes at the start");
    boolean leaveOnStop =
        cluster.flag(
            "leave_on_stop",
            false,
            "leave the cluster for good at each stop, as `cluster leave`: for nodes that are"
                + " scaled down");
    Duration replaceAfter = replaceAfter();
    int replicas = replicas();
    Duration snapshots =
        cluster.duration(
            "snapshot_interval", "5m", "10s", "1d", "how often the spool's log is shortened");
    laterKeys();
    PlumtreeConfig plumtree = plumtree(gossip.preset());
    boolean hasPeers =
        !seeds.isEmpty()
            || !plumtree.bridge().staticSeeds().isEmpty()
            || gossip.discovery() != GossipConfig.Discovery.STATIC;
    boolean hasCredentials = secret.isPresent() || tls.isPresent();
    checkUse(enabled, hasPeers, hasCredentials);
    return new ClusterConfig(
        cluster.has("enabled") ? enabled : hasPeers,
        bindAddress,
        advertise,
        port,
        raftPort,
        expect,
        seeds,
        secret,
        tls,
        election,
        election.multipliedBy(2),
        joinTimeout,
        leaveOnStop,
        replaceAfter,
        replicas,
        snapshots,
        gossip,
        plumtree);
  }

  /** Reports keys of a cluster on a node that would be stand-alone: 250 would mean one disk. */
  private void checkUse(boolean enabled, boolean hasPeers, boolean hasCredentials) {
    if (enabled) return;
    boolean isOff = cluster.has("enabled");
    if (isOff && hasPeers && hasCredentials) {
      cluster.problem(
          "enabled",
          "is false, but the secret or the certificates and the other nodes of a cluster are"
              + " configured: remove it, or remove cluster.seeds and cluster.discovery");
    } else if (isOff && hasPeers) {
      cluster.warning("enabled", "is false: cluster.seeds and cluster.discovery have no effect");
    } else if (!hasPeers && hasCredentials) {
      cluster.warning(
          cluster.has("secret") ? "secret" : "tls",
          "has no effect: this node is stand-alone and mail is on one disk; name the other nodes"
              + " by cluster.seeds or cluster.discovery, or set cluster.enabled = true");
    }
  }

  /** The preset, changed by {@code [cluster.gossip]}, under the one switch for compression. */
  private PlumtreeConfig plumtree(GossipConfig.Preset preset) {
    PlumtreeConfig written =
        new PlumtreeConfigReader(cluster.section("gossip")).over(presetOf(preset));
    boolean compresses =
        cluster.flag("compression", true, "compress gossip, as cluster.gossip.compression says");
    return compresses ? written : written.withCompression(CompressionConfig.off());
  }

  private static PlumtreeConfig presetOf(GossipConfig.Preset preset) {
    return switch (preset) {
      case LAN -> PlumtreeConfig.lan();
      case WAN -> PlumtreeConfig.wan();
      case LARGE_CLUSTER -> PlumtreeConfig.largeCluster();
    };
  }

  private int raftPort(int port) {
    return cluster.integer(
        "raft_port",
        Math.min(port + 1, 65_535),
        1,
        65_535,
        "replication, mutual TLS; default: cluster.port + 1");
  }

  private Optional<Secret> secret() {
    return cluster.optional(
        "secret",
        "base64",
        "",
        "at least 32 random bytes that all nodes share; `quorumail cluster secret` makes one",
        ClusterConfigReader::secret);
  }

  static Secret secret(String base64) {
    try {
      return Secret.parse(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "must be at least 32 bytes in base64; `quorumail cluster secret` makes one", e);
    }
  }

  private static Optional<ClusterTlsFiles> tls(Section tls) {
    Optional<Path> certificate =
        tls.optional("certificate", "path", "", "PEM certificate chain of this node", Path::of);
    Optional<Path> key = tls.optional("key", "path", "", "its PEM private key", Path::of);
    Optional<Path> ca =
        tls.optional("ca", "path", "", "PEM certificates that sign the nodes'", Path::of);
    ClusterTlsFiles.Verification verification =
        tls.choice(
            "verify",
            ClusterTlsFiles.Verification.class,
            ClusterTlsFiles.Verification.NODE,
            "what a member's certificate must name: the node.id of that node, or nothing, so that"
                + " each certificate of the authority may speak as any node");
    long given = Stream.of(certificate, key, ca).filter(Optional::isPresent).count();
    if (given != 0 && given != 3) {
      tls.problem("", "certificate, key and ca belong together: set all three or none");
    }
    return certificate.flatMap(
        c -> key.flatMap(k -> ca.map(a -> new ClusterTlsFiles(c, k, a, verification))));
  }

  /** The shortest election timeout. The longest is twice that: Raft needs a spread. */
  private Duration electionTimeout() {
    return cluster.duration(
        "election_timeout",
        "600ms",
        "100ms",
        "60s",
        "silence after which a follower starts an election; the longest is twice that. The same"
            + " on all nodes: leases are derived from it");
  }

  private Duration replaceAfter() {
    Duration after =
        cluster.duration(
            "replace_after",
            "0s",
            "0s",
            "30d",
            "a node that is away for so long is removed, if other nodes can take all its places;"
                + " at least 1m; 0s: an operator decides. The same on all nodes");
    if (!after.isZero() && after.compareTo(REPLACE_AFTER_MIN) < 0) {
      cluster.problem(
          "replace_after", "less than 1m would remove a node that only restarts; 0s turns it off");
    }
    return after;
  }

  private int replicas() {
    int replicas =
        cluster.integer(
            "replication_factor", 3, 1, 9, "nodes that keep each spool, this one included");
    int quorum = replicas / 2 + 1;
    int min =
        cluster.integer(
            "min_replicas_for_write", 2, 1, 9, "copies before 250; never fewer than a quorum");
    if (min > quorum && cluster.has("min_replicas_for_write")) {
      cluster.problem(
          "min_replicas_for_write",
          "more than a quorum ("
              + quorum
              + " of "
              + replicas
              + ") is not available in this version");
    }
    return replicas;
  }

  private void laterKeys() {
    cluster.unavailable(
        "consistency", "\"quorum\"", "of replicated state; mail is never below quorum");
    for (String table : LATER_TABLES) {
      cluster.unavailable(table, "", "a table of a later version");
    }
  }
}
