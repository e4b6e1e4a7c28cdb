package org.quorumail.replication;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One term in which this node leads one group, with its lease.
 *
 * <p><b>Why at most one node holds the lease of a group.</b> Let {@code E} be the shortest election
 * timeout. The lease of a leader L ends {@code 0.8 E} after the latest moment {@code s} such that a
 * quorum (with L) has answered requests that L <em>sent</em> at {@code s} or later. A next leader N
 * was elected by a quorum, so some member V both answered L and voted for N. V answers no leader of
 * an older term after its vote at {@code v}, so {@code s <= v} and L's lease is over at {@code v +
 * 0.8 E}. N's lease begins {@code E} after N became ready, which is later than {@code v + E}. The
 * two do not overlap, whatever V forgot in a restart, and nothing is assumed of V but that its vote
 * is durable. The difference, {@code 0.2 E}, is for clocks that run at different speeds and for the
 * time between the caller's check and its action.
 *
 * <p>(Ratis also counts the send time of a request that V answered with "you are not the leader";
 * that reply makes L step down, which ends the lease for good, long before N's begins.)
 *
 * <p><b>After a pause.</b> Send times are taken from the monotonic clock before the request leaves,
 * so replies that piled up while the process was stopped prove nothing new: a leader resumed after
 * longer than the lease sees false at once.
 *
 * <p><b>What is assumed of clocks.</b> The monotonic clocks of two nodes run at speeds that differ
 * by less than a tenth, and never stand still while a process sleeps. The second does not hold on a
 * computer that is suspended or paused by its hypervisor; {@link LeaseClock} sees that by the wall
 * clock. From then on only answers to requests that were sent after it was seen renew the lease.
 *
 * <p><b>A transfer</b> ends the lease before the successor is notified, and for good: the
 * successor's election may succeed after the transfer's timeout.
 *
 * <p>Cost: one volatile read and a comparison while the last answer is still good; otherwise a look
 * at each follower's record.
 */
final class LeaderLease implements Leadership {
  private static final Logger LOG = LoggerFactory.getLogger(LeaderLease.class);
  private static final double LEASE_OF_ELECTION_TIMEOUT = 0.8;

  /** Half of what is left of the election timeout; the other half is for the speed of clocks. */
  private static final double SLACK_OF_ELECTION_TIMEOUT = 0.1;

  private final RaftServer.Division division;
  private final Map<RaftPeerId, FollowerInfo> followers;
  private final long term;
  private final long leaseNanos;
  private final LeaseClock clock;
  private final long validFromNanos;

  private volatile long expiresAtNanos;
  private volatile boolean revoked;

  LeaderLease(
      RaftServer.Division division,
      Map<RaftPeerId, FollowerInfo> followers,
      long term,
      Duration electionMin) {
    this(
        division,
        followers,
        term,
        electionMin,
        new LeaseClock(
            System::currentTimeMillis,
            System::nanoTime,
            Duration.ofNanos((long) (electionMin.toNanos() * SLACK_OF_ELECTION_TIMEOUT)),
            millis -> logJump(division, term, millis)));
  }

  LeaderLease(
      RaftServer.Division division,
      Map<RaftPeerId, FollowerInfo> followers,
      long term,
      Duration electionMin,
      LeaseClock clock) {
    this.division = division;
    this.followers = followers;
    this.term = term;
    this.leaseNanos = (long) (electionMin.toNanos() * LEASE_OF_ELECTION_TIMEOUT);
    this.clock = clock;
    long now = clock.now();
    this.validFromNanos = isOnlyMember(division.getRaftConf()) ? now : now + electionMin.toNanos();
    this.expiresAtNanos = now;
  }

  @Override
  public long term() {
    return term;
  }

  @Override
  public boolean hasLease() {
    long now = clock.now();
    if (revoked || now - validFromNanos < 0) return false;
    long expiresAt = expiresAtNanos;
    boolean holds = now - expiresAt < 0 && clock.trusts(expiresAt - leaseNanos);
    return holds || tryRenew(now);
  }

  @Override
  public boolean hasQuorum() {
    var info = division.getInfo();
    return info.getCurrentTerm() == term
        && info.isLeaderReady()
        && quorumAge(division.getRaftConf()) < leaseNanos;
  }

  private static void logJump(RaftServer.Division division, long term, long millis) {
    LOG.warn(
        "event=lease_voided group={} term={} millis={} reason=\"this computer was suspended, or its"
            + " clock was set ahead; a quorum confirms the lease again\"",
        division.getGroup().getGroupId(),
        term,
        millis);
  }

  void revoke() {
    revoked = true;
  }

  boolean revoked() {
    return revoked;
  }

  private boolean tryRenew(long now) {
    var info = division.getInfo();
    if (info.getCurrentTerm() != term || !info.isLeaderReady()) return false;
    RaftConfiguration members = division.getRaftConf();
    if (isOnlyMember(members)) return true;
    long age = quorumAge(members);
    if (age >= leaseNanos || !clock.trusts(now - age)) return false;
    expiresAtNanos = now - age + leaseNanos;
    return !revoked;
  }

  private long quorumAge(RaftConfiguration members) {
    return Math.max(
        quorumAckAge(members.getCurrentPeers()), quorumAckAge(members.getPreviousPeers()));
  }

  private boolean isOnlyMember(RaftConfiguration members) {
    return members.getPreviousPeers().isEmpty()
        && members.getCurrentPeers().size() == 1
        && members.getPeer(division.getId()) != null;
  }

  /**
   * Returns the age of the newest requests that a majority of the peers, this node included, has
   * answered.
   */
  private long quorumAckAge(Collection<RaftPeer> peers) {
    if (peers.isEmpty()) return 0;
    long[] ages = peers.stream().mapToLong(this::ackAge).sorted().toArray();
    return ages[peers.size() / 2];
  }

  private long ackAge(RaftPeer peer) {
    if (peer.getId().equals(division.getId())) return 0;
    FollowerInfo follower = followers.get(peer.getId());
    return follower == null
        ? Long.MAX_VALUE
        : follower
            .getLastRespondedAppendEntriesSendTime()
            .elapsedTime()
            .toLong(TimeUnit.NANOSECONDS);
  }
}
