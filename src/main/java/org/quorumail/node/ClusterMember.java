package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.ClusterEvent;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterStartException;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.FormationVote;
import org.quorumail.cluster.GossipConfigMapper;
import org.quorumail.cluster.GossipMembership;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeCredentials;
import org.quorumail.cluster.PartitionDetector;
import org.quorumail.cluster.Placement;
import org.quorumail.cluster.StaticMembership;
import org.quorumail.config.HostPort;
import org.quorumail.gossip.driver.GossipSettings;
import org.quorumail.replication.RaftSettings;
import org.quorumail.replication.RaftTls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's place among the others: its certificate, whom it hears, and the formation. A
 * stand-alone node has the same, with a membership of nobody and a formation of itself.
 */
public final class ClusterMember implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterMember.class);
  private static final String FILE = "cluster.json";
  private static final Duration POLL = Duration.ofMillis(200);

  private final Config config;
  private final DataDirectory directory;
  private final Supplier<MemberMetadata.NodeLoad> load;
  private final Optional<NodeCredentials> credentials;
  private final ClusterEventLog events = new ClusterEventLog();
  private final FormationVote formationVote = new FormationVote();
  private final PartitionDetector partitionDetector = new PartitionDetector();
  private final Membership membership;
  private volatile @Nullable Formation formation;

  private ClusterMember(
      Config config,
      DataDirectory directory,
      Supplier<MemberMetadata.NodeLoad> load,
      @Nullable Formation formation,
      MeterRegistry meters)
      throws ClusterStartException {
    this.config = config;
    this.directory = directory;
    this.load = load;
    this.formation = formation;
    ClusterConfig cluster = config.cluster();
    if (!cluster.enabled()) {
      this.credentials = Optional.empty();
      this.membership = new NoMembership();
      return;
    }
    NodeCertificate mine = certificate(cluster, directory.identity().nodeId());
    this.credentials = Optional.of(new NodeCredentials(mine, acceptedAuthorities(cluster)));
    this.membership =
        cluster.secret().isPresent()
            ? gossip(cluster, meters)
            : StaticMembership.start(
                this::metadata,
                mine.context(),
                cluster.bindAddress(),
                cluster.port(),
                cluster.seeds());
  }

  private GossipMembership gossip(ClusterConfig cluster, MeterRegistry meters)
      throws ClusterStartException {
    GossipSettings settings =
        GossipConfigMapper.settings(
            cluster, metadata(), credentials.orElseThrow(), directory.path());
    return GossipMembership.start(this::metadata, events, settings, meters);
  }

  public static ClusterMember start(
      Config config,
      DataDirectory directory,
      Supplier<MemberMetadata.NodeLoad> load,
      MeterRegistry meters)
      throws ClusterStartException {
    Path file = directory.path().resolve(FILE);
    Optional<Formation> stored = Formation.read(file);
    boolean wasAlone =
        stored.isPresent() && stored.get().members().size() == 1 && !config.cluster().enabled();
    boolean wasMember = stored.isPresent() && !wasAlone;
    if (wasMember && !config.cluster().enabled()) {
      throw new ClusterStartException(
          "cluster.enabled: %s belongs to a member of a cluster and holds its share of the mail; enable the cluster or name another directory"
              .formatted(directory.path()));
    }
    if (stored.isPresent()
        && config.cluster().enabled()
        && stored.get().members().size() == 1
        && config.cluster().expect() > 1) {
      throw new ClusterStartException(
          "cluster.enabled: %s belongs to a stand-alone node; name an empty directory for a member of a cluster"
              .formatted(directory.path()));
    }
    return new ClusterMember(config, directory, load, stored.orElse(null), meters);
  }

  /** Waits until the cluster is formed, for ever if need be; empty when the node stops before. */
  public Optional<Formation> awaitFormation(CountDownLatch stopping)
      throws ClusterStartException, IOException, InterruptedException {
    Formation known = formation;
    if (known != null) {
      known.formerAddress(Formation.member(metadata())).ifPresent(ClusterMember::warnOfMove);
      return Optional.of(known);
    }
    long warnAt = System.nanoTime() + config.cluster().joinTimeout().toNanos();
    while (true) {
      Optional<Formation> formed = form();
      if (formed.isPresent()) {
        formed.get().store(directory.path().resolve(FILE));
        formation = formed.get();
        LOG.info(
            "cluster_formed members={}",
            formed.get().members().stream().map(Formation.Member::nodeId).toList());
        return formed;
      }
      if (System.nanoTime() > warnAt) {
        Optional<String> refusal = membership.joinFailure();
        if (refusal.isPresent()) throw new ClusterStartException(refusal.get());
        LOG.warn(
            "cluster_forming expect={} seen={} seeds={}",
            config.cluster().expect(),
            membership.members().size() + 1,
            config.cluster().seeds());
        warnAt = System.nanoTime() + config.cluster().joinTimeout().toNanos();
      }
      if (stopping.await(POLL.toMillis(), TimeUnit.MILLISECONDS)) return Optional.empty();
    }
  }

  private static void warnOfMove(String founded) {
    LOG.warn(
        "cluster_address_changed founded={} reason=\"the others replicate to that address; give it"
            + " back to this node, or found clusters with names in cluster.advertise_address where"
            + " addresses change\"",
        founded);
  }

  public Membership membership() {
    return membership;
  }

  public ClusterEventLog events() {
    return events;
  }

  public PartitionDetector partitionDetector() {
    return partitionDetector;
  }

  /** Tells all nodes, as far as there are others that can be told. */
  void publish(String type, Map<String, String> details) {
    if (membership instanceof GossipMembership gossip) {
      gossip.publish(type, details);
    } else {
      String node = directory.identity().nodeId();
      events.add(new ClusterEvent(Instant.now().toString(), node, type, details));
    }
  }

  /** New secrets for gossip and replication, from now on; nothing that is open is closed. */
  public void replaceSecrets(ClusterConfig changed) {
    if (credentials.isEmpty() || changed.secret().isEmpty()) return;
    if (config.cluster().tls().isEmpty()) {
      NodeCertificate mine =
          NodeCertificate.derive(
              changed.secret().get(), directory.identity().nodeId(), Set.of(host()));
      credentials.get().replace(mine, acceptedAuthorities(changed));
    }
    if (membership instanceof GossipMembership gossip)
      gossip.replaceKeys(GossipConfigMapper.keyRing(changed));
    LOG.info("cluster_secrets_changed accepted={}", changed.gossip().acceptedSecrets().size());
  }

  public Optional<Formation> formation() {
    return Optional.ofNullable(formation);
  }

  RaftSettings raftSettings(Path raftDirectory) {
    String peerId = directory.identity().peerId();
    if (credentials.isEmpty()) return RaftSettings.standAlone("alone", peerId, raftDirectory);
    ClusterConfig c = config.cluster();
    RaftTls tls =
        new RaftTls.Managers(credentials.get().keyManager(), credentials.get().trustManager());
    return new RaftSettings(
        "cluster",
        peerId,
        c.bindAddress(),
        c.raftPort(),
        raftDirectory,
        tls,
        c.electionTimeoutMin(),
        c.electionTimeoutMax(),
        RaftSettings.FirstElectionTimeout.IN_CLUSTER,
        c.snapshotInterval(),
        RaftSettings.SNAPSHOT_BYTES);
  }

  Placement placement(Formation formed) {
    return new Placement(formed, config.cluster().replicationFactor());
  }

  public MemberMetadata metadata() {
    Formation formed = formation;
    ClusterConfig c = config.cluster();
    return new MemberMetadata(
        directory.identity().nodeId(),
        directory.identity().peerId(),
        host(),
        c.port(),
        c.raftPort(),
        config.node().region(),
        config.node().zone(),
        c.expect(),
        formationVote.proposal(),
        formed == null ? List.of() : formed.members(),
        load.get());
  }

  @Override
  public void close() {
    membership.close();
  }

  private Optional<Formation> form() throws ClusterStartException {
    if (credentials.isEmpty() || config.cluster().expect() == 1) {
      MemberMetadata card = metadata();
      return Optional.of(
          Formation.standalone(
              new Formation.Member(
                  card.nodeId(), card.peerId(), card.host(), card.raftPort(), card.zone())));
    }
    if (membership instanceof GossipMembership gossip && gossip.idConflict().isPresent()) {
      throw new ClusterStartException(gossip.idConflict().get());
    }
    List<MemberMetadata> others =
        membership.members().stream()
            .filter(m -> m.presence() != Membership.Presence.LEFT)
            .map(Membership.Member::metadata)
            .toList();
    return formationVote.tally(metadata(), others);
  }

  private String host() {
    ClusterConfig c = config.cluster();
    if (!c.enabled()) return "127.0.0.1";
    return c.advertiseAddress().orElseGet(() -> advertised(c));
  }

  private static List<X509Certificate> acceptedAuthorities(ClusterConfig cluster) {
    if (cluster.tls().isPresent()) return List.of();
    return cluster.gossip().acceptedSecrets().stream().map(NodeCertificate::authority).toList();
  }

  private NodeCertificate certificate(ClusterConfig cluster, String nodeId)
      throws ClusterStartException {
    if (cluster.tls().isPresent()) return NodeCertificate.read(cluster.tls().get());
    if (cluster.secret().isEmpty()) {
      throw new ClusterStartException(
          "cluster.secret: a member of a cluster needs the secret or cluster.tls; make one with"
              + " 'quorumail cluster secret'");
    }
    return NodeCertificate.derive(cluster.secret().get(), nodeId, Set.of(host()));
  }

  /** The address that a packet to the first seed would leave from. */
  private static String advertised(ClusterConfig cluster) {
    boolean wildcard =
        cluster.bindAddress().equals("0.0.0.0") || cluster.bindAddress().equals("::");
    if (!wildcard) return cluster.bindAddress();
    try (DatagramSocket probe = new DatagramSocket()) {
      // sends nothing; any far address shows the way out when there is no seed
      HostPort seed =
          cluster.seeds().isEmpty() ? new HostPort("192.0.2.1", 7946) : cluster.seeds().getFirst();
      probe.connect(new InetSocketAddress(seed.host(), seed.port()));
      return probe.getLocalAddress().getHostAddress();
    } catch (SocketException | UncheckedIOException e) {
      LOG.warn("advertise_address_unknown reason=\"{}\"", e.getMessage());
      return "127.0.0.1";
    }
  }

  /** The others of a node that stands alone. */
  private record NoMembership() implements Membership {
    @Override
    public List<Member> members() {
      return List.of();
    }

    @Override
    public Optional<String> joinFailure() {
      return Optional.empty();
    }

    @Override
    public void close() {}
  }
}
