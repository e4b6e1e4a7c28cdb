package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GroupMembersTest {

  private static GroupMembers of(int voters, int... listeners) {
    return new GroupMembers(
        IntStream.rangeClosed(1, voters).mapToObj(GroupMembersTest::peer).toList(),
        IntStream.of(listeners).mapToObj(GroupMembersTest::peer).toList());
  }

  private static String peer(int i) {
    return "n" + i + "-1";
  }

  private static Optional<GroupMembers> nextMeta(
      ClusterMap map, GroupMembers now, Predicate<String> ready, Predicate<String> caughtUp) {
    return now.next(
        GroupMembers.ofMeta(map, now, ready), peer(1), p -> false, p -> true, ready, caughtUp);
  }

  @Test
  void aNewMemberVotesAtOnceAndAListenerWhenItHasCaughtUp() {
    ClusterMap five = founded(5);
    assertThat(nextMeta(five, of(3), p -> true, p -> true)).contains(of(4));
    assertThat(nextMeta(five, of(3, 4), p -> true, p -> false))
        .contains(new GroupMembers(List.of(peer(1), peer(2), peer(3), peer(5)), List.of(peer(4))));
    assertThat(nextMeta(five, of(3, 4), p -> true, p -> true)).contains(of(4));
  }

  @Test
  void threeOrFiveVoteInTheMetaGroupAndTheOthersListen() {
    for (int nodes = 3; nodes <= 8; nodes++) {
      ClusterMap map = founded(nodes);
      GroupMembers now = of(1);
      List<GroupMembers> steps = new ArrayList<>();
      for (Optional<GroupMembers> next; ; now = next.get()) {
        next = nextMeta(map, now, p -> true, p -> true);
        if (next.isEmpty()) break;
        steps.add(next.get());
        assertThat(steps).hasSizeLessThan(30);
      }
      assertThat(now.voters()).as(nodes + " nodes").hasSize(nodes < 5 ? 3 : 5);
      assertThat(now.voters().size() + now.listeners().size()).isEqualTo(nodes);
    }
  }

  @Test
  void aNodeThatIsNotReadyIsNotAddedAndALaggingOneDoesNotVote() {
    ClusterMap three = founded(3);
    assertThat(nextMeta(three, of(2), p -> false, p -> true)).isEmpty();
    assertThat(nextMeta(three, of(2, 3), p -> true, p -> false)).isEmpty();
    assertThat(nextMeta(three, of(2, 3), p -> false, p -> true)).isEmpty();
    assertThat(nextMeta(three, of(2, 3), p -> true, p -> true)).contains(of(3));
  }

  @Test
  void aRemovedMemberGoesFirstAndItsReplacementComesByOneStepAtATime() {
    ClusterMap map = founded(3).withMember(member(4), 3, m -> true);
    ClusterMap without = map.withoutMember(member(3), m -> true);
    GroupMembers wanted = GroupMembers.ofSpool(without, "n1");
    assertThat(wanted.voters()).containsExactlyInAnyOrder(peer(1), peer(2), peer(4));
    GroupMembers two =
        of(3).next(wanted, peer(1), p -> false, p -> true, p -> true, p -> true).orElseThrow();
    assertThat(two).isEqualTo(of(2));
    assertThat(two.next(wanted, peer(1), p -> false, p -> true, p -> false, p -> true)).isEmpty();
    GroupMembers three =
        two.next(wanted, peer(1), p -> false, p -> true, p -> true, p -> true).orElseThrow();
    assertThat(three.voters()).containsExactlyInAnyOrder(peer(1), peer(2), peer(4));
    assertThat(three.next(wanted, peer(1), p -> false, p -> true, p -> true, p -> true)).isEmpty();
    assertThat(nextMeta(without, of(3, 4), p -> true, p -> true)).contains(of(2, 4));
  }

  @Test
  void aMemberThatStillRunsGoesLastWhenItsReplacementVotes() {
    ClusterMap map = founded(3).withMember(member(4), 3, m -> true);
    ClusterMap replaced = map.withReplacement(member(3), member(4), m -> true);
    GroupMembers wanted = GroupMembers.ofSpool(replaced, "n1");
    GroupMembers four =
        of(3).next(wanted, peer(1), p -> true, p -> true, p -> true, p -> true).orElseThrow();
    assertThat(four.voters()).hasSize(4).contains(peer(3), peer(4));
    assertThat(of(3).next(wanted, peer(1), p -> true, p -> true, p -> false, p -> true))
        .as("the replacement is not ready")
        .isEmpty();
    assertThat(four.next(wanted, peer(1), p -> true, p -> false, p -> true, p -> true))
        .as("it does not know yet that it is to go")
        .isEmpty();
    GroupMembers three =
        four.next(wanted, peer(1), p -> true, p -> true, p -> true, p -> true).orElseThrow();
    assertThat(three.voters()).containsExactlyInAnyOrder(peer(1), peer(2), peer(4));
    assertThat(four.next(wanted, peer(3), p -> true, p -> true, p -> true, p -> true))
        .as("a leader does not remove itself")
        .isEmpty();
  }
}
