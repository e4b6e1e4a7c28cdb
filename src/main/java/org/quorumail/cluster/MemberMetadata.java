package org.quorumail.cluster;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The metadata that a node publishes about itself. It is soft state: it may be old, and nothing
 * that could lose mail depends on it.
 *
 * @param peerId the node's name in Raft: its id and a random part that a wiped directory loses
 * @param proposal the digest of the formation that this node would found, see {@link
 *     FormationVote}; empty while it has not voted
 * @param formed the members of the cluster as this node has stored them; empty before the formation
 * @param load the figures of {@code /cluster/nodes}
 * @param joins the id of the cluster that this node asks to be added to
 * @param map the latest cluster map that this node knows; null before the formation, and in a
 *     release that cannot add nodes
 * @param mapVersion the latest version of cluster maps that this node reads; null in a release that
 *     cannot dissolve spools
 * @param features what this node's release can do beyond that; null in a release that names none
 * @param configStatus the cluster's configuration as this node runs it; null in a release without
 * @param settled the revision of the map that all groups have which this node leads, and from which
 *     it holds no replica that it has given away; null in a release that cannot move replicas
 */
public record MemberMetadata(
    String nodeId,
    String peerId,
    String host,
    int port,
    int raftPort,
    String region,
    String zone,
    int expect,
    String proposal,
    List<Formation.Member> formed,
    NodeLoad load,
    @Nullable String joins,
    @Nullable ClusterMap map,
    @Nullable Integer mapVersion,
    @Nullable List<String> features,
    @Nullable ConfigStatus configStatus,
    @Nullable Long settled) {

  /** The feature of a node that reads orders to the delivery in the log of the meta group. */
  public static final String OPERATOR_ORDERS = "operator-orders";

  /** The feature of a node that reads configurations in the log of the meta group. */
  public static final String REPLICATED_CONFIG = "replicated-config";

  /** The feature of a node that reads acceptances with a key in the logs of spools. */
  public static final String REQUEST_KEYS = "request-keys";

  /** The feature of a node that reads events of mail in the logs and stores of spools. */
  public static final String MAIL_EVENTS = "mail-events";

  /** The features of this release. */
  public static final List<String> FEATURES =
      List.of(OPERATOR_ORDERS, REPLICATED_CONFIG, REQUEST_KEYS, MAIL_EVENTS);

  /**
   * The bound of encoded metadata. Most of their size is the members; a cluster of 50 nodes stays
   * far below.
   */
  static final int MAX_BYTES = 64 * 1024;

  /** JSON of another node may lack a field: such metadata are unreadable, not half read. */
  public MemberMetadata {
    Objects.requireNonNull(nodeId, "nodeId");
    Objects.requireNonNull(peerId, "peerId");
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(region, "region");
    Objects.requireNonNull(zone, "zone");
    Objects.requireNonNull(proposal, "proposal");
    Objects.requireNonNull(load, "load");
    formed = List.copyOf(formed);
  }

  /** Whether the release of the node has a feature. */
  boolean hasFeature(String feature) {
    return features != null && features.contains(feature);
  }

  /** Whether the node can read maps of a version. */
  boolean readsMap(int version) {
    return mapVersion != null && mapVersion >= version;
  }

  /** Whether the groups of the node have the members of this revision of the map. */
  boolean isSettled(long revision) {
    return settled != null && settled >= revision;
  }

  MemberMetadata with(NodeLoad changed) {
    return new MemberMetadata(
        nodeId,
        peerId,
        host,
        port,
        raftPort,
        region,
        zone,
        expect,
        proposal,
        formed,
        changed,
        joins,
        map,
        mapVersion,
        features,
        configStatus,
        settled);
  }

  /**
   * The load of a node; rates are computed by the receiver.
   *
   * @param draining also in maintenance, which an older release does not know
   * @param maintenance why the node is in maintenance, perhaps empty; null when it is not
   */
  public record NodeLoad(
      String version,
      boolean ready,
      boolean draining,
      long startedMillis,
      int activeConnections,
      long messagesProcessed,
      double cpuUsage,
      long memoryUsageMb,
      @Nullable String maintenance) {

    public NodeLoad {
      Objects.requireNonNull(version, "version");
    }

    /** The load without the figures that change all the time. */
    NodeLoad withoutFigures() {
      return new NodeLoad(version, ready, draining, startedMillis, 0, 0, 0, 0, maintenance);
    }

    /** The same with the figures of another report. */
    NodeLoad withFiguresOf(NodeLoad other) {
      return new NodeLoad(
          version,
          ready,
          draining,
          startedMillis,
          other.activeConnections,
          other.messagesProcessed,
          other.cpuUsage,
          other.memoryUsageMb,
          maintenance);
    }
  }
}
