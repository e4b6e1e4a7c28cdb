package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.util.TimeDuration;
import org.apache.ratis.util.Timestamp;
import org.junit.jupiter.api.Test;

/** The lease of a leader of three whose computer is suspended for longer than an election takes. */
class LeaderLeaseTest {
  private static final Duration ELECTION = Duration.ofMinutes(10);
  private static final TimeDuration ELECTION_AGO =
      TimeDuration.valueOf(-ELECTION.toMillis(), TimeUnit.MILLISECONDS);
  private static final List<RaftPeer> PEERS =
      Stream.of("a", "b", "c").map(id -> RaftPeer.newBuilder().setId(id).build()).toList();

  /** Time that has passed for both clocks, and for the wall clock alone. */
  private final AtomicLong passedMillis = new AtomicLong();

  private final AtomicLong suspendedMillis = new AtomicLong();
  private final AtomicReference<Timestamp> answered =
      new AtomicReference<>(Timestamp.currentTime());
  private final AtomicLong jumps = new AtomicLong();

  @Test
  void aLeaseOfBeforeASuspensionIsNotHeldUntilAQuorumConfirmsItAgain() {
    LeaderLease lease = lease();
    assertThat(lease.hasLease()).as("the former leader's lease may run").isFalse();
    passedMillis.set(ELECTION.toMillis() + 1);
    answered.set(Timestamp.currentTime());
    assertThat(lease.hasLease()).isTrue();
    suspendedMillis.set(Duration.ofHours(1).toMillis());
    assertThat(lease.hasLease()).as("others may have elected a leader").isFalse();
    assertThat(lease.hasLease()).as("the last answers are still those of before").isFalse();
    answered.set(laterThan(Timestamp.currentTime()));
    assertThat(lease.hasLease()).as("a quorum has answered since").isTrue();
    assertThat(jumps).hasValue(1);
  }

  @Test
  void aQuorumAnswersALeaderBeforeItsLeaseBeginsAndAfterItIsGivenUp() {
    LeaderLease lease = lease();
    assertThat(lease.hasLease()).isFalse();
    assertThat(lease.hasQuorum()).isTrue();
    passedMillis.set(ELECTION.toMillis() + 1);
    assertThat(lease.hasLease()).isTrue();
    lease.revoke();
    assertThat(lease.hasLease()).isFalse();
    assertThat(lease.hasQuorum()).isTrue();
    answered.set(Timestamp.currentTime().addTime(ELECTION_AGO));
    assertThat(lease.hasQuorum()).as("the last answers are as old as an election").isFalse();
  }

  private LeaderLease lease() {
    LeaseClock clock =
        new LeaseClock(
            () -> System.currentTimeMillis() + passedMillis.get() + suspendedMillis.get(),
            () -> System.nanoTime() + passedMillis.get() * 1_000_000,
            Duration.ofMinutes(1),
            millis -> jumps.incrementAndGet());
    FollowerInfo follower =
        fake(FollowerInfo.class, Map.of("getLastRespondedAppendEntriesSendTime", answered));
    Map<RaftPeerId, FollowerInfo> followers =
        Map.of(PEERS.get(1).getId(), follower, PEERS.get(2).getId(), follower);
    RaftConfiguration members =
        fake(
            RaftConfiguration.class,
            Map.of("getCurrentPeers", PEERS, "getPreviousPeers", List.of()));
    DivisionInfo info =
        fake(DivisionInfo.class, Map.of("getCurrentTerm", 7L, "isLeaderReady", true));
    RaftServer.Division division =
        fake(
            RaftServer.Division.class,
            Map.of("getRaftConf", members, "getInfo", info, "getId", PEERS.get(0).getId()));
    return new LeaderLease(division, followers, 7, ELECTION, clock);
  }

  /** The time of a request that was sent after another moment. */
  private static Timestamp laterThan(Timestamp before) {
    Timestamp now = Timestamp.currentTime();
    while (now.compareTo(before) <= 0) now = Timestamp.currentTime();
    return now;
  }

  /** An object whose methods without arguments return what is given. */
  private static <T> T fake(Class<T> type, Map<String, Object> results) {
    Object made =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object result = results.get(method.getName());
              if (result == null) throw new UnsupportedOperationException(method.getName());
              return result instanceof AtomicReference<?> changing ? changing.get() : result;
            });
    return type.cast(made);
  }
}
