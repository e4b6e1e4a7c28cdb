package org.quorumail.replication;

import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientAsynchronousProtocol;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * The log of one group on Ratis. While this node leads, an append goes straight into the local
 * server, otherwise to the leader over gRPC. Both ways carry the same client id and call id, by
 * which any leader recognises an append that it has seen.
 */
final class RatisLog implements ReplicatedLog {
  /**
   * The most bytes of entries that wait for their quorum. More are refused, so memory is bounded.
   */
  static final long PENDING_BYTES_MAX = 32L << 20;

  /**
   * The longest idle time of a group. An idle leader can disagree forever with a follower that came
   * back without its log (RATIS-2523).
   */
  private static final Duration IDLE_MAX = Duration.ofSeconds(5);

  /** The most answered calls that one request reports to the leader, which then forgets them. */
  private static final int ANSWERED_CALLS_PER_REQUEST = 64;

  private final String name;
  private final RaftGroupId id;
  private final RaftClientContext wire;
  private final Timer latency;
  private final AtomicLong pendingBytes = new AtomicLong();
  private final Queue<Long> callAnswered = new ConcurrentLinkedQueue<>();

  /** Present while this node is a member of the group. */
  private final @Nullable Replica replica;

  private final List<RaftPeer> peers;
  private volatile @Nullable RaftPeerId leaderHint;

  /** The last index that {@link #appendWhenIdle} has seen, on its thread alone. */
  private long lastAppliedIndex = -1;

  private long progressedAtNanos = System.nanoTime();

  RatisLog(
      String name,
      RaftGroupId id,
      List<RaftPeer> peers,
      RaftClientContext wire,
      Timer latency,
      @Nullable Replica replica) {
    this.name = name;
    this.id = id;
    this.peers = List.copyOf(peers);
    this.wire = wire;
    this.latency = latency;
    this.replica = replica;
  }

  /** This node's member of the group. */
  record Replica(RaftServer.Division division, ReplicaStateMachine machine) {
    boolean isLeader() {
      return division.getInfo().isLeader();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletableFuture<AppendResult> append(byte[] entry, Duration timeout) {
    if (entry.length == 0 || entry.length > ENTRY_BYTES_MAX)
      throw new IllegalArgumentException(
          "an entry has 1 to " + ENTRY_BYTES_MAX + " bytes, not " + entry.length);
    if (pendingBytes.addAndGet(entry.length) > PENDING_BYTES_MAX) {
      pendingBytes.addAndGet(-entry.length);
      return CompletableFuture.failedFuture(
          new NoQuorumException(
              "group "
                  + name
                  + " has "
                  + (PENDING_BYTES_MAX >> 20)
                  + " MB of entries waiting for a quorum"));
    }
    var append =
        new PendingAppend(this, wire.timer(), wire.nextCallId(), entry, timeout, System::nanoTime);
    append.send();
    return append.result();
  }

  @Override
  public Optional<Leadership> leadership() {
    return replica == null ? Optional.empty() : replica.machine.lease().map(term -> term);
  }

  @Override
  public Optional<String> leader() {
    return Optional.ofNullable(knownLeader()).map(RaftPeerId::toString);
  }

  /**
   * Whether this node votes in the group and lacks more committed entries than a successor may, or
   * knows no leader.
   */
  boolean isBehind() {
    if (replica == null) return false;
    RaftServer.Division division = replica.division;
    boolean votes =
        division.getRaftConf().getCurrentPeers().stream().anyMatch(peer -> isSelf(peer.getId()));
    if (!votes || division.getInfo().getLifeCycleState().isClosingOrClosed()) return false;
    RaftPeerId leader = division.getInfo().getLeaderId();
    if (leader == null) return true;
    if (isSelf(leader)) return false;
    long applied = division.getInfo().getLastAppliedIndex();
    return division.getCommitInfos().stream()
        .filter(info -> RaftPeerId.valueOf(info.getServer().getId()).equals(leader))
        .noneMatch(info -> info.getCommitIndex() - applied <= LeadershipTransfer.LAG_MAX);
  }

  /** Ratis forgets the leader when the election timeout has passed without a word of it. */
  @Override
  public boolean isFollowing() {
    if (replica == null) return false;
    RaftPeerId leader = replica.division.getInfo().getLeaderId();
    return leader != null && !isSelf(leader);
  }

  @Override
  public boolean transferLeadership(String peer, Duration timeout) {
    return replica != null && new LeadershipTransfer(wire, id, replica).transferTo(peer, timeout);
  }

  /** See {@link RaftNode#transferObstacle}. */
  Optional<String> transferObstacle(String peer) {
    return replica == null
        ? Optional.of("this node is no member of it")
        : new LeadershipTransfer(wire, id, replica).obstacle(peer);
  }

  /** Ratis lets a member run when it has caught up, or when it was a member at its start. */
  @Override
  public boolean isJoining() {
    return replica != null
        && replica.division.getInfo().getLifeCycleState() == LifeCycle.State.STARTING;
  }

  @Override
  public void requestSnapshot() {
    if (replica != null) replica.machine.requestSnapshot();
  }

  long pendingBytes() {
    return pendingBytes.get();
  }

  @Nullable Replica replica() {
    return replica;
  }

  /**
   * Appends an entry without content when this node leads and the group is idle; called every
   * second.
   */
  @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for it
  void appendWhenIdle(long now) {
    if (replica == null) return;
    long applied = replica.division.getInfo().getLastAppliedIndex();
    if (applied != lastAppliedIndex) {
      lastAppliedIndex = applied;
      progressedAtNanos = now;
    } else if (replica.isLeader() && now - progressedAtNanos >= IDLE_MAX.toNanos()) {
      progressedAtNanos = now;

      submit(replica, request(replica.division.getId(), wire.nextCallId(), Message.EMPTY));
    }
  }

  /** Makes one attempt. Completes with a reply, which may carry an exception, or exceptionally. */
  CompletableFuture<RaftClientReply> attempt(long callId, Message entry) {
    Replica local = replica;
    if (local != null && local.isLeader())
      return submit(local, request(local.division.getId(), callId, entry));
    RaftPeerId leader = knownLeader();
    if (leader == null || isSelf(leader)) leader = randomPeer();
    if (leader == null)
      return CompletableFuture.failedFuture(new NoQuorumException("no leader is known"));
    RaftPeerId target = leader;
    learnAddress(target);
    return wire.rpc()
        .sendRequestAsyncUnordered(request(target, callId, entry))
        .whenComplete((reply, failure) -> afterRemote(target, failure));
  }

  /**
   * Drops the connection after a failure: Ratis lets no more calls over a stream on which one has
   * failed or has met no leader.
   */
  private void afterRemote(RaftPeerId target, @Nullable Throwable failure) {
    if (failure == null) return;
    if (target.equals(leaderHint)) leaderHint = null;
    wire.reconnect(target, failure);
  }

  /**
   * Takes over the leader that another member has named; it may have joined the group later. With a
   * stream's failure the leader of another group can arrive: it refuses, which ends the hint.
   */
  void redirect(@Nullable RaftPeer suggested) {
    if (suggested != null) wire.add(List.of(suggested));
    leaderHint = suggested == null ? null : suggested.getId();
  }

  /** Releases the bytes of an append that has ended. */
  void appendEnded(int bytes) {
    pendingBytes.addAndGet(-bytes);
  }

  /** Records an answered call, which is not repeated: the leader may forget it. */
  void callAnswered(long callId, long nanos) {
    callAnswered.add(callId);
    latency.record(nanos, TimeUnit.NANOSECONDS);
  }

  private static CompletableFuture<RaftClientReply> submit(
      Replica local, RaftClientRequest request) {
    try {
      // the division itself: the server would cost two thread switches per entry
      return ((RaftClientAsynchronousProtocol) local.division).submitClientRequestAsync(request);
    } catch (Exception e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private RaftClientRequest request(RaftPeerId target, long callId, Message entry) {
    return RaftClientRequest.newBuilder()
        .setClientId(wire.clientId())
        .setServerId(target)
        .setGroupId(id)
        .setCallId(callId)
        .setRepliedCallIds(answeredCalls())
        .setMessage(entry)
        .setType(RaftClientRequest.writeRequestType())
        .build();
  }

  private List<Long> answeredCalls() {
    List<Long> calls = new ArrayList<>();
    for (Long call;
        calls.size() < ANSWERED_CALLS_PER_REQUEST && (call = callAnswered.poll()) != null; )
      calls.add(call);
    return calls;
  }

  /** The member may have joined after this node has opened the group. */
  private void learnAddress(RaftPeerId member) {
    RaftPeer peer = replica == null ? null : replica.division.getRaftConf().getPeer(member);
    if (peer != null) wire.add(List.of(peer));
  }

  private @Nullable RaftPeerId knownLeader() {
    if (replica != null) {
      RaftPeerId leader = replica.division.getInfo().getLeaderId();
      if (leader != null) return leader;
    }
    return leaderHint;
  }

  /**
   * Returns any member when no leader is known. A member of the group knows best and asks nobody.
   */
  private @Nullable RaftPeerId randomPeer() {
    if (replica != null) return null;
    List<RaftPeer> all = peers;
    return all.isEmpty() ? null : all.get(ThreadLocalRandom.current().nextInt(all.size())).getId();
  }

  private boolean isSelf(RaftPeerId peer) {
    return replica != null && replica.division.getId().equals(peer);
  }
}
