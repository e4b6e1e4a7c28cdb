package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.quorumail.replication.TestRaftCluster.GROUP;
import static org.quorumail.replication.TestRaftCluster.TIMEOUT;
import static org.quorumail.replication.TestRaftCluster.append;
import static org.quorumail.replication.TestRaftCluster.later;

import io.helidon.common.SerializationConfig;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.leader.FollowerInfo;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Three nodes with mutual TLS. */
@Timeout(60)
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock("transfer of snapshots")
class RaftGroupTest {
  @TempDir Path directory;

  /** As in every node, where the HTTP server does it: no Java object from the wire is read. */
  @BeforeAll
  static void noJavaObjectIsRead() {
    SerializationConfig.configureRuntime();
  }

  private TestRaftCluster three() throws Exception {
    return new TestRaftCluster(directory, "n1", "n2", "n3").start();
  }

  @Test
  void anEntryAppendedAtTheLeaderOrAtAFollowerOrFromOutsideIsAppliedEverywhere() throws Exception {
    try (TestRaftCluster cluster = three()) {
      assertThat(append(cluster.leader(), "a")).isEqualTo("1");
      assertThat(append(cluster.follower(), "a")).isEqualTo("2");
      var outside = cluster.outside();
      assertThat(append(outside, "a")).isEqualTo("3");
      cluster.awaitEqualStates();
      assertThat(cluster.follower().state().count("a")).isEqualTo(3);
    }
  }

  @Test
  void anEntryThatCannotBeReadIsRefusedByTheLeaderWhoeverSendsIt() throws Exception {
    try (TestRaftCluster cluster = three()) {
      append(cluster.leader(), "a");
      byte[] unreadable = {CountingState.UNREADABLE, 1, 2, 3};
      for (var sender : List.of(cluster.leader(), cluster.follower(), cluster.outside())) {
        var refused = sender.log().append(unreadable, TIMEOUT);
        assertThatThrownBy(() -> refused.get(20, TimeUnit.SECONDS))
            .hasMessageContaining("the leader refused the entry");
      }
      assertThat(append(cluster.follower(), "a")).isEqualTo("2");
      cluster.awaitEqualStates();
      assertThat(cluster.fatal).isEmpty();
    }
  }

  @Test
  void appendsGoOnWhenTheLeaderStopsAndNoneIsAppliedTwice() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      var sender = cluster.follower();
      List<CompletableFuture<ReplicatedLog.AppendResult>> appends = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        appends.add(later(sender, "entry-" + i, TIMEOUT));
        if (i == 100) Thread.ofVirtual().start(() -> cluster.stop(leader.id()));
        if (i % 20 == 0) appends.getLast().get(20, TimeUnit.SECONDS);
      }
      for (var each : appends) each.get(20, TimeUnit.SECONDS);
      assertThat(cluster.leader().id()).isNotEqualTo(leader.id());
      cluster.awaitEqualStates();
      await().atMost(5, TimeUnit.SECONDS).until(() -> sender.state().counts().size() == 300);
      assertThat(sender.state().counts().values()).containsOnly(1);
    }
  }

  @Test
  void aMinorityRefusesWithinThePatienceAndTheClusterResumesByItself() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var survivor = cluster.leader();
      List<String> others =
          cluster.nodes().stream()
              .map(TestRaftCluster.TestNode::id)
              .filter(id -> !id.equals(survivor.id()))
              .toList();
      others.forEach(cluster::stop);
      long started = System.nanoTime();
      assertThatThrownBy(
              () -> later(survivor, "lost?", Duration.ofMillis(2500)).get(10, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(NoQuorumException.class);
      assertThat(System.nanoTime() - started).isLessThan(Duration.ofSeconds(3).toNanos());
      cluster.start(others.getFirst());
      assertThat(append(survivor, "back")).isEqualTo("1");
    }
  }

  @Test
  void theLeaseEndsBeforeAnotherCouldBeElectedWhenTheOthersAreGone() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      Leadership term = leader.log().leadership().orElseThrow();
      await().atMost(5, TimeUnit.SECONDS).until(term::hasLease);
      for (var node : cluster.nodes()) if (!node.id().equals(leader.id())) cluster.stop(node.id());
      await().atMost(RaftSettings.ELECTION_MIN).until(() -> !term.hasLease());
    }
  }

  @Test
  void aTransferHandsOverWithoutTwoHoldersOfTheLease() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var old = cluster.leader();
      Leadership oldTerm = old.log().leadership().orElseThrow();
      await().atMost(5, TimeUnit.SECONDS).until(oldTerm::hasLease);
      var next = cluster.follower();
      append(next, "caught up");
      assertThat(old.log().transferLeadership(next.id(), Duration.ofSeconds(5))).isTrue();
      assertThat(oldTerm.hasLease()).isFalse();
      await().atMost(5, TimeUnit.SECONDS).until(next::isLeader);
      Leadership newTerm = next.log().leadership().orElseThrow();
      assertThat(newTerm.term()).isGreaterThan(oldTerm.term());
      assertThat(newTerm.hasLease()).as("old leases may still run").isFalse();
      await().atMost(5, TimeUnit.SECONDS).until(newTerm::hasLease);
      await().atMost(5, TimeUnit.SECONDS).until(() -> old.state().led().isEmpty());
      assertThat(next.state().led()).contains(newTerm);
    }
  }

  @Test
  void aMemberThatHasNotCaughtUpGetsNoLeadershipAndNothingChanges() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      Leadership term = leader.log().leadership().orElseThrow();
      await().atMost(5, TimeUnit.SECONDS).until(term::hasLease);
      String laggard = cluster.follower().id();
      cluster.stop(laggard);
      TestRaftCluster.fill(leader, "a");
      assertThat(leader.log().transferLeadership(laggard, Duration.ofSeconds(1))).isFalse();
      assertThat(leader.log().leadership()).contains(term);
      await().atMost(5, TimeUnit.SECONDS).until(term::hasLease);
      assertThat(append(leader, "b")).isEqualTo("1");

      cluster.start(laggard);
      await()
          .atMost(20, TimeUnit.SECONDS)
          .until(() -> leader.raft().transferObstacle(GROUP, laggard).isEmpty());
      assertThat(leader.log().transferLeadership(laggard, Duration.ofSeconds(5))).isTrue();
      assertThat(cluster.node(laggard).log().leader()).contains(laggard);
    }
  }

  @Test
  void theObstacleToATransferIsNamed() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      String follower = cluster.follower().id();
      append(leader, "a");
      await()
          .atMost(5, TimeUnit.SECONDS)
          .until(() -> leader.raft().transferObstacle(GROUP, follower).isEmpty());
      assertThat(leader.raft().transferObstacle(GROUP, leader.id())).isEmpty();
      assertThat(leader.raft().transferObstacle(GROUP, "n9")).contains("n9 is no member of it");
      assertThat(cluster.node(follower).raft().transferObstacle(GROUP, leader.id()))
          .contains("this node does not lead it");
      lag(leader, follower, LeadershipTransfer.LAG_MAX);
      assertThat(leader.raft().transferObstacle(GROUP, follower)).isEmpty();
      lag(leader, follower, LeadershipTransfer.LAG_MAX + 1);
      assertThat(leader.raft().transferObstacle(GROUP, follower))
          .contains(follower + " has not caught up: it lacks 33 entries");
      cluster.stop(follower);
      await()
          .atMost(5, TimeUnit.SECONDS)
          .until(
              () ->
                  leader
                      .raft()
                      .transferObstacle(GROUP, follower)
                      .equals(Optional.of(follower + " does not answer")));
    }
  }

  @Test
  void aMemberIsBehindUntilItHasAppliedWhatWasCommittedWhileItWasAway() throws Exception {
    try (TestRaftCluster cluster = three()) {
      String laggard = cluster.follower().id();
      append(cluster.leader(), "before");
      await()
          .atMost(20, TimeUnit.SECONDS)
          .until(() -> cluster.nodes().stream().allMatch(n -> n.raft().groupsBehind().isEmpty()));
      cluster.stop(laggard);
      for (int i = 0; i < 2 * LeadershipTransfer.LAG_MAX; i++) append(cluster.leader(), "away");
      long last = cluster.leader().state().applied().index();
      var back = cluster.start(laggard);
      await()
          .atMost(20, TimeUnit.SECONDS)
          .pollInterval(Duration.ofMillis(1))
          .until(
              () -> {
                long applied = back.state().applied().index();
                boolean behind = !back.raft().groupsBehind().isEmpty();
                if (!behind)
                  assertThat(back.state().applied().index())
                      .isGreaterThanOrEqualTo(last - LeadershipTransfer.LAG_MAX);
                else assertThat(applied).isLessThanOrEqualTo(last);
                return !behind;
              });
    }
  }

  @Test
  void aMemberWithoutALeaderIsBehind() throws Exception {
    try (TestRaftCluster cluster = three()) {
      append(cluster.leader(), "x");
      var survivor = cluster.follower();
      for (var node : List.copyOf(cluster.nodes()))
        if (!node.id().equals(survivor.id())) cluster.stop(node.id());
      await()
          .atMost(20, TimeUnit.SECONDS)
          .until(() -> survivor.raft().groupsBehind().equals(List.of(GROUP)));
    }
  }

  /** Lets the leader's record of a follower say that it lacks so many entries. */
  private static void lag(TestRaftCluster.TestNode leader, String follower, long entries) {
    var replica = Objects.requireNonNull(((RatisLog) leader.log()).replica());
    replica
        .machine()
        .followers()
        .compute(
            RaftPeerId.valueOf(follower),
            (id, record) -> {
              long last = replica.division().getRaftLog().getLastEntryTermIndex().getIndex();
              return (FollowerInfo)
                  Proxy.newProxyInstance(
                      FollowerInfo.class.getClassLoader(),
                      new Class<?>[] {FollowerInfo.class},
                      (proxy, method, arguments) ->
                          method.getName().equals("getMatchIndex")
                              ? (Object) (last - entries)
                              : method.invoke(record, arguments));
            });
  }

  @Test
  void anEmptyNodeJoinsAGroupWhoseLogIsPurged() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      TestRaftCluster.fill(leader, "a");
      leader.raft().snapshot(GROUP);
      append(leader, "after");
      var joiner = cluster.join("n4");
      assertThat(joiner.log().isJoining()).isTrue();
      List<RaftMember> members = new ArrayList<>(leader.raft().members(GROUP));
      members.add(cluster.peer("n4"));
      assertThat(leader.raft().setMembers(GROUP, members)).succeedsWithin(TIMEOUT);
      assertThat(append(joiner, "after")).isEqualTo("2");
      cluster.awaitEqualStates();
      assertThat(joiner.state().installs()).isEqualTo(1);
      assertThat(joiner.raft().members(GROUP)).hasSize(4).contains(cluster.peer("n4"));
      await().atMost(5, TimeUnit.SECONDS).until(() -> !joiner.log().isJoining());
      assertThat(leader.log().isJoining()).isFalse();
    }
  }

  @Test
  void theLeaderMayDieAsSoonAsANewMemberVotes() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      append(leader, "before");
      cluster.join("n4");
      List<RaftMember> four = new ArrayList<>(leader.raft().members(GROUP));
      four.add(cluster.peer("n4"));
      assertThat(leader.raft().setMembers(GROUP, four)).succeedsWithin(TIMEOUT);
      cluster.stop(leader.id());
      // all three of the others are needed
      assertThat(append(cluster.leader(), "before")).isEqualTo("2");
    }
  }

  @Test
  void aListenerGetsTheLogAndVotesOnlyWhenItIsMadeAVoter() throws Exception {
    try (TestRaftCluster cluster = three()) {
      var leader = cluster.leader();
      append(leader, "before");
      var joiner = cluster.join("n4");
      List<RaftMember> voters = leader.raft().members(GROUP);
      List<RaftMember> listener = List.of(cluster.peer("n4"));
      assertThat(leader.raft().setMembers(GROUP, voters, listener)).succeedsWithin(TIMEOUT);
      assertThat(append(joiner, "before")).isEqualTo("2");
      cluster.awaitEqualStates();
      assertThat(leader.raft().listeners(GROUP)).isEqualTo(listener);
      assertThat(leader.raft().members(GROUP)).isEqualTo(voters);
      await().atMost(5, TimeUnit.SECONDS).until(() -> leader.raft().isCaughtUp(GROUP, "n4"));

      cluster.stop("n4");
      await().atMost(5, TimeUnit.SECONDS).until(() -> !leader.raft().isCaughtUp(GROUP, "n4"));
      var restarted = cluster.start("n4");
      assertThat(append(leader, "before")).isEqualTo("3");
      cluster.awaitEqualStates();
      assertThat(append(restarted, "before")).isEqualTo("4");

      List<RaftMember> four = new ArrayList<>(voters);
      four.add(cluster.peer("n4"));
      assertThat(leader.raft().setMembers(GROUP, four)).succeedsWithin(TIMEOUT);
      // three of four are needed now: without the vote of n4 nothing would be committed
      cluster.nodes().stream()
          .filter(node -> !node.isLeader() && !node.id().equals("n4"))
          .findFirst()
          .ifPresent(node -> cluster.stop(node.id()));
      assertThat(append(restarted, "before")).isEqualTo("5");
      cluster.awaitEqualStates();
      assertThat(restarted.raft().listeners(GROUP)).isEmpty();
      assertThat(cluster.fatal).isEmpty();
    }
  }

  @Test
  void aMemberThatComesBackAtAnotherAddressIsFollowedThere() throws Exception {
    try (TestRaftCluster cluster = three()) {
      String moving = cluster.follower().id();
      append(cluster.leader(), "before");
      cluster.stop(moving);
      append(cluster.leader(), "away");
      cluster.move(moving);
      var back = cluster.start(moving);
      for (var node : cluster.nodes())
        if (node != back) node.raft().learnAddresses(List.of(cluster.peer(moving)));
      cluster.awaitEqualStates();
      assertThat(append(back, "away")).as("it calls the leader").isEqualTo("2");
      // its vote and its disk count again
      cluster.nodes().stream()
          .filter(node -> !node.isLeader() && node != back)
          .findFirst()
          .ifPresent(node -> cluster.stop(node.id()));
      assertThat(append(cluster.leader(), "away")).isEqualTo("3");
    }
  }

  @Test
  void nodesThatHaveSwappedTheirAddressesFindEachOther() throws Exception {
    try (TestRaftCluster cluster = three()) {
      String leader = cluster.leader().id();
      List<String> others =
          cluster.nodes().stream()
              .map(TestRaftCluster.TestNode::id)
              .filter(id -> !id.equals(leader))
              .toList();
      append(cluster.leader(), "before");
      for (String id : others) cluster.stop(id);
      cluster.swap(others.getFirst(), others.getLast());
      for (String id : others) cluster.start(id);
      List<RaftMember> swapped = others.stream().map(cluster::peer).toList();
      cluster.node(leader).raft().learnAddresses(swapped);
      append(cluster.leader(), "after");
      cluster.awaitEqualStates();
      assertThat(cluster.fatal).isEmpty();
    }
  }

  @Test
  void aLaggingMemberInstallsASnapshotAndFollowsAndSurvivesARestart() throws Exception {
    try (TestRaftCluster cluster = three()) {
      String laggard = cluster.follower().id();
      append(cluster.leader(), "before");
      cluster.stop(laggard);
      TestRaftCluster.fill(cluster.leader(), "a");
      cluster.purgeLog();
      TestRaftCluster.fill(cluster.leader(), "b");
      var back = cluster.start(laggard);
      cluster.awaitEqualStates();
      assertThat(back.state().installs()).isEqualTo(1);
      cluster.stop(laggard);
      var again = cluster.start(laggard);
      assertThat(append(again, "before")).isEqualTo("2");
      cluster.awaitEqualStates();
      assertThat(cluster.fatal).isEmpty();
    }
  }

  @Test
  void aMemberThatWasAwayForAMomentFindsTheLogAndNeedsNoSnapshot() throws Exception {
    try (TestRaftCluster cluster = three()) {
      String laggard = cluster.follower().id();
      append(cluster.leader(), "before");
      cluster.awaitEqualStates();
      cluster.stop(laggard);
      for (String round : List.of("a", "b")) {
        TestRaftCluster.fill(cluster.leader(), round);
        cluster.leader().raft().snapshot(GROUP);
      }
      var back = cluster.start(laggard);
      cluster.awaitEqualStates();
      assertThat(back.state().installs()).isZero();
    }
  }

  @Test
  void allStoppedAndStartedAgainLosesNothing() throws Exception {
    try (TestRaftCluster cluster = three()) {
      TestRaftCluster.fill(cluster.leader(), "a");
      List<String> all = cluster.nodes().stream().map(TestRaftCluster.TestNode::id).toList();
      all.forEach(cluster::stop);
      for (String id : all) cluster.start(id);
      assertThat(append(cluster.leader(), "b")).isEqualTo("1");
      cluster.awaitEqualStates();
      assertThat(cluster.leader().state().counts()).hasSize(101);
    }
  }
}
