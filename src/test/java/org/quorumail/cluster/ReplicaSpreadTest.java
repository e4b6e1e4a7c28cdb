package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.cluster.Membership.Presence;
import org.quorumail.cluster.ReplicaSpread.Move;

class ReplicaSpreadTest {
  private long now = 5;
  private final ReplicaSpread spread = new ReplicaSpread(() -> now);

  private static ClusterMap grown(int founders, int members) {
    ClusterMap map = founded(founders);
    for (int i = founders + 1; i <= members; i++) map = map.withMember(member(i), 3, m -> true);
    return map;
  }

  private static Map<String, Integer> replicas(ClusterMap map) {
    Map<String, Integer> count = new HashMap<>();
    map.members().forEach(m -> count.put(m.nodeId(), 0));
    for (String home : map.spools().keySet())
      map.spoolMembers(home).forEach(m -> count.merge(m.nodeId(), 1, Integer::sum));
    return count;
  }

  /** Follows all moves from a map, and checks what must hold after each. */
  private static ClusterMap settle(ClusterMap map) {
    ClusterMap present = map;
    int last = Integer.MAX_VALUE;
    for (Optional<Move> move = ReplicaSpread.plan(present);
        move.isPresent();
        move = ReplicaSpread.plan(present)) {
      ClusterMap next = move.get().next();
      assertThat(next.problem()).isEmpty();
      assertThat(next.revision()).isEqualTo(present.revision() + 1);
      assertThat(move.get().remaining()).as("each move is one less").isLessThan(last);
      last = move.get().remaining();
      for (String home : present.spools().keySet()) {
        List<Member> before = present.spoolMembers(home);
        List<Member> after = next.spoolMembers(home);
        assertThat(after).hasSameSizeAs(before);
        assertThat(before.stream().filter(m -> !after.contains(m))).hasSizeLessThan(2);
        assertThat(after.getFirst()).as("the home keeps its spool").isEqualTo(before.getFirst());
      }
      present = next;
    }
    if (last != Integer.MAX_VALUE) assertThat(last).isZero();
    return present;
  }

  @Test
  void allMembersHoldAboutAsManyReplicasWhenNodesHaveJoined() {
    for (int members = 4; members <= 12; members++) {
      Map<String, Integer> replicas = replicas(settle(grown(3, members)));
      assertThat(replicas.values())
          .as(members + " members")
          .allMatch(count -> count >= 2 && count <= 4)
          .satisfies(
              counts ->
                  assertThat(counts.stream().mapToInt(c -> c).max().orElseThrow())
                      .isLessThan(
                          counts.stream().mapToInt(c -> c).min().orElseThrow()
                              + ReplicaSpread.THRESHOLD));
    }
  }

  @Test
  void aClusterThatIsEvenMovesNothing() {
    assertThat(ReplicaSpread.plan(founded(1))).isEmpty();
    assertThat(ReplicaSpread.plan(founded(3))).isEmpty();
    assertThat(ReplicaSpread.plan(settle(grown(3, 7)))).isEmpty();
  }

  @Test
  void noSpoolLosesAZone() {
    List<Member> two =
        IntStream.rangeClosed(1, 6)
            .mapToObj(i -> new Member("n" + i, "n" + i + "-1", "h", 1, i % 2 == 0 ? "b" : "a"))
            .toList();
    ClusterMap map =
        ClusterMap.founded(new Formation(two.subList(0, 3)), 3, ClusterMap.CLUSTER_GROUPS);
    for (Member m : two.subList(3, 6)) map = map.withMember(m, 3, x -> true);
    ClusterMap even = settle(map);
    for (String home : even.spools().keySet())
      assertThat(even.spoolMembers(home).stream().map(Member::zone).distinct()).as(home).hasSize(2);
  }

  @Test
  void theSpoolOfARemovedNodeIsLeftWhereItIs() {
    ClusterMap map = grown(3, 5).withoutMember(member(1), m -> true);
    ClusterMap even = settle(map);
    assertThat(even.spoolMembers("n1")).isEqualTo(map.spoolMembers("n1"));
  }

  @Test
  void aReplicaMovesWhenAllMembersAreSteadyAndSettled() {
    ClusterMap five = grown(3, 5);
    assertThat(decide(five, five.revision(), Presence.ALIVE)).as("first seen now").isEmpty();
    pass(ReplicaSpread.STEADY_FOR.minusNanos(1));
    assertThat(decide(five, five.revision(), Presence.ALIVE)).isEmpty();
    pass(Duration.ofNanos(1));
    assertThat(decide(five, five.revision() - 1, Presence.ALIVE)).as("a group changes").isEmpty();
    assertThat(decide(five, null, Presence.ALIVE)).as("an older release").isEmpty();
    assertThat(decide(five, five.revision(), Presence.ALIVE)).isPresent();
    spread.reset();
    assertThat(decide(five, five.revision(), Presence.ALIVE)).as("a new leader").isEmpty();
  }

  @Test
  void aFlappingMemberMovesNothing() {
    ClusterMap five = grown(3, 5);
    for (int i = 0; i < 10; i++) {
      decide(five, five.revision(), Presence.ALIVE);
      pass(ReplicaSpread.STEADY_FOR.minusSeconds(1));
      assertThat(decide(five, five.revision(), Presence.ALIVE)).isEmpty();
      assertThat(decide(five, five.revision(), Presence.SUSPECT)).isEmpty();
      pass(Duration.ofSeconds(5));
    }
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  /** The second node is the one that may be away; the fifth reports an earlier revision. */
  private Optional<Move> decide(ClusterMap map, @Nullable Long settledOfFifth, Presence second) {
    List<Membership.Member> others = new ArrayList<>();
    for (int i = 2; i <= map.members().size(); i++) {
      @Nullable Long settled = i == 5 ? settledOfFifth : Long.valueOf(map.revision());
      others.add(
          new Membership.Member(settled(i, map, settled), i == 2 ? second : Presence.ALIVE, 0));
    }
    return spread.decide(map, settled(1, map, map.revision()), others);
  }

  private static MemberMetadata settled(int i, ClusterMap map, @Nullable Long settled) {
    return TestMetadata.like(metadata(i, null, map))
        .mapVersion(ClusterMap.VERSION)
        .features(MemberMetadata.FEATURES)
        .settled(settled)
        .build();
  }
}
