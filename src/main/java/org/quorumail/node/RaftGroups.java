package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.quorumail.api.InternalApi;
import org.quorumail.api.MaintenanceView.MaintenanceStatus;
import org.quorumail.api.NodeAnswer;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.GroupMembers;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.Placement;
import org.quorumail.replication.CallFailedException;
import org.quorumail.replication.CallHandler;
import org.quorumail.replication.GroupSpec;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.NoQuorumException;
import org.quorumail.replication.RaftMember;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftStartException;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedState;
import org.quorumail.spool.OwnershipListener;
import org.quorumail.spool.Spool;
import org.quorumail.spool.Spools;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Raft groups that this node is a member of: its own spool, spools of other nodes, meta. */
public final class RaftGroups implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RaftGroups.class);
  private static final Duration TRANSFER_TIMEOUT = Duration.ofSeconds(5);

  private static final Duration HOME_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration REGISTER_TIMEOUT = Duration.ofSeconds(10);

  private final Formation.Member self;
  private final RaftNode raft;
  private final Spools spools;
  private final MetaState meta;
  private final DissolvedSpools dissolved;
  private final DissolvedSpools moved;
  private final Map<String, ReplicatedLog> logs = new ConcurrentSkipListMap<>();

  /** The members by their peer ids, where gossip has seen them last. */
  private final Map<String, Formation.Member> seenAddresses = new ConcurrentHashMap<>();

  private final CatchUp catchUp;
  private volatile ClusterMap map;

  private RaftGroups(
      ClusterMap map,
      Formation.Member self,
      RaftNode raft,
      Spools spools,
      MetaState meta,
      DissolvedSpools dissolved,
      DissolvedSpools moved) {
    this.dissolved = dissolved;
    this.moved = moved;
    this.map = map;
    this.self = self;
    this.raft = raft;
    this.catchUp =
        new CatchUp(raft::groupsBehind, group -> leader(group).isPresent(), System::nanoTime);
    this.spools = spools;
    this.meta = meta;
  }

  /**
   * Starts the replication and opens every group that the cluster map gives this node. Their
   * leaders are elected later.
   *
   * @param metaListener follows the state of the meta group
   * @param onFatal called when a log or a state has failed; the process must end
   */
  public static RaftGroups open(
      Config config,
      DataDirectory directory,
      ClusterMember member,
      ClusterMap map,
      MeterRegistry meters,
      OwnershipListener listener,
      MetaState.Listener metaListener,
      Consumer<Throwable> onFatal)
      throws RaftStartException, IOException {
    // at its present address, which the map has later
    Formation.Member self = Formation.member(member.metadata());
    if (map.findPeer(self.peerId()).isEmpty())
      throw new IllegalStateException(self.nodeId() + " is not in the map of the cluster");
    Path spoolPath = config.spool().path();
    Spools spools =
        Spools.open(
            new Spools.Settings(
                self.nodeId(),
                config.hostname(),
                spoolPath,
                config.spool().minFree(),
                config.spool().eventMaxAge(),
                config.spool().eventMaxSize()),
            Clock.systemUTC(),
            meters,
            listener,
            onFatal);
    RaftNode raft;
    DissolvedSpools dissolved;
    DissolvedSpools moved;
    try {
      dissolved = DissolvedSpools.open(directory.path(), map);
      moved = DissolvedSpools.openMoved(directory.path(), map);
      spools.watchSpace(directory.path());
      Path raftDirectory = directory.path().resolve(DataDirectory.RAFT);
      raft = RaftNode.start(member.raftSettings(raftDirectory, map), meters, onFatal);
    } catch (RaftStartException | IOException e) {
      spools.close();
      throw e;
    }
    MetaState meta = new MetaState(directory.path().resolve("meta"), metaListener);
    RaftGroups groups = new RaftGroups(map, self, raft, spools, meta, dissolved, moved);
    try {
      groups.openAll();
      return groups;
    } catch (RaftStartException | IOException e) {
      groups.close();
      throw e;
    }
  }

  public Spools spools() {
    return spools;
  }

  /** The members by which the groups are open here. */
  public ClusterMap map() {
    return map;
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
        .flatMap(map::findPeer)
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

  /**
   * Whether this node's replicas have caught up since they were opened: before that the next
   * planned stop must not begin, as their groups would have no member to spare.
   */
  public boolean hasCaughtUp() {
    return catchUp.isDone();
  }

  /** The groups that this node waits for no longer and whose entries it still lacks. */
  public List<String> groupsBehind() {
    return catchUp.abandoned();
  }

  /** The number of messages in this node's replica of a spool. */
  long messages(String spool) {
    return spools.all().stream()
        .filter(s -> s.name().equals(spool))
        .mapToLong(s -> s.counters().messages())
        .sum();
  }

  /** Bytes of entries that wait for their quorum, over all groups. */
  public long pendingBytes() {
    return raft.pendingBytes();
  }

  public List<String> names() {
    return List.copyOf(logs.keySet());
  }

  public int replicas(String group) {
    return logs.containsKey(group) ? raft.members(group).size() : 0;
  }

  /** The voting members of a group that is open here; in the meta group also others listen. */
  List<Formation.Member> members(String group) {
    return logs.containsKey(group) ? known(raft.members(group)) : List.of();
  }

  private List<Formation.Member> known(List<RaftMember> members) {
    return members.stream().flatMap(m -> map.findPeer(m.id()).stream()).toList();
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
    return map.find(homeId)
        .map(home -> raft.transferObstacle(spool, home.peerId()))
        .orElse(Optional.of(homeId + " is no member of the cluster"))
        .or(() -> refusalOfHome(homeId));
  }

  /**
   * Asks the home itself, which may have begun to stop: its metadata are up to a second old. A home
   * that gives no answer is judged by them.
   */
  private Optional<String> refusalOfHome(String homeId) {
    try {
      byte[] reply = call(homeId, InternalApi.request("GET", "/api/maintenance"), HOME_TIMEOUT);
      NodeAnswer answer = InternalApi.read(reply);
      if (!answer.isSuccess()) return Optional.empty(); // an older release
      return answer
          .read(MaintenanceStatus.class)
          .map(MaintenanceStatus::state)
          .filter(state -> !state.equals(MaintenanceMode.ACTIVE))
          .map(state -> homeId + " takes no spool: its state is " + state);
    } catch (CallFailedException | IOException e) {
      LOG.debug("event=home_not_asked node={} reason=\"{}\"", homeId, e.getMessage());
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("this node is stopping");
    }
  }

  /** Transfers the spool to its home. No attempt may be running. */
  boolean returnToHome(String spool, String homeId) {
    Optional<Formation.Member> home = map.find(homeId);
    return home.isPresent() && transfer(spool, home.get());
  }

  /** Transfers every group that this node leads to a member that is ready and has caught up. */
  public void transferAll(Membership membership) {
    for (String group : led()) handOver(group, List.of(), membership);
  }

  /**
   * The same, tried again while a ready member has not caught up, and for groups that this node is
   * elected to lead meanwhile.
   */
  public void transferAll(Membership membership, Duration timeout) throws InterruptedException {
    new GroupTransfers(
            this::led,
            group -> handOver(group, List.of(), membership),
            group -> candidates(group, List.of()).stream().anyMatch(m -> isReady(membership, m)))
        .run(timeout);
  }

  /** The groups that this node leads. */
  public List<String> led() {
    return logs.entrySet().stream()
        .filter(group -> group.getValue().leadership().isPresent())
        .map(Map.Entry::getKey)
        .toList();
  }

  /**
   * Returns why no other node can lead a group that this node leads, or nothing.
   *
   * @param preferred ids of nodes; only these count if any of them is a member of the group
   */
  Optional<String> obstacleToHandOver(String group, List<String> preferred, Membership membership) {
    List<String> obstacles = new ArrayList<>();
    for (Formation.Member candidate : candidates(group, preferred)) {
      Optional<String> obstacle = obstacle(group, candidate, membership);
      if (obstacle.isEmpty()) return obstacle;
      obstacles.add(obstacle.get());
    }
    return Optional.of(obstacles.isEmpty() ? "it has no other replica" : joined(obstacles));
  }

  /**
   * Transfers a group that this node leads. No attempt of its spool may be running.
   *
   * @param preferred as for {@link #obstacleToHandOver}
   * @return whether another node leads it now
   */
  boolean handOver(String group, List<String> preferred, Membership membership) {
    return candidates(group, preferred).stream()
        .filter(candidate -> obstacle(group, candidate, membership).isEmpty())
        .anyMatch(candidate -> transfer(group, candidate));
  }

  private List<Formation.Member> candidates(String group, List<String> preferred) {
    List<Formation.Member> others =
        members(group).stream()
            .filter(m -> !m.isSame(self))
            .sorted(Comparator.comparing(Formation.Member::nodeId))
            .toList();
    List<Formation.Member> wanted =
        others.stream().filter(m -> preferred.contains(m.nodeId())).toList();
    return wanted.isEmpty() ? others : wanted;
  }

  private Optional<String> obstacle(
      String group, Formation.Member candidate, Membership membership) {
    if (!isReady(membership, candidate)) return Optional.of(candidate.nodeId() + " is not ready");
    return raft.transferObstacle(group, candidate.peerId());
  }

  private static String joined(List<String> words) {
    return String.join(", ", words);
  }

  /** The latest revision of the cluster map that this node's member of the meta group has. */
  ClusterMap latestMap() {
    return meta.map().filter(map::isFollowedBy).orElse(map);
  }

  /** Announces that the others remove this node from its groups: that is no failure then. */
  void expectRemoval() {
    raft.expectRemoval();
  }

  /** The groups that still count the vote of this node. */
  List<String> votingGroups() {
    return raft.votingGroups();
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

  private void openAll() throws RaftStartException, IOException {
    deleteDissolved();
    learnAddresses(map);
    // without founders this node joins the group
    open(new GroupSpec(Placement.META_GROUP, raftMembers(map.metaFounders(self))), meta);
    openSpools(map);
    for (DissolvedSpools.DissolvedSpool spool : moved.pending()) {
      Optional<String> home = homeOf(spool, map);
      boolean isOpen = logs.containsKey(spool.name());
      boolean isDeleted = dissolved.pending().stream().anyMatch(spool::equals);
      if (home.isPresent() && !isOpen && !isDeleted)
        openSpool(home.get(), spool.name(), spool.uniqueName(), List.of());
    }
    expectRemovalFromMoved();
    spools.startMaintenance();
  }

  private static Optional<String> homeOf(DissolvedSpools.DissolvedSpool spool, ClusterMap of) {
    return of.spools().keySet().stream()
        .filter(home -> of.uniqueSpoolName(home).equals(spool.uniqueName()))
        .findFirst();
  }

  /**
   * Notes which spools a later revision dissolves, and which replicas it gives to other members;
   * called before that is on this node's disk.
   */
  void prepareUpdate(ClusterMap next) throws IOException {
    dissolved.add(DissolvedSpools.between(map, next, self));
    moved.add(DissolvedSpools.movedAway(map, next, self));
    expectRemovalFromMoved(); // the others remove it when they see that this node knows the map
  }

  /** Whether this node still holds a replica that another member has got. */
  boolean holdsMoved() {
    return !moved.pending().isEmpty();
  }

  /**
   * Deletes the replicas that other members have got, each when its group has removed this node and
   * counts its vote no more. One that a later revision has given back stays.
   */
  void deleteMoved() throws RaftStartException, IOException {
    if (!holdsMoved()) return;
    List<String> voting = raft.votingGroups();
    for (DissolvedSpools.DissolvedSpool spool : moved.pending()) {
      boolean votes = voting.contains(spool.name());
      boolean isWanted = homeOf(spool, map).filter(this::holds).isPresent();
      if (votes && !isWanted) continue;
      if (votes) raft.expectMembership(spool.name());
      else dissolved.add(List.of(spool)); // from here on a crash does not open it again
      moved.remove(spool);
    }
    deleteDissolved();
    openSpools(map);
  }

  private boolean holds(String home) {
    return holds(map, home);
  }

  private boolean holds(ClusterMap by, String home) {
    return by.spoolMembers(home).stream().anyMatch(self::isSame);
  }

  private void expectRemovalFromMoved() {
    moved.pending().forEach(spool -> raft.expectRemoval(spool.name()));
  }

  /**
   * Deletes the spools that a later revision of the cluster map has dissolved, and opens those that
   * it gives this node.
   *
   * @param next must be on this node's disk, or a restart would forget the spools
   */
  void update(ClusterMap next) throws RaftStartException, IOException {
    deleteDissolved();
    learnAddresses(next);
    openSpools(next);
    map = next;
  }

  private void deleteDissolved() throws IOException {
    for (DissolvedSpools.DissolvedSpool spool : dissolved.pending()) {
      logs.remove(spool.name());
      for (Spool open : spools.all()) if (open.name().equals(spool.name())) spools.remove(open);
      raft.remove(new GroupSpec(spool.name(), spool.uniqueName(), List.of()));
      spools.deleteStore(spool.uniqueName());
      dissolved.remove(spool);
      LOG.info("event=spool_deleted spool={} revision={}", spool.name(), spool.revision());
    }
  }

  /** The spools of these homes that this node owns. */
  List<Spool> owned(List<String> homes) {
    return spools.all().stream()
        .filter(s -> homes.contains(s.home()) && s.ownedSpool().isPresent())
        .toList();
  }

  /**
   * Follows the other members to where gossip has seen them last, before the map has the address:
   * when most nodes have moved at once, no map could be committed. The identity of a node is not
   * its address but its certificate and its peer id, which each request of Raft names.
   */
  void followAddresses(List<Membership.Member> seen) throws RaftStartException {
    boolean changed = false;
    for (Membership.Member other : seen) {
      Formation.Member present = Formation.member(other.metadata());
      if (other.reachable() && map.findPeer(present.peerId()).isPresent())
        changed |= !present.equals(seenAddresses.put(present.peerId(), present));
    }
    if (changed) learnAddresses(map);
  }

  private void learnAddresses(ClusterMap of) throws RaftStartException {
    try {
      raft.learnAddresses(
          of.members().stream()
              .filter(m -> !m.isSame(self))
              .map(m -> seenAddresses.getOrDefault(m.peerId(), m))
              .map(RaftGroups::raftMember)
              .toList());
    } catch (IOException e) {
      throw new RaftStartException("The addresses of the other nodes cannot be used.", e);
    }
  }

  private void openSpools(ClusterMap by) throws RaftStartException {
    for (String home : by.spools().keySet()) {
      String name = Placement.spoolGroup(home);
      if (!holds(by, home) || logs.containsKey(name)) continue;
      openSpool(home, name, by.uniqueSpoolName(home), by.spoolFounders(home, self));
    }
  }

  private void openSpool(
      String home, String name, String uniqueName, List<Formation.Member> founders)
      throws RaftStartException {
    GroupSpec spec = new GroupSpec(name, uniqueName, raftMembers(founders));
    spools.open(name, uniqueName, home, state -> open(spec, state));
  }

  private ReplicatedLog open(GroupSpec spec, ReplicatedState state) throws RaftStartException {
    ReplicatedLog log = raft.open(spec, state);
    logs.put(spec.name(), log);
    return log;
  }

  private static List<RaftMember> raftMembers(List<Formation.Member> of) {
    return of.stream().map(RaftGroups::raftMember).toList();
  }

  private static RaftMember raftMember(Formation.Member member) {
    return new RaftMember(member.peerId(), member.host(), member.raftPort());
  }

  /** Proposes the next revision of the cluster map; empty when it is committed, else the reason. */
  public Optional<String> propose(ClusterMap next) throws InterruptedException {
    Optional<ReplicatedLog> log = log(Placement.META_GROUP);
    if (log.isEmpty()) return Optional.of("this node is no member of the meta group");
    try {
      byte[] reply = log.get().append(MetaState.mapEntry(next), REGISTER_TIMEOUT).get().reply();
      String reason = new String(reply, StandardCharsets.UTF_8);
      return reason.isEmpty() ? Optional.empty() : Optional.of(reason);
    } catch (ExecutionException e) {
      return Optional.of(
          e.getCause() instanceof NoQuorumException
              ? "no majority of the nodes that vote has answered: start those that `cluster nodes`"
                  + " shows as disconnected; until then nothing changes"
              : String.valueOf(e.getMessage())); // perhaps committed later
    }
  }

  /** The ids of the nodes that get the log of the meta group and do not vote in it. */
  public List<String> metaListeners() {
    if (!logs.containsKey(Placement.META_GROUP)) return List.of();
    return known(raft.listeners(Placement.META_GROUP)).stream()
        .map(Formation.Member::nodeId)
        .toList();
  }

  /** The peer ids of the nodes that vote in the meta group. */
  public List<String> metaVoters() {
    if (!logs.containsKey(Placement.META_GROUP)) return List.of();
    return raft.members(Placement.META_GROUP).stream().map(RaftMember::id).toList();
  }

  /** The members of a group that this node leads; empty when it does not. */
  Optional<GroupMembers> ledMembers(String group) {
    if (log(group).flatMap(ReplicatedLog::leadership).isEmpty()) return Optional.empty();
    return Optional.of(
        new GroupMembers(
            raft.members(group).stream().map(RaftMember::id).toList(),
            raft.listeners(group).stream().map(RaftMember::id).toList()));
  }

  /** Whether a member of a group that this node leads has about all of its log. */
  boolean isCaughtUp(String group, String peerId) {
    return raft.isCaughtUp(group, peerId);
  }

  /** Begins to change the members of a group that this node leads. */
  CompletableFuture<?> changeMembers(String group, GroupMembers next) {
    Map<String, RaftMember> known = new TreeMap<>();
    raft.members(group).forEach(m -> known.put(m.id(), m));
    raft.listeners(group).forEach(m -> known.put(m.id(), m));
    map.members().forEach(m -> known.put(m.peerId(), raftMember(m)));
    return raft.setMembers(
        group,
        next.voters().stream().map(known::get).toList(),
        next.listeners().stream().map(known::get).toList());
  }

  /** Answers the calls of other nodes from now on. */
  public void answerCalls(CallHandler handler) {
    raft.answerCalls(handler);
  }

  /**
   * Calls another node, by the group of its own spool, in which it votes from its first start on.
   *
   * @throws CallFailedException when no reply arrived in time, or no member has this id
   */
  public byte[] call(String nodeId, byte[] request, Duration timeout)
      throws CallFailedException, InterruptedException {
    Formation.Member to =
        map.find(nodeId).orElseThrow(() -> new CallFailedException("is no member of the cluster"));
    return raft.call(map.uniqueSpoolName(nodeId), raftMember(to), request, timeout);
  }

  private boolean transfer(String group, Formation.Member to) {
    ReplicatedLog log = logs.get(group);
    boolean done = log != null && log.transferLeadership(to.peerId(), TRANSFER_TIMEOUT);
    LOG.info("event=group_transferred group={} to={} done={}", group, to.nodeId(), done);
    return done;
  }
}
