package org.quorumail.replication;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.ratis.client.ClientFactory;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.util.AtomicFileOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replication of one process: one Ratis server with one port and any number of groups. Start
 * it, then {@link #open} the groups; close it after its users.
 */
public final class RaftNode implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RaftNode.class);

  /** The timeout of opening a group, which reads its log from disk. */
  private static final Duration OPEN_TIMEOUT = Duration.ofMinutes(5);

  private static final Duration SNAPSHOT_TIMEOUT = Duration.ofMinutes(5);

  /**
   * The timeout of the last snapshots of all groups on a slow disk; the log replays unfinished
   * ones.
   */
  private static final Duration CLOSE_TIMEOUT = Duration.ofMinutes(2);

  private static final Duration TICK = Duration.ofSeconds(1);

  /** One may delete large files for seconds; the retries of appends need the others. */
  private static final int TIMER_THREADS = 3;

  private final RaftSettings settings;
  private final RaftMetrics metrics;
  private final Consumer<Throwable> onFatal;
  private final StorageLock owner;
  private final GroupRecord record;
  private final ScheduledThreadPoolExecutor timer;
  private final ScheduledThreadPoolExecutor forcing;
  private final RaftServer server;
  private final RaftClientContext wire;
  private final NodeCalls calls;
  private final PeerAddresses addresses = new PeerAddresses();
  private final StalledConnectionDetector contacts =
      new StalledConnectionDetector(System::nanoTime);
  private final AtomicBoolean failed = new AtomicBoolean();
  private final Map<String, OpenGroup> members = new ConcurrentHashMap<>();

  /** The state machines that Ratis looks up when a group is opened. */
  private final Map<RaftGroupId, ReplicaStateMachine> machines = new ConcurrentHashMap<>();

  /** A group that is open here. */
  private record OpenGroup(RatisLog log, ReplicaStateMachine machine, SnapshotTrigger trigger) {}

  private RaftNode(
      RaftSettings settings,
      RaftProperties properties,
      MeterRegistry meters,
      Consumer<Throwable> onFatal,
      StorageLock owner,
      GroupRecord record)
      throws IOException {
    this.settings = settings;
    this.metrics = new RaftMetrics(meters);
    this.onFatal = onFatal;
    this.owner = owner;
    this.record = record;
    this.timer = newTimer(settings.peerId());
    this.forcing =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("raft-forced-" + settings.peerId()).factory());
    this.server = buildServer(settings, properties);
    ClientId client = ClientId.randomId();
    var rpc = ((ClientFactory) server.getFactory()).newRaftClientRpc(client, properties);
    this.wire = new RaftClientContext(client, rpc, timer);
    this.calls = new NodeCalls(callClient(properties));
  }

  /** The client of calls: not the one of appends, which share a stream and a shorter deadline. */
  private RaftClientContext callClient(RaftProperties properties) {
    RaftProperties own = new RaftProperties(properties);
    own.set(RaftClientConfigKeys.Rpc.REQUEST_TIMEOUT_KEY, NodeCalls.TIMEOUT_MAX.toSeconds() + "s");
    ClientId client = ClientId.randomId();
    var rpc = ((ClientFactory) server.getFactory()).newRaftClientRpc(client, own);
    return new RaftClientContext(client, rpc, timer);
  }

  /**
   * Starts the server with no group open.
   *
   * @param onFatal called once, with a clear message, when a log or a state has failed; the process
   *     must end then, without another attempt to write
   */
  public static RaftNode start(
      RaftSettings settings, MeterRegistry meters, Consumer<Throwable> onFatal)
      throws RaftStartException {
    return start(settings, PinnedProperties.of(settings), meters, onFatal);
  }

  /** The cluster id under which a directory was first used; empty before that. */
  public static Optional<String> storedClusterId(Path directory) throws IOException {
    return StorageLock.owner(directory).map(StorageLock.Owner::clusterId);
  }

  /** For tests, which shrink the log's segments. */
  static RaftNode start(
      RaftSettings settings,
      RaftProperties properties,
      MeterRegistry meters,
      Consumer<Throwable> onFatal)
      throws RaftStartException {
    StartupChecks.check(settings, properties);
    GroupRecord record = GroupRecord.read(settings.directory());
    StartupChecks.checkDirectoryIsThere(settings.directory(), record);
    StorageLock owner =
        StorageLock.claim(settings.directory(), settings.clusterId(), settings.peerId());
    RaftNode node = null;
    try {
      Files.createDirectories(groupsDirectory(settings));
      DurableFile.forceDirectory(settings.directory());
      node = new RaftNode(settings, properties, meters, onFatal, owner, record);
      node.startServer();
      return node;
    } catch (IOException | RuntimeException e) {
      closeQuietly(node == null ? owner : node::close);
      throw StartupChecks.explain(settings, e);
    }
  }

  private RaftServer buildServer(RaftSettings settings, RaftProperties properties)
      throws IOException {
    // Ratis opens each group that it finds on disk before it can look up the state machine. So it
    // gets an empty directory first, and the real one after that.
    File nowhere = settings.directory().resolve("nowhere").toFile();
    RaftServerConfigKeys.setStorageDir(properties, List.of(nowhere));
    RaftServer built =
        RaftServer.newBuilder()
            .setServerId(RaftPeerId.valueOf(settings.peerId()))
            .setStateMachineRegistry(machines::get)
            .setProperties(properties)
            .setParameters(parameters(settings))
            .build();
    RaftServerConfigKeys.setStorageDir(properties, List.of(groupsDirectory(settings).toFile()));
    return built;
  }

  private Parameters parameters(RaftSettings settings) {
    Parameters parameters = new Parameters();
    switch (settings.tls()) {
      case RaftTls.Managers managers -> {
        GrpcConfigKeys.TLS.setConf(
            parameters, new GrpcTlsConfig(managers.key(), managers.trust(), true));
        GrpcConfigKeys.Server.setServicesCustomizer(
            parameters, new ReplicationPort(settings.peerId(), managers.maySpeakAs(), contacts));
      }
      case RaftTls.NoPort none -> {}
    }
    return parameters;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // runs until the timer is shut down
  private void startServer() throws IOException {
    AtomicFileOutputStream.watch(
        settings.directory(),
        e -> fatal(new IOException("the term and vote cannot be written to disk", e)));
    server.start();

    timer.scheduleWithFixedDelay(
        this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
        () -> members.values().forEach(member -> member.machine.tidy()),
        TICK.toMillis(),
        TICK.toMillis(),
        TimeUnit.MILLISECONDS);
    forcing.scheduleWithFixedDelay(
        this::recordForced, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    LOG.info(
        "event=raft_started peer={} host={} port={} directory={}",
        settings.peerId(),
        settings.bindHost(),
        port(),
        settings.directory());
  }

  /** The port that is bound; 0 for a node that stands alone, which has none. */
  public int port() {
    return server.getServerRpc().getInetSocketAddress().getPort();
  }

  /**
   * Opens this node's member of a group: from disk, or new when none is on disk. Returns when the
   * group runs, with or without a leader.
   */
  public ReplicatedLog open(GroupSpec spec, ReplicatedState state) throws RaftStartException {
    StartupChecks.checkMembers(settings, spec);
    RaftGroupId id = spec.groupId(settings.clusterId());
    var trigger =
        new SnapshotTrigger(
            settings.snapshotBytes(), settings.snapshotInterval(), () -> requestSnapshot(spec, id));
    var machine =
        new ReplicaStateMachine(
            spec.name(),
            state,
            trigger,
            settings.electionMin(),
            this::fatal,
            metrics::elected,
            calls);
    if (machines.putIfAbsent(id, machine) != null)
      throw new RaftStartException("Group " + spec.name() + " is open already on this node.");
    try {
      learnUnknown(spec.members());
      List<RaftPeer> peers = raftPeers(spec.members());
      new GroupMetadataCheck(directory(id).resolve("current"), record.contains(id)).check();
      addGroup(RaftGroup.valueOf(id, peers));
      DurableFile.forceDirectory(groupsDirectory(settings));
      DurableFile.forceDirectory(directory(id));
      record.add(id);
      return register(spec, id, peers, machine, trigger);
    } catch (Exception e) {
      machine.closing();
      machines.remove(id);
      closeQuietly(state::close);
      if (e instanceof InterruptedException) Thread.currentThread().interrupt();
      throw StartupChecks.explain(spec, directory(id), e);
    }
  }

  private RatisLog register(
      GroupSpec spec,
      RaftGroupId id,
      List<RaftPeer> peers,
      ReplicaStateMachine machine,
      SnapshotTrigger trigger)
      throws IOException {
    wire.add(peers);
    var replica = new RatisLog.Replica(server.getDivision(id), machine);
    wire.add(List.copyOf(replica.division().getRaftConf().getAllPeers()));
    var log =
        new RatisLog(spec.name(), id, peers, wire, metrics.appendLatency(spec.name()), replica);
    metrics.watch(log);
    members.put(spec.name(), new OpenGroup(log, machine, trigger));
    LOG.info(
        "event=group_opened group={} id={} applied={}",
        spec.name(),
        id.getUuid(),
        machine.getLastAppliedTermIndex().getIndex());
    return log;
  }

  private void addGroup(RaftGroup group) throws Exception {
    // Not "format": Ratis then recovers what is there, and formats only when there is nothing.
    var request =
        GroupManagementRequest.newAdd(
            wire.clientId(), server.getId(), wire.nextCallId(), group, false);
    await(server.groupManagementAsync(request), OPEN_TIMEOUT);
  }

  /**
   * Closes this node's member of a group that all members give up, and deletes its log, votes and
   * snapshots. The group may not be open here; a call that was interrupted is made again.
   */
  public void remove(GroupSpec spec) throws IOException {
    RaftGroupId id = spec.groupId(settings.clusterId());
    OpenGroup open = members.remove(spec.name());
    ReplicaStateMachine machine = machines.get(id);
    if (machine != null) {
      machine.closing();
      awaitForcing();
      closeGroup(id);
      machines.remove(id);
    }
    if (open != null) metrics.forget(spec.name());
    deleteFully(directory(id));
    record.remove(id);
    LOG.info("event=group_removed group={} id={}", spec.name(), id.getUuid());
  }

  /**
   * Announces that the others remove this node from all its groups. Ratis closes such a group,
   * which otherwise is a failure.
   */
  public void expectRemoval() {
    machines.values().forEach(ReplicaStateMachine::closing);
  }

  /** Announces that the others remove this node from a group that is open here. */
  public void expectRemoval(String group) {
    OpenGroup open = members.get(group);
    if (open != null) open.machine.closing();
  }

  /** Takes the announcement back: this node stays a member. */
  public void expectMembership(String group) {
    OpenGroup open = members.get(group);
    if (open != null) open.machine.staying();
  }

  /** The groups that are open here and, as far as this node knows, count its vote. */
  public List<String> votingGroups() {
    return members.entrySet().stream()
        .filter(group -> votes(group.getValue().log().replica()))
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  private boolean votes(RatisLog.@Nullable Replica replica) {
    if (replica == null) return false;
    RaftServer.Division division = replica.division();
    if (division.getInfo().getLifeCycleState().isClosingOrClosed()) return false;
    var conf = division.getRaftConf();
    RaftPeerId self = server.getId();
    boolean isVoter =
        Stream.concat(conf.getCurrentPeers().stream(), conf.getPreviousPeers().stream())
            .anyMatch(peer -> peer.getId().equals(self));
    return isVoter;
  }

  /** Waits until no thread writes into the directory of a group that is closing. */
  private void awaitForcing() throws IOException {
    try {
      forcing.submit(() -> {}).get(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("the log is being forced: " + e.getMessage(), e);
    }
  }

  private void closeGroup(RaftGroupId id) throws IOException {
    var request =
        GroupManagementRequest.newRemove(
            wire.clientId(), server.getId(), wire.nextCallId(), id, false, false);
    try {
      await(server.groupManagementAsync(request), CLOSE_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    } catch (GroupMismatchException e) {
      LOG.debug("event=group_closed_before id={}", id.getUuid());
    } catch (Exception e) {
      throw new IOException("the group cannot be closed: " + e.getMessage(), e);
    }
  }

  private static void deleteFully(Path root) throws IOException {
    if (!Files.exists(root)) return;
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
    DurableFile.forceDirectory(root.resolveSibling("."));
  }

  /** A group of which this node is no member, but to which it can append. */
  public ReplicatedLog remoteLog(GroupSpec spec) {
    List<RaftPeer> peers = raftPeers(spec.members());
    wire.add(spec.members().stream().peek(addresses::putIfAbsent).map(addresses::named).toList());
    RaftGroupId id = spec.groupId(settings.clusterId());
    return new RatisLog(spec.name(), id, peers, wire, metrics.appendLatency(spec.name()), null);
  }

  /** Bytes of entries that wait for their quorum, over all groups. */
  public long pendingBytes() {
    return members.values().stream().mapToLong(group -> group.log.pendingBytes()).sum();
  }

  /**
   * Returns why the leadership of a group that is open here cannot be transferred to the peer now,
   * or nothing. It looks at memory alone.
   */
  public Optional<String> transferObstacle(String group, String peer) {
    OpenGroup member = members.get(group);
    return member == null ? Optional.of("it is not open here") : member.log.transferObstacle(peer);
  }

  /**
   * The groups in which this node votes and has not caught up: it lacks committed entries, or knows
   * no leader yet. The end of another member could leave such a group without a majority that has
   * all entries.
   */
  public List<String> groupsBehind() {
    return members.entrySet().stream()
        .filter(group -> group.getValue().log().isBehind())
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  /**
   * Learns the present addresses of other nodes. Called before groups are opened: their logs may
   * have older ones, by which nobody could be reached. Connections to a node that has moved are
   * made again.
   */
  public void learnAddresses(List<RaftMember> others) throws IOException {
    List<RaftMember> moved = others.stream().filter(addresses::put).toList();
    learn(others);
    moved.forEach(peer -> reconnect(peer.id(), "has another address now"));
  }

  private void learnUnknown(List<RaftMember> others) throws IOException {
    others.forEach(addresses::putIfAbsent);
    learn(others.stream().filter(m -> !m.id().equals(settings.peerId())).toList());
  }

  private void learn(List<RaftMember> others) throws IOException {
    List<RaftPeer> named = others.stream().map(addresses::named).toList();
    server.getServerRpc().addRaftPeers(named);
    wire.add(named);
  }

  /** Renews the connections to a peer; on a thread, as a close waits for the other side. */
  private void reconnect(String id, String reason) {
    LOG.debug("event=raft_reconnected peer={} reason=\"{}\"", id, reason);
    RaftPeerId peer = RaftPeerId.valueOf(id);
    IOException cause = new IOException(id + " " + reason);
    Thread.ofPlatform()
        .daemon()
        .name("raft-reconnect-" + id)
        .start(
            () -> {
              server.getServerRpc().handleException(peer, cause, true);
              wire.rpc().handleException(peer, cause, true);
              calls.reconnect(peer, cause);
            });
  }

  private void reconnectStalled() {
    Map<String, Long> answeredAgo = new HashMap<>();
    for (OpenGroup group : members.values()) {
      RatisLog.Replica replica = group.log.replica();
      if (replica == null || group.machine.lease().isEmpty()) continue;
      for (RaftPeer peer : replica.division().getRaftConf().getAllPeers()) {
        FollowerInfo follower = group.machine.followers().get(peer.getId());
        if (follower == null) continue;
        long age = follower.getLastRpcResponseTime().elapsedTime().toLong(TimeUnit.NANOSECONDS);
        answeredAgo.merge(peer.getId().toString(), age, Math::min);
      }
    }
    for (String peer : contacts.stalled(answeredAgo)) reconnect(peer, "was silent");
  }

  /** Answers the calls of other nodes from now on; they are refused before. */
  public void answerCalls(CallHandler handler) {
    calls.answerWith(handler);
  }

  /**
   * Calls another node and waits for its reply, which it gives as leader or follower, and without a
   * quorum, too.
   *
   * @param group the unique name of one that the other node is a voting member of
   * @param request at most 64 KiB; the reply has at most 4 MiB
   * @throws CallFailedException when no reply arrived in time; the node may have received the call
   */
  public byte[] call(String group, RaftMember node, byte[] request, Duration timeout)
      throws CallFailedException, InterruptedException {
    RaftGroupId id = GroupSpec.joining(group).groupId(settings.clusterId());
    addresses.putIfAbsent(node);
    return calls.call(id, addresses.named(node), request, timeout);
  }

  /** The voting members of a group that is open here. */
  public List<RaftMember> members(String group) {
    return division(group).getRaftConf().getCurrentPeers().stream()
        .map(RaftNode::raftMember)
        .toList();
  }

  /** The members of a group that get its log and do not vote. */
  public List<RaftMember> listeners(String group) {
    return division(group).getRaftConf().getCurrentPeers(RaftPeerRole.LISTENER).stream()
        .map(RaftNode::raftMember)
        .toList();
  }

  /**
   * Whether a member of a group that this node leads answers and lacks no more entries than a
   * successor may ({@link LeadershipTransfer#LAG_MAX}): it has the next entry within a moment.
   */
  public boolean isCaughtUp(String group, String peerId) {
    OpenGroup open = members.get(group);
    if (open == null) return false;
    FollowerInfo follower = open.machine.followers().get(RaftPeerId.valueOf(peerId));
    if (follower == null || LeadershipTransfer.isSilent(follower, settings.electionMin()))
      return false;
    long applied = open.machine.getLastAppliedTermIndex().getIndex();
    return follower.getMatchIndex() >= applied - LeadershipTransfer.LAG_MAX;
  }

  /** {@link #setMembers(String, List, List)} without listeners. */
  public CompletableFuture<?> setMembers(String group, List<RaftMember> peers) {
    return setMembers(group, peers, List.of());
  }

  /**
   * Begins to change the members of a group that this node leads, all in one step. New members must
   * have opened it with {@link GroupSpec#joining}. They are brought up to date before they vote,
   * unless they were listeners: see {@link #isCaughtUp}.
   *
   * @param listeners get the log and do not vote
   * @return ends when the change is committed; after a failure it may still be committed later
   */
  public CompletableFuture<?> setMembers(
      String group, List<RaftMember> voters, List<RaftMember> listeners) {
    RaftServer.Division division = division(group);
    try {
      learnUnknown(voters);
      learnUnknown(listeners);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
    var request =
        new SetConfigurationRequest(
            wire.clientId(),
            server.getId(),
            division.getMemberId().getGroupId(),
            wire.nextCallId(),
            SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(raftPeers(voters))
                .setListenersInNewConf(raftPeers(listeners, RaftPeerRole.LISTENER))
                .build());
    try {
      return server.setConfigurationAsync(request).thenCompose(RaftNode::requireSuccess);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private static CompletableFuture<RaftClientReply> requireSuccess(RaftClientReply reply) {
    return reply.isSuccess()
        ? CompletableFuture.completedFuture(reply)
        : CompletableFuture.failedFuture(reply.getException());
  }

  /** Takes a snapshot now and purges the log up to it. */
  void snapshot(String group) throws Exception {
    RaftGroupId id = division(group).getMemberId().getGroupId();
    await(server.snapshotManagementAsync(snapshotRequest(id)), SNAPSHOT_TIMEOUT);
  }

  /** Closes all groups with a last snapshot, then the port. */
  @Override
  public void close() {
    machines.values().forEach(ReplicaStateMachine::closing);
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    closeServer();
    closeQuietly(wire);
    closeQuietly(calls);
    addresses.close();
    timer.shutdownNow();
    forcing.shutdownNow();
    AtomicFileOutputStream.unwatch(settings.directory());
    closeQuietly(owner);
    LOG.info("event=raft_stopped peer={}", settings.peerId());
  }

  /**
   * Closes the server. Ratis waits for its threads for any time, and an interrupt must not cut that
   * short.
   */
  private void closeServer() {
    Thread closing =
        Thread.ofPlatform().daemon().name("raft-close").start(() -> closeQuietly(server));
    long until = System.nanoTime() + CLOSE_TIMEOUT.toNanos();
    boolean interrupted = false;
    while (closing.isAlive() && System.nanoTime() - until < 0) {
      try {
        closing.join(Duration.ofNanos(Math.max(1, until - System.nanoTime())));
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (closing.isAlive()) LOG.warn("event=raft_not_closed seconds={}", CLOSE_TIMEOUT.toSeconds());
    if (interrupted) Thread.currentThread().interrupt();
  }

  /** On a thread of its own, since a slow disk must not delay the timer. */
  private void recordForced() {
    for (OpenGroup member : members.values()) {
      RatisLog.Replica replica = member.log.replica();
      if (replica != null) {
        member.machine.recordForced(replica.division().getRaftLog().getFlushIndex());
      }
    }
  }

  private void tick() {
    long now = System.nanoTime();
    for (OpenGroup member : members.values()) {
      member.log.appendWhenIdle(now);
      member.trigger.tick();
    }
    reconnectStalled();
  }

  @SuppressWarnings("FutureReturnValueIgnored") // ends in snapshotDone
  private void requestSnapshot(GroupSpec spec, RaftGroupId id) {
    // not on the calling thread, on which Ratis takes snapshots
    timer.execute(
        () -> {
          server
              .snapshotManagementAsync(snapshotRequest(id))
              .whenComplete((reply, failure) -> snapshotDone(spec, reply, failure));
        });
  }

  private void snapshotDone(
      GroupSpec spec, @Nullable RaftClientReply reply, @Nullable Throwable failure) {
    OpenGroup member = members.get(spec.name());
    if (member != null) member.trigger.requestEnded();
    if (reply != null && reply.isSuccess()) return;
    Object reason = failure != null ? failure : reply == null ? "" : reply.getException();
    LOG.warn("event=snapshot_refused group={} reason=\"{}\"", spec.name(), reason);
  }

  private SnapshotManagementRequest snapshotRequest(RaftGroupId id) {
    return SnapshotManagementRequest.newCreate(
        wire.clientId(), server.getId(), id, wire.nextCallId(), SNAPSHOT_TIMEOUT.toMillis(), 1);
  }

  private void fatal(Throwable failure) {
    if (failed.compareAndSet(false, true)) onFatal.accept(failure);
  }

  private RaftServer.Division division(String group) {
    return Optional.ofNullable(members.get(group))
        .map(member -> member.log.replica())
        .map(RatisLog.Replica::division)
        .orElseThrow(() -> new IllegalArgumentException("group " + group + " is not open here"));
  }

  private static Path groupsDirectory(RaftSettings settings) {
    return settings.directory().resolve("groups");
  }

  private Path directory(RaftGroupId group) {
    return groupsDirectory(settings).resolve(group.getUuid().toString());
  }

  private static void await(Future<RaftClientReply> future, Duration timeout) throws Exception {
    RaftClientReply reply = future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    if (!reply.isSuccess()) throw reply.getException();
  }

  private static List<RaftPeer> raftPeers(List<RaftMember> peers) {
    return raftPeers(peers, RaftPeerRole.FOLLOWER);
  }

  private static List<RaftPeer> raftPeers(List<RaftMember> peers, RaftPeerRole role) {
    // Equal priorities: Ratis would refuse to transfer leadership to a peer below the highest, and
    // would by itself hand it to a higher one, with a second gap in service.
    return peers.stream()
        .map(
            peer ->
                RaftPeer.newBuilder()
                    .setId(peer.id())
                    .setAddress(peer.address())
                    .setStartupRole(role)
                    .build())
        .toList();
  }

  private static RaftMember raftMember(RaftPeer peer) {
    String address = peer.getAddress();
    int colon = address.lastIndexOf(':');
    String host = address.substring(0, colon).replace("[", "").replace("]", "");
    return new RaftMember(
        peer.getId().toString(), host, Integer.parseInt(address.substring(colon + 1)));
  }

  private static ScheduledThreadPoolExecutor newTimer(String peer) {
    var timer =
        new ScheduledThreadPoolExecutor(
            TIMER_THREADS,
            Thread.ofPlatform().daemon().name("raft-timer-" + peer + "-", 0).factory());
    timer.setRemoveOnCancelPolicy(true);
    return timer;
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException | RuntimeException e) {
      LOG.warn("event=close_failed reason=\"{}\"", e.toString());
    }
  }
}
