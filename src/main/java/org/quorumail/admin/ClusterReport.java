package org.quorumail.admin;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.ClusterView;
import org.quorumail.cluster.ClusterEvent;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.NodeRemoval;
import org.quorumail.cluster.NodeReplacement;
import org.quorumail.cluster.Placement;
import org.quorumail.node.ClusterDeparture;
import org.quorumail.node.ClusterMember;
import org.quorumail.node.LeadershipMove;
import org.quorumail.node.NodeState;
import org.quorumail.node.RaftGroups;
import org.quorumail.node.SpoolMoveEvents;
import org.quorumail.node.SpoolRebalancer;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.replication.LogPosition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The cluster as the API shows it: the metadata of the nodes, and the leader of the meta group. */
public final class ClusterReport implements ClusterView {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterReport.class);

  /** The status of a node that takes no mail and votes. */
  private static final String MAINTENANCE = "maintenance";

  private final ClusterMember member;
  private final NodeState state;
  private final Runnable onLeave;

  /**
   * @param onLeave called when this node is to leave the cluster for good
   */
  public ClusterReport(ClusterMember member, NodeState state, Runnable onLeave) {
    this.member = member;
    this.state = state;
    this.onLeave = onLeave;
  }

  @Override
  public ClusterStatus status() {
    List<ClusterNode> nodes = nodes();
    int healthy = count(nodes, "healthy");
    Optional<RaftGroups> open = state.groups();
    String leader = open.flatMap(g -> g.leader(Placement.META_GROUP)).orElse(null);
    MemberMetadata self = member.metadata();
    ClusterNode local =
        nodes.stream().filter(n -> n.id().equals(self.nodeId())).findFirst().orElseThrow();
    return new ClusterStatus(
        nodes.size(),
        healthy,
        nodes.size() - healthy,
        leader,
        state(open.isPresent(), leader, healthy, count(nodes, MAINTENANCE), nodes.size()),
        open.map(ClusterReport::term).orElse(0L),
        new LocalNode(local.id(), local.role(), local.status(), state.uptime().toSeconds()),
        open.flatMap(ClusterReport::warning).orElse(null));
  }

  /** The members may be a sound number and the voters not, while one of them is replaced. */
  private static Optional<String> warning(RaftGroups groups) {
    int voters = groups.metaVoters().size();
    return groups
        .map()
        .sizeWarning()
        .or(
            () ->
                voters > 0 && voters % 2 == 0
                    ? Optional.of(
                        "%d nodes vote in the meta group, which survive the loss of no more than %d: add a node, or wait until another one is ready"
                            .formatted(voters, (voters - 1) / 2))
                    : Optional.empty());
  }

  @Override
  public List<ClusterNode> nodes() {
    Map<String, ClusterNode> nodes = new TreeMap<>();
    Optional<RaftGroups> open = state.groups();
    MetaRoles roles =
        new MetaRoles(
            open.flatMap(g -> g.leader(Placement.META_GROUP)).orElse(null),
            open.map(RaftGroups::metaListeners).orElse(List.of()));
    for (Formation.Member m : member.formation().map(Formation::members).orElse(List.of())) {
      nodes.put(m.nodeId(), unseenNode(m, roles));
    }
    for (Membership.Member m : member.membership().members()) {
      Optional<Formation> formed = member.formation();
      boolean belongs =
          formed.isEmpty() || formed.get().findPeer(m.metadata().peerId()).isPresent();
      if (belongs) nodes.put(m.metadata().nodeId(), node(m.metadata(), m, roles));
    }
    MemberMetadata own = member.metadata();
    nodes.put(own.nodeId(), node(own, null, roles));
    return List.copyOf(nodes.values());
  }

  @Override
  public ReplicationStats replication() {
    List<GroupStatus> list = new ArrayList<>();
    state.groups().ifPresent(g -> g.names().forEach(name -> list.add(group(g, name))));
    list.sort(Comparator.comparing(GroupStatus::name));
    return new ReplicationStats(
        state.groups().map(RaftGroups::pendingBytes).orElse(0L),
        state.groups().map(g -> g.spools().unansweredCommits()).orElse(0L),
        state.groups().map(g -> g.spools().meanCommitMillis()).orElse(0.0),
        list);
  }

  @Override
  public Optional<ElectionResult> transferLeadership(String group, String successor) {
    Optional<RaftGroups> open = state.groups();
    Optional<DeliveryQueue> queue = state.queue();
    if (open.isEmpty() || queue.isEmpty() || !open.get().led().contains(group))
      return Optional.empty();
    Optional<String> reason =
        new LeadershipMove(open.get(), queue.get(), state, member).run(group, successor);
    return Optional.of(
        new ElectionResult(
            group, reason.isEmpty(), open.get().leader(group).orElse(null), reason.orElse("")));
  }

  @Override
  public RemovalResult removeNode(String id) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) return new RemovalResult(false, id, "the cluster is not formed yet");
    NodeRemoval removal =
        new NodeRemoval(
            open.get().map(),
            open.get().metaVoters(),
            member.metadata(),
            member.membership().members());
    Optional<String> reason = removal.problem(id).or(() -> propose(open.get(), removal.next(id)));
    if (reason.isEmpty()) LOG.warn("event=node_removed node={}", id);
    return new RemovalResult(reason.isEmpty(), id, reason.orElse(""));
  }

  @Override
  public ReplacementResult replaceNode(String formerId, String replacementId) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) {
      return new ReplacementResult(false, formerId, replacementId, "the cluster is not formed yet");
    }
    NodeReplacement replacement =
        new NodeReplacement(
            open.get().map(),
            open.get().metaVoters(),
            member.metadata(),
            member.membership().members());
    Optional<String> reason =
        replacement
            .problem(formerId, replacementId)
            .or(() -> propose(open.get(), replacement.next(formerId, replacementId)));
    if (reason.isEmpty())
      LOG.warn("event=node_replaced node={} replacement={}", formerId, replacementId);
    return new ReplacementResult(reason.isEmpty(), formerId, replacementId, reason.orElse(""));
  }

  @Override
  public DepartureResult leave() {
    String self = member.metadata().nodeId();
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) return new DepartureResult(false, self, "the cluster is not formed yet");
    Optional<String> reason = new ClusterDeparture(open.get(), member).problem();
    if (reason.isEmpty()) onLeave.run();
    return new DepartureResult(reason.isEmpty(), self, reason.orElse(""));
  }

  private static Optional<String> propose(RaftGroups groups, ClusterMap next) {
    try {
      return groups.propose(next);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("this node is stopping");
    }
  }

  @Override
  public ClusterEventLog events() {
    return member.events();
  }

  /** The term of the leadership of this node, or that of the last entry that it has applied. */
  private static long term(RaftGroups groups) {
    return groups
        .log(Placement.META_GROUP)
        .flatMap(log -> log.leadership())
        .map(lease -> lease.term())
        .orElseGet(() -> groups.meta().applied().term());
  }

  /**
   * The state of the cluster. The first that applies counts: a partition explains more than the
   * loss of the quorum that it causes.
   */
  private String state(
      boolean open, @Nullable String leader, int healthy, int inMaintenance, int total) {
    if (state.isDraining()) return "ShuttingDown";
    if (!open) return "Forming";
    if (member.partitionDetector().isPartitioned()) return "Partitioned";
    // a node in maintenance votes
    if ((healthy + inMaintenance) * 2 <= total) return "NoQuorum";
    // cut off from the leader of the meta group alone, a node accepts mail for other groups
    boolean accepts = state.groups().filter(g -> g.spools().hasQuorum()).isPresent();
    if (leader == null) return accepts ? "Degraded" : "NoQuorum";
    boolean moves =
        member
            .events()
            .inProgress(
                SpoolMoveEvents.STARTED,
                SpoolMoveEvents.COMPLETED,
                SpoolMoveEvents.SPOOL,
                SpoolRebalancer.MAX_DURATION)
            .stream()
            .anyMatch(event -> !hasArrived(event));
    if (moves) return "Rebalancing";
    return healthy == total ? "Healthy" : "Degraded";
  }

  /** The second event of a move may be late after a partition; the leader of the spool is not. */
  private boolean hasArrived(ClusterEvent started) {
    String to = started.details().get(SpoolMoveEvents.TO);
    String spool = started.details().getOrDefault(SpoolMoveEvents.SPOOL, "");
    return to != null
        && state.groups().flatMap(g -> g.leader(spool)).filter(to::equals).isPresent();
  }

  private static ClusterNode node(
      MemberMetadata metadata, Membership.@Nullable Member member, MetaRoles roles) {
    MemberMetadata.NodeLoad load = metadata.load();
    Membership.Presence presence = member == null ? Membership.Presence.ALIVE : member.presence();
    String status =
        switch (presence) {
          case ALIVE -> load.draining() ? MAINTENANCE : load.ready() ? "healthy" : "degraded";
          case SUSPECT -> "unhealthy";
          case DEAD, LEFT -> "disconnected";
        };
    long lastHeard = member == null ? System.currentTimeMillis() : member.lastContactMillis();
    return new ClusterNode(
        metadata.nodeId(),
        metadata.host(),
        metadata.port(),
        roles.of(metadata.nodeId()),
        status,
        metadata.region(),
        metadata.zone(),
        Instant.ofEpochMilli(lastHeard).toString(),
        new NodeMetadata(
            load.version(),
            Math.max(0, (lastHeard - load.startedMillis()) / 1000),
            load.activeConnections(),
            load.messagesProcessed(),
            load.cpuUsage(),
            load.memoryUsageMb()),
        load.maintenance());
  }

  private static int count(List<ClusterNode> nodes, String status) {
    return (int) nodes.stream().filter(n -> n.status().equals(status)).count();
  }

  /** The roles in the meta group, by node id. */
  private record MetaRoles(@Nullable String leader, List<String> listeners) {
    String of(String nodeId) {
      if (nodeId.equals(leader)) return "leader";
      return listeners.contains(nodeId) ? "listener" : "follower";
    }
  }

  /** A member without any contact since this node started. */
  private static ClusterNode unseenNode(Formation.Member m, MetaRoles roles) {
    return new ClusterNode(
        m.nodeId(),
        m.host(),
        m.raftPort(),
        roles.of(m.nodeId()),
        "disconnected",
        "",
        m.zone(),
        null,
        new NodeMetadata("", 0, 0, 0, 0, 0),
        null);
  }

  private static GroupStatus group(RaftGroups groups, String name) {
    boolean leads = groups.log(name).flatMap(l -> l.leadership()).isPresent();
    LogPosition position = groups.applied(name);
    return new GroupStatus(
        name,
        leads ? "leader" : "follower",
        groups.leader(name).orElse(null),
        position.term(),
        position.index(),
        groups.replicas(name));
  }
}
