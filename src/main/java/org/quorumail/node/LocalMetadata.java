package org.quorumail.node;

import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.ConfigStatus;
import org.quorumail.cluster.FormationVote;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.MemberMetadata.NodeLoad;
import org.quorumail.config.HostPort;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The source of this node's own metadata, composed at each call. Thread-safe. */
final class LocalMetadata implements Supplier<MemberMetadata> {
  private static final Logger LOG = LoggerFactory.getLogger(LocalMetadata.class);

  /** A documentation address (RFC 5737); nothing is sent to it. */
  private static final HostPort ANY_REMOTE = new HostPort("192.0.2.1", 7946);

  private final DataDirectory.StoredIdentity identity;
  private final NodeConfig node;
  private final ClusterConfig cluster;
  private final FormationVote vote;
  private final Supplier<NodeLoad> load;
  private volatile @Nullable ClusterMap map;
  private volatile @Nullable String joins;
  private volatile ConfigStatus configStatus = ConfigStatus.NONE;
  private volatile long settled;

  LocalMetadata(
      DataDirectory.StoredIdentity identity,
      NodeConfig node,
      ClusterConfig cluster,
      FormationVote vote,
      Supplier<NodeLoad> load,
      @Nullable ClusterMap map) {
    this.identity = identity;
    this.node = node;
    this.cluster = cluster;
    this.vote = vote;
    this.load = load;
    this.map = map;
  }

  @Override
  public MemberMetadata get() {
    ClusterMap known = map;
    return new MemberMetadata(
        identity.nodeId(),
        identity.peerId(),
        host(),
        cluster.port(),
        cluster.raftPort(),
        node.region(),
        node.zone(),
        cluster.expect(),
        vote.proposal(),
        known == null ? List.of() : known.members(),
        load.get(),
        known == null ? joins : null,
        known,
        ClusterMap.VERSION,
        MemberMetadata.FEATURES,
        configStatus,
        settled);
  }

  Optional<ClusterMap> map() {
    return Optional.ofNullable(map);
  }

  /** Asks the nodes of a cluster to add this node. */
  void joins(String clusterId) {
    joins = clusterId;
  }

  /** Publishes which version of the cluster's configuration this node runs. */
  void configStatus(ConfigStatus status) {
    configStatus = status;
  }

  /** Records the revision that all groups have which this node leads. */
  void settled(long revision) {
    settled = revision;
  }

  /** Records that this node, the only member, has moved. */
  void moved(ClusterMap sameRevision) {
    map = sameRevision;
  }

  /** Records the first map, or a later revision of it. */
  void update(ClusterMap agreed) {
    ClusterMap known = map;
    if (known != null && !known.clusterId().equals(agreed.clusterId())) {
      throw new IllegalStateException("the cluster is formed twice: " + known + " and " + agreed);
    }
    if (known == null || known.revision() < agreed.revision()) map = agreed;
  }

  /** The address under which the other nodes reach this one. */
  String host() {
    if (!cluster.enabled()) return "127.0.0.1";
    return cluster.advertiseAddress().orElseGet(this::outgoingAddress);
  }

  /** The address that a packet to the first seed would leave from. */
  private String outgoingAddress() {
    String bind = cluster.bindAddress();
    boolean wildcard = bind.equals("0.0.0.0") || bind.equals("::");
    if (!wildcard) return bind;
    try (DatagramSocket probe = new DatagramSocket()) {
      HostPort seed = cluster.seeds().isEmpty() ? ANY_REMOTE : cluster.seeds().getFirst();
      probe.connect(new InetSocketAddress(seed.host(), seed.port())); // sends nothing
      return probe.getLocalAddress().getHostAddress();
    } catch (SocketException | UncheckedIOException e) {
      LOG.warn("event=advertise_address_unknown reason=\"{}\"", e.getMessage());
      return "127.0.0.1";
    }
  }
}
