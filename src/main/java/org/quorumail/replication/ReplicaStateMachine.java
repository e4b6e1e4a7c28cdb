package org.quorumail.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.Timestamp;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The adapter of a {@link ReplicatedState} to Ratis.
 *
 * <p>After a restart Ratis continues after its latest snapshot. The state has its own store and is
 * usually further, so entries that it has already are skipped. Ratis purges its log only up to a
 * snapshot that {@link ReplicatedState#snapshot} has forced to disk. An entry that is only in the
 * state's memory can therefore always be replayed.
 *
 * <p>Any failure to apply, to write a snapshot or to write the log is reported once to {@code
 * onFatal}. Nothing is applied after it: the process must end.
 */
final class ReplicaStateMachine extends BaseStateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(ReplicaStateMachine.class);

  /**
   * The bytes of the log that are kept for a lagging follower when the snapshot is smaller. They
   * are four snapshot intervals, so that a follower outlives a restart or a slow snapshot.
   */
  private static final long KEPT_BYTES_MIN = 4 * RaftSettings.SNAPSHOT_BYTES;

  /** The longest restart of a follower for which the log is kept; a dead one gets a snapshot. */
  private static final Duration KEPT_FOR_SILENT = Duration.ofMinutes(1);

  private final String group;
  private final ReplicatedState state;
  private final SnapshotTrigger trigger;
  private final Duration electionMin;
  private final Consumer<Throwable> onFatal;
  private final Runnable onElection;
  private final NodeCalls calls;
  private final SnapshotFiles snapshots = new SnapshotFiles();
  private final LogRetention retention = new LogRetention();
  private final Map<RaftPeerId, FollowerInfo> followers = new ConcurrentHashMap<>();

  /** Orders the changes of the role, which Ratis reports on different threads. */
  private final Object roleLock = new Object();

  /** The last entry that Ratis has delivered or that its snapshot covers; applying thread only. */
  private long lastSeenIndex = RaftLog.INVALID_LOG_INDEX;

  private volatile @Nullable LeaderLease lease;

  /** The last term in which this node led the group; under {@link #roleLock}. */
  private long lastLedTerm = -1;

  private volatile @Nullable ForcedPosition forced;

  private volatile boolean broken;
  private volatile boolean closing;

  ReplicaStateMachine(
      String group,
      ReplicatedState state,
      SnapshotTrigger trigger,
      Duration electionMin,
      Consumer<Throwable> onFatal,
      Runnable onElection,
      NodeCalls calls) {
    this.group = group;
    this.state = state;
    this.trigger = trigger;
    this.electionMin = electionMin;
    this.onFatal = onFatal;
    this.onElection = onElection;
    this.calls = calls;
  }

  SnapshotFiles snapshots() {
    return snapshots;
  }

  /** The leader's records of its followers, maintained by {@link LeaseTrackingRpc}. */
  Map<RaftPeerId, FollowerInfo> followers() {
    return followers;
  }

  String group() {
    return group;
  }

  Duration electionMin() {
    return electionMin;
  }

  Optional<LeaderLease> lease() {
    return Optional.ofNullable(lease);
  }

  /** Records how far the log is forced; called every second, on one thread. */
  void recordForced(long index) {
    ForcedPosition position = forced;
    if (position == null || broken || closing || index < 0) return;
    try {
      position.write(index);
    } catch (IOException e) {
      LOG.warn("event=forced_position_not_written group={} reason=\"{}\"", group, e.getMessage());
    }
  }

  /** Announces an orderly close, so that the end of the server is no failure. */
  void closing() {
    closing = true;
  }

  /** Takes the announcement back. */
  void staying() {
    closing = false;
  }

  @Override
  public void initialize(RaftServer server, RaftGroupId id, RaftStorage storage)
      throws IOException {
    super.initialize(server, id, storage);
    getLifeCycle().transition(LifeCycle.State.STARTING);
    snapshots.init(storage);
    state.open();
    // before Ratis reads it
    Path segments = storage.getStorageDir().getCurrentDir().toPath();
    ForcedPosition forcedPosition = new ForcedPosition(storage.getStorageDir().getRoot().toPath());
    LogRecovery.Extent log =
        new LogRecovery(segments, forcedPosition.read()).recover(state.applied().index());
    forced = forcedPosition;
    checkLogReaches(log, segments);
    installIfNewer();
    checkLogContinues(log, segments);
    setLastAppliedTermIndex(termIndex(state.applied()));
    retention.restart(Math.max(state.applied().index(), lastSeenIndex));
    getLifeCycle().transition(LifeCycle.State.RUNNING);
  }

  /**
   * Refuses a log that has lost its end. An entry is applied only when it is on this disk, in the
   * log or in a snapshot that has replaced it.
   */
  private void checkLogReaches(LogRecovery.Extent log, Path segments) throws IOException {
    long applied = state.applied().index();
    var snapshot = snapshots.getLatestSnapshot();
    long end = Math.max(log.last(), snapshot == null ? -1 : snapshot.getIndex());
    if (applied <= end) return;
    throw new DamagedStorageException(
        end < 0
            ? "its state has the entry at index %d, but its log in %s is empty"
                .formatted(applied, segments)
            : "its state has the entry at index %d, but its log in %s ends at %d"
                .formatted(applied, segments, end));
  }

  /** Refuses a log that has lost its beginning: entries between it and the state are gone. */
  private void checkLogContinues(LogRecovery.Extent log, Path segments) throws IOException {
    long applied = state.applied().index();
    if (log.isEmpty() || log.first() <= applied + 1) return;
    throw new DamagedStorageException(
        "its state ends at index %d, but its log in %s begins at %d"
            .formatted(applied, segments, log.first()));
  }

  @Override
  public StateMachineStorage getStateMachineStorage() {
    return snapshots;
  }

  /**
   * Refuses a client's entry that the state could not apply, before it is in the log. An entry
   * without content, as the idle leader's, takes its place and carries the answer: Ratis sends an
   * exception as a Java object, which no node reads.
   */
  @Override
  public TransactionContext startTransaction(RaftClientRequest request) throws IOException {
    ByteString entry = request.getMessage().getContent();
    try {
      if (!entry.isEmpty()) checkEntry(entry);
    } catch (IOException | RuntimeException e) {
      LOG.warn(
          "event=entry_refused group={} client={} bytes={} reason=\"{}\"",
          group,
          request.getClientId(),
          entry.size(),
          e.getMessage());
      return TransactionContext.newBuilder()
          .setStateMachine(this)
          .setClientRequest(request)
          .setLogData(ByteString.EMPTY)
          .setStateMachineContext(new Refusal(String.valueOf(e.getMessage())))
          .build();
    }
    return super.startTransaction(request);
  }

  /** The reason for which an entry was refused; only its leader knows it. */
  private record Refusal(String reason) {}

  private void checkEntry(ByteString entry) throws IOException {
    if (entry.size() > ReplicatedLog.ENTRY_BYTES_MAX)
      throw new IOException("the entry is longer than " + ReplicatedLog.ENTRY_BYTES_MAX);
    state.check(entry.asReadOnlyByteBuffer());
  }

  /** Answers a call of another node, which has nothing to do with the state. */
  @Override
  public CompletableFuture<Message> queryStale(Message request, long minIndex) {
    return calls.answer(request);
  }

  @Override
  public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
    LogEntryProto entry = transaction.getLogEntry();
    ByteString content = entry.getStateMachineLogEntry().getLogData();
    LogPosition position = new LogPosition(entry.getTerm(), entry.getIndex());
    lastSeenIndex = position.index();
    if (alreadyApplied(position))
      return CompletableFuture.completedFuture(AppendReplyFormat.lostReply());
    try {
      refuseWhenFailed();
      checkGrows(position);
      byte[] reply = applyTo(position, content);
      checkMovedTo(position);
      updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
      return CompletableFuture.completedFuture(
          transaction.getStateMachineContext() instanceof Refusal refusal
              ? AppendReplyFormat.refusal(refusal.reason())
              : AppendReplyFormat.encode(position, reply));
    } catch (IOException | RuntimeException | Error e) {
      throw broken("the entry at index " + position.index() + " cannot be applied", e);
    }
  }

  private byte[] applyTo(LogPosition position, ByteString content) throws IOException {
    if (content.isEmpty()) {
      state.skip(position);
      return AppendReplyFormat.EMPTY_REPLY;
    }
    ByteBuffer entry = content.asReadOnlyByteBuffer();
    int size = entry.remaining();
    byte[] reply = state.apply(position, entry);
    trigger.entryApplied(size);
    retention.entryApplied(size);
    return reply;
  }

  /** Moves over entries of Ratis' own, such as a change of members. */
  @Override
  public void notifyTermIndexUpdated(long term, long index) {
    LogPosition position = new LogPosition(term, index);
    lastSeenIndex = index;
    if (alreadyApplied(position)) return;
    try {
      refuseWhenFailed();
      checkGrows(position);
      state.skip(position);
      checkMovedTo(position);
      updateLastAppliedTermIndex(term, index);
    } catch (IOException | RuntimeException | Error e) {
      throw broken("the entry at index " + index + " cannot be passed over", e);
    }
  }

  /** Checks that the log is applied in order; terms in a log never decrease (Raft). */
  private void checkGrows(LogPosition position) {
    LogPosition before = state.applied();
    if (position.index() > before.index() && position.term() >= before.term()) return;
    throw new IllegalStateException("the entry at %s follows %s".formatted(position, before));
  }

  private void checkMovedTo(LogPosition position) {
    if (state.applied().equals(position)) return;
    throw new IllegalStateException(
        "the entry at %s left the state at %s".formatted(position, state.applied()));
  }

  private boolean alreadyApplied(LogPosition position) {
    return position.index() <= getLastAppliedTermIndex().getIndex();
  }

  /** Returns the index up to which Ratis then purges the log; it may be before the snapshot's. */
  @Override
  public long takeSnapshot() throws IOException {
    TermIndex applied = getLastAppliedTermIndex();
    boolean replaying = lastSeenIndex < applied.getIndex();
    if (broken || replaying || applied.getIndex() < 0 || !isRunning())
      return RaftLog.INVALID_LOG_INDEX;
    long started = System.nanoTime();
    try {
      Path directory = snapshots.begin();
      LogPosition position = state.snapshot(directory);
      snapshots.publish(position);
      trigger.snapshotTaken();
      retention.snapshotTaken(position.index());
      long purge = purgeIndex(position.index());
      LOG.info(
          "event=snapshot group={} index={} purge_index={} millis={}",
          group,
          position.index(),
          purge,
          (System.nanoTime() - started) / 1_000_000);
      return purge;
    } catch (IOException | RuntimeException | Error e) {
      // an installation may have replaced the directory meanwhile; then nothing is lost
      if (!isRunning()) return RaftLog.INVALID_LOG_INDEX;
      throw broken("no snapshot can be written", e);
    }
  }

  private long purgeIndex(long snapshotIndex) {
    return retention.purge(snapshotIndex, bytesKeptMax(), followerIndexes());
  }

  /** Sending entries is worth while as long as they are fewer bytes than the snapshot. */
  private long bytesKeptMax() {
    var latest = snapshots.getLatestSnapshot();
    long size =
        latest == null ? 0 : latest.getFiles().stream().mapToLong(FileInfo::getFileSize).sum();
    return Math.max(size, KEPT_BYTES_MIN);
  }

  /** The last entry of each follower that answers, and of each snapshot on its way to one. */
  private LongStream followerIndexes() {
    if (lease == null) return LongStream.empty();
    LongStream following =
        followers.values().stream()
            .filter(f -> isAlive(f.getLastRpcResponseTime()))
            .mapToLong(FollowerInfo::getMatchIndex);
    return LongStream.concat(snapshots.pinnedIndexes(), following);
  }

  private static boolean isAlive(Timestamp answered) {
    return answered.elapsedTime().toLong(TimeUnit.NANOSECONDS) < KEPT_FOR_SILENT.toNanos();
  }

  /**
   * Purges what is kept of the log for followers when they need it no longer, and deletes what
   * transfers of snapshots have left. Called every second, never concurrently.
   */
  void tidy() {
    if (closing || broken || !isRunning()) return;
    try {
      purgeKept();
      snapshots.tidy();
    } catch (IOException | RuntimeException e) {
      LOG.warn("event=snapshot_tidy_failed group={} reason=\"{}\"", group, e.toString());
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // Ratis logs a failure; the next purge repeats it
  private void purgeKept() {
    var latest = snapshots.getLatestSnapshot();
    long before = retention.purged();
    if (latest == null || before >= latest.getIndex()) return;
    long purge = purgeIndex(latest.getIndex());
    if (purge > before) division().getRaftLog().purge(purge);
  }

  /**
   * Requests a snapshot unless the last one has every applied entry. The log is shortened whatever
   * followers lack.
   */
  void requestSnapshot() {
    retention.release();
    var latest = snapshots.getLatestSnapshot();
    if (latest == null || latest.getIndex() < getLastAppliedTermIndex().getIndex())
      trigger.request();
  }

  /** A snapshot of the leader is complete in the temporary directory and about to be published. */
  @Override
  public void pause() {
    try {
      snapshots.forceIncoming();
    } catch (IOException e) {
      throw broken("the snapshot that the leader sent cannot be written", e);
    }
    if (getLifeCycleState() == LifeCycle.State.PAUSED) return;
    getLifeCycle().transition(LifeCycle.State.PAUSING);
    getLifeCycle().transition(LifeCycle.State.PAUSED);
  }

  /** Called on the applying thread after the leader's snapshot was published. */
  @Override
  public void reinitialize() throws IOException {
    try {
      snapshots.reload();
      installIfNewer();
      setLastAppliedTermIndex(termIndex(state.applied()));
      retention.restart(Math.max(state.applied().index(), lastSeenIndex));
      trigger.snapshotTaken();
    } catch (IOException | RuntimeException | Error e) {
      throw broken("the snapshot that the leader sent cannot be installed", e);
    }
    getLifeCycle().transition(LifeCycle.State.STARTING);
    getLifeCycle().transition(LifeCycle.State.RUNNING);
  }

  private void installIfNewer() throws IOException {
    var latest = snapshots.getLatestSnapshot();
    if (latest == null) return;
    lastSeenIndex = latest.getIndex();
    if (latest.getIndex() <= state.applied().index()) return;
    state.install(snapshots.latestDirectory());
    if (state.applied().index() != latest.getIndex())
      throw new IOException(
          "the snapshot at index "
              + latest.getIndex()
              + " left the state at index "
              + state.applied().index());
    LOG.info("event=snapshot_installed group={} index={}", group, latest.getIndex());
  }

  @Override
  public void notifyLeaderReady() {
    RaftServer.Division division = division();
    synchronized (roleLock) {
      // the role may be lost again already: then notifyNotLeader was called first
      if (!division.getInfo().isLeader() || lease != null) return;
      LeaderLease term =
          new LeaderLease(division, followers, division.getInfo().getCurrentTerm(), electionMin);
      if (term.term() <= lastLedTerm) {
        throw broken("this node leads again in term " + term.term(), new IllegalStateException());
      }
      lastLedTerm = term.term();
      lease = term;
      LOG.debug("event=leader_ready group={} term={}", group, term.term());
      state.becomeLeader(term);
    }
  }

  @Override
  public void notifyNotLeader(Collection<TransactionContext> pending) {
    synchronized (roleLock) {
      LeaderLease term = lease;
      if (term == null) return;
      term.revoke();
      lease = null;
      followers.clear();
      LOG.info("event=leadership_ended group={} term={}", group, term.term());
      state.becomeFollower();
    }
  }

  @Override
  public void notifyLeaderChanged(RaftGroupMemberId member, @Nullable RaftPeerId leader) {
    if (leader == null) return;
    LOG.info("event=leader_elected group={} leader={}", group, leader);
    onElection.run();
  }

  @Override
  public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto entry) {
    broken("the log cannot be written", cause);
  }

  @Override
  public void notifyServerShutdown(RoleInfoProto role, boolean allServers) {
    if (!closing && !broken) broken("Ratis has closed the group", new IllegalStateException());
  }

  @Override
  public void close() throws IOException {
    if (!closing && !broken) broken("Ratis has closed the group", new IllegalStateException());
    state.close();
  }

  private boolean isRunning() {
    return getLifeCycleState() == LifeCycle.State.RUNNING;
  }

  private void refuseWhenFailed() {
    if (broken) throw new IllegalStateException("the replica has failed before");
  }

  private IllegalStateException broken(String what, Throwable cause) {
    var failure = new IllegalStateException("group " + group + ": " + what, cause);
    if (!broken) {
      broken = true;
      LOG.error(
          "event=replica_failed group={} reason=\"{}\" cause=\"{}\"",
          group,
          what,
          cause.toString());
      onFatal.accept(failure);
    }
    return failure;
  }

  private RaftServer.Division division() {
    try {
      return getServer().join().getDivision(getGroupId());
    } catch (IOException e) {
      throw new IllegalStateException("group " + group + " is not open", e);
    }
  }

  private static TermIndex termIndex(LogPosition position) {
    return TermIndex.valueOf(position.term(), position.index());
  }
}
