package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.Placement;
import org.quorumail.replication.GroupSpec;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.RaftMember;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftStartException;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedState;
import org.quorumail.spool.OwnershipListener;
import org.quorumail.spool.Spools;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Raft groups that this node is a member of: its own spool, spools of other nodes, meta. */
public final class RaftGroups implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RaftGroups.class);
  private static final Duration TRANSFER_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration REGISTER_TIMEOUT = Duration.ofSeconds(10);

  private final Formation formation;
  private final Formation.Member self;
  private final RaftNode raft;
  private final Spools spools;
  private final MetaState meta;
  private final Map<String, ReplicatedLog> logs = new TreeMap<>();
  private final Map<String, List<Formation.Member>> members = new TreeMap<>();

  private RaftGroups(
      Formation formation, Formation.Member self, RaftNode raft, Spools spools, MetaState meta) {
    this.formation = formation;
    this.self = self;
    this.raft = raft;
    this.spools = spools;
    this.meta = meta;
  }

  /**
   * Starts the replication and opens every group that the placement gives this node. Their leaders
   * are elected later.
   *
   * @param onFatal called when a log or a state has failed; the process must end
   */
  public static RaftGroups open(
      Config config,
      DataDirectory directory,
      ClusterMember member,
      Formation formation,
      MeterRegistry meters,
      OwnershipListener listener,
      Consumer<Throwable> onFatal)
      throws RaftStartException, IOException {
    Formation.Member self =
        formation.findPeer(directory.identity().peerId()).orElseThrow(IllegalStateException::new);
    Path spoolPath = config.spool().path();
    Spools spools =
        Spools.open(
            new Spools.Settings(
                self.nodeId(), config.hostname(), spoolPath, config.spool().minFree()),
            Clock.systemUTC(),
            meters,
            listener,
            onFatal);
    RaftNode raft;
    try {
      spools.watchSpace(directory.path());
      raft = RaftNode.start(member.raftSettings(directory.path().resolve("raft")), meters, onFatal);
    } catch (RaftStartException | IOException e) {
      spools.close();
      throw e;
    }
    MetaState meta = new MetaState(directory.path().resolve("meta"));
    RaftGroups groups = new RaftGroups(formation, self, raft, spools, meta);
    try {
      groups.openAll(member.placement(formation));
      return groups;
    } catch (RaftStartException e) {
      groups.close();
      throw e;
    }
  }

  public Spools spools() {
    return spools;
  }

  Formation formation() {
    return formation;
  }

  public MetaState meta() {
    return meta;
  }

  /** The log of a group; empty when this node is not a member. */
  public Optional<ReplicatedLog> log(String group) {
    return Optional.ofNullable(logs.get(group));
  }

  /** The id of the node that leads the group, as far as this node knows. */
  public Optional<String> leader(String group) {
    return log(group)
        .flatMap(ReplicatedLog::leader)
        .flatMap(formation::findPeer)
        .map(Formation.Member::nodeId);
  }

  /** The last position that this node's replica of the group has applied. */
  public LogPosition applied(String group) {
    if (group.equals(Placement.META_GROUP)) return meta.applied();
    return spools.all().stream()
        .filter(s -> s.name().equals(group))
        .map(s -> s.applied())
        .findFirst()
        .orElse(LogPosition.NONE);
  }

  /** Bytes of entries that wait for their quorum, over all groups. */
  public long pendingBytes() {
    return raft.pendingBytes();
  }

  public List<String> names() {
    return List.copyOf(logs.keySet());
  }

  public int replicas(String group) {
    return members.getOrDefault(group, List.of()).size();
  }

  /** Registers this node; again at each start, as its addresses may have changed. */
  public void register(String region) throws InterruptedException {
    Optional<ReplicatedLog> log = log(Placement.META_GROUP);
    if (log.isEmpty()) return;
    byte[] entry =
        MetaState.registerEntry(
            new MetaState.RegisteredNode(
                self.nodeId(), self.peerId(), self.host(), self.raftPort(), region, self.zone()));
    while (true) {
      try {
        log.get().append(entry, REGISTER_TIMEOUT).get();
        return;
      } catch (ExecutionException e) {
        LOG.debug("event=register_failed reason=\"{}\"", e.getMessage()); // no quorum yet
      }
    }
  }

  /** Returns why the spool cannot return to its home now, or nothing. */
  Optional<String> obstacleToReturn(String spool, String homeId) {
    return formation
        .find(homeId)
        .map(home -> raft.transferObstacle(spool, home.peerId()))
        .orElse(Optional.of(homeId + " is no member of the cluster"));
  }

  /** Transfers the spool to its home. No attempt may be running. */
  boolean returnToHome(String spool, String homeId) {
    Optional<Formation.Member> home = formation.find(homeId);
    return home.isPresent() && transfer(spool, home.get());
  }

  /** Transfers every group that this node leads to a member that is ready and has caught up. */
  public void transferAll(Membership membership) {
    for (Map.Entry<String, ReplicatedLog> group : logs.entrySet()) {
      if (group.getValue().leadership().isEmpty()) continue;
      successor(group.getKey(), membership)
          .ifPresent(successor -> transfer(group.getKey(), successor));
    }
  }

  /** Transfers the meta group, and returns the id of its new leader. */
  public Optional<String> transferMeta(Membership membership) {
    return successor(Placement.META_GROUP, membership)
        .filter(successor -> transfer(Placement.META_GROUP, successor))
        .map(Formation.Member::nodeId);
  }

  /** Returns the member with the lowest id that is ready and has caught up. */
  private Optional<Formation.Member> successor(String group, Membership membership) {
    return members.getOrDefault(group, List.of()).stream()
        .filter(m -> !m.equals(self) && isReady(membership, m))
        .filter(m -> raft.transferObstacle(group, m.peerId()).isEmpty())
        .min(Comparator.comparing(Formation.Member::nodeId));
  }

  static boolean isReady(Membership membership, Formation.Member member) {
    return membership.members().stream()
        .anyMatch(
            m ->
                m.metadata().peerId().equals(member.peerId())
                    && m.reachable()
                    && m.metadata().load().ready()
                    && !m.metadata().load().draining());
  }

  @Override
  public void close() {
    spools.endOwnership();
    raft.close();
    spools.close();
  }

  private void openAll(Placement placement) throws RaftStartException {
    Optional<GroupSpec> metaGroup = spec(Placement.META_GROUP, placement.metaMembers());
    if (metaGroup.isPresent()) open(metaGroup.get(), meta);
    for (Formation.Member home : formation.members()) {
      String name = Placement.spoolGroup(home.nodeId());
      Optional<GroupSpec> spec = spec(name, placement.spoolMembers(home));
      if (spec.isEmpty()) continue;
      spools.open(name, home.nodeId(), state -> open(spec.get(), state));
    }
    spools.startMaintenance();
  }

  private ReplicatedLog open(GroupSpec spec, ReplicatedState state) throws RaftStartException {
    ReplicatedLog log = raft.open(spec, state);
    logs.put(spec.name(), log);
    return log;
  }

  /** The group with its members; empty when this node is not one of them. */
  private Optional<GroupSpec> spec(String name, List<Formation.Member> of) {
    if (!of.contains(self)) return Optional.empty();
    members.put(name, of);
    List<RaftMember> peers =
        of.stream().map(m -> new RaftMember(m.peerId(), m.host(), m.raftPort())).toList();
    return Optional.of(new GroupSpec(name, peers));
  }

  private boolean transfer(String group, Formation.Member to) {
    ReplicatedLog log = logs.get(group);
    boolean done = log != null && log.transferLeadership(to.peerId(), TRANSFER_TIMEOUT);
    LOG.info("event=group_transferred group={} to={} done={}", group, to.nodeId(), done);
    return done;
  }
}
