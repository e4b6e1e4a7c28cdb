package org.quorumail;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.ClusterView;
import org.quorumail.cluster.EventLog;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.NodeCard;
import org.quorumail.cluster.Placement;
import org.quorumail.replication.Position;

/** The cluster as the API shows it: what the cards say, and who leads the meta group. */
final class ClusterReport implements ClusterView {
  private final ClusterMember member;
  private final Supplier<Optional<Groups>> groups;
  private final org.quorumail.Node self;

  ClusterReport(ClusterMember member, Supplier<Optional<Groups>> groups, org.quorumail.Node self) {
    this.member = member;
    this.groups = groups;
    this.self = self;
  }

  @Override
  public Status status() {
    List<Node> nodes = nodes();
    int healthy = (int) nodes.stream().filter(n -> n.status().equals("healthy")).count();
    Optional<Groups> open = groups.get();
    String leader = open.flatMap(g -> g.leader(Placement.META)).orElse(null);
    NodeCard card = member.card();
    Node local = nodes.stream().filter(n -> n.id().equals(card.nodeId())).findFirst().orElseThrow();
    return new Status(
        nodes.size(),
        healthy,
        nodes.size() - healthy,
        leader,
        state(open.isPresent(), leader, healthy, nodes.size()),
        open.map(g -> g.meta().applied().term()).orElse(0L),
        new LocalNode(local.id(), local.role(), local.status(), self.uptime().toSeconds()));
  }

  @Override
  public List<Node> nodes() {
    Map<String, Node> nodes = new TreeMap<>();
    String leader = groups.get().flatMap(g -> g.leader(Placement.META)).orElse(null);
    for (Formation.Member m : member.formation().map(Formation::members).orElse(List.of())) {
      nodes.put(m.nodeId(), silent(m));
    }
    for (Membership.Member m : member.membership().members()) {
      Optional<Formation> formed = member.formation();
      boolean belongs = formed.isEmpty() || formed.get().findPeer(m.card().peerId()).isPresent();
      if (belongs) nodes.put(m.card().nodeId(), node(m.card(), m, leader));
    }
    NodeCard own = member.card();
    nodes.put(own.nodeId(), node(own, null, leader));
    return List.copyOf(nodes.values());
  }

  @Override
  public ReplicationStats replication() {
    List<Group> list = new ArrayList<>();
    groups.get().ifPresent(g -> g.names().forEach(name -> list.add(group(g, name))));
    list.sort(Comparator.comparing(Group::name));
    return new ReplicationStats(
        self.pendingUpdates(), self.failedReplications(), self.commitMillis(), list);
  }

  @Override
  public Election elect() {
    Optional<Groups> open = groups.get();
    if (open.isEmpty()) return new Election(false, null, "the cluster is not formed yet");
    String leader = open.get().leader(Placement.META).orElse(null);
    if (leader == null)
      return new Election(false, null, "there is no leader; one is being elected");
    if (open.get().log(Placement.META).flatMap(l -> l.leadership()).isEmpty()) {
      return new Election(false, leader, "only the leader can hand over; ask " + leader);
    }
    Optional<String> successor = open.get().handOverMeta(member.membership());
    return successor.isPresent()
        ? new Election(true, successor.get(), "")
        : new Election(false, leader, "no other node is ready to lead");
  }

  @Override
  public EventLog events() {
    return member.events();
  }

  /** The first that applies: a partition says more than the loss of the quorum that it brings. */
  private String state(boolean open, @Nullable String leader, int healthy, int total) {
    if (self.isDraining()) return "ShuttingDown";
    if (!open) return "Forming";
    if (member.majority().isCutOff()) return "Partitioned";
    if (leader == null || healthy * 2 <= total) return "NoQuorum";
    boolean moves =
        member
            .events()
            .isGoingOn(GiveBack.STARTED, GiveBack.COMPLETED, GiveBack.SPOOL, GiveBack.LONGEST);
    if (moves) return "Rebalancing";
    return healthy == total ? "Healthy" : "Degraded";
  }

  private static Node node(
      NodeCard card, Membership.@Nullable Member heard, @Nullable String leader) {
    NodeCard.Load load = card.load();
    Membership.Presence presence = heard == null ? Membership.Presence.ALIVE : heard.presence();
    String status =
        switch (presence) {
          case ALIVE -> load.draining() ? "maintenance" : load.ready() ? "healthy" : "degraded";
          case SUSPECT -> "unhealthy";
          case DEAD, LEFT -> "disconnected";
        };
    long lastHeard = heard == null ? System.currentTimeMillis() : heard.lastHeardMillis();
    return new Node(
        card.nodeId(),
        card.host(),
        card.port(),
        card.nodeId().equals(leader) ? "leader" : "follower",
        status,
        card.region(),
        card.zone(),
        Instant.ofEpochMilli(lastHeard).toString(),
        new Metadata(
            load.version(),
            Math.max(0, (lastHeard - load.startedMillis()) / 1000),
            load.activeConnections(),
            load.messagesProcessed(),
            load.cpuUsage(),
            load.memoryUsageMb()));
  }

  /** A member that has not been heard of since this node started. */
  private static Node silent(Formation.Member m) {
    return new Node(
        m.nodeId(),
        m.host(),
        m.raftPort(),
        "follower",
        "disconnected",
        "",
        m.zone(),
        null,
        new Metadata("", 0, 0, 0, 0, 0));
  }

  private static Group group(Groups groups, String name) {
    boolean leads = groups.log(name).flatMap(l -> l.leadership()).isPresent();
    Position position = groups.applied(name);
    return new Group(
        name,
        leads ? "leader" : "follower",
        groups.leader(name).orElse(null),
        position.term(),
        position.index(),
        groups.replicas(name));
  }
}
