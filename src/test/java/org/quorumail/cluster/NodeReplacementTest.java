package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Presence;

/** Three nodes and a spare one, as the first of them sees the others. */
class NodeReplacementTest {
  private final ClusterMap map = founded(3).withMember(member(4), 3, m -> true);

  private NodeReplacement replacement(Presence... others) {
    List<Membership.Member> seen = new ArrayList<>();
    for (int i = 0; i < others.length; i++)
      seen.add(new Membership.Member(metadata(i + 2, null, map), others[i], 0));
    return new NodeReplacement(map, List.of("n1-1", "n2-1", "n3-1"), metadata(1, null, map), seen);
  }

  @Test
  void theReplacementGetsAllPlacesOfALostNode() {
    NodeReplacement lost = replacement(Presence.ALIVE, Presence.DEAD, Presence.ALIVE);
    assertThat(lost.problem("n3", "n4")).isEmpty();
    ClusterMap next = lost.next("n3", "n4");
    assertThat(next.problem()).isEmpty();
    assertThat(next.revision()).isEqualTo(map.revision() + 1);
    assertThat(next.members()).containsExactly(member(1), member(2), member(4));
    next.spools()
        .forEach(
            (home, replicas) -> assertThat(replicas.members()).as(home).doesNotContain("n3-1"));
    for (String home : List.of("n1", "n2", "n3")) {
      assertThat(next.spoolMembers(home)).as(home).hasSize(3).contains(member(4));
    }
  }

  @Test
  void aPlaceThatTheReplacementHasAlreadyIsTakenByAnother() {
    ClusterMap five = map.withMember(member(5), 3, m -> true);
    ClusterMap next = five.withReplacement(member(3), member(4), m -> true);
    next.spools()
        .forEach(
            (home, replicas) ->
                assertThat(replicas.members())
                    .as(home)
                    .doesNotContain("n3-1")
                    .doesNotHaveDuplicates()
                    .hasSize(3));
  }

  @Test
  void badNamesAreRefused() {
    NodeReplacement all = replacement(Presence.ALIVE, Presence.ALIVE, Presence.ALIVE);
    assertThat(all.problem("n3", "n3")).get().asString().contains("cannot replace itself");
    assertThat(all.problem("n9", "n4")).get().asString().contains("no member", "n9");
    assertThat(all.problem("n3", "n9")).get().asString().contains("n9", "has joined");
  }

  @Test
  void aNodeThatRunsIsReplacedAndOneThatIsSilentIsNot() {
    NodeReplacement all = replacement(Presence.ALIVE, Presence.ALIVE, Presence.ALIVE);
    assertThat(all.problem("n3", "n4")).isEmpty();
    assertThat(all.problem("n1", "n4")).as("the node that was asked").isEmpty();
    assertThat(replacement(Presence.ALIVE, Presence.SUSPECT, Presence.ALIVE).problem("n3", "n4"))
        .get()
        .asString()
        .contains("n3 does not answer");
  }

  @Test
  void aReplacementThatIsNotReadyIsRefused() {
    assertThat(replacement(Presence.ALIVE, Presence.DEAD, Presence.SUSPECT).problem("n3", "n4"))
        .get()
        .asString()
        .contains("n4 is not ready");
  }

  @Test
  void aGroupThatWouldHaveNoMajorityIsNamed() {
    assertThat(replacement(Presence.DEAD, Presence.DEAD, Presence.ALIVE).problem("n3", "n4"))
        .get()
        .asString()
        .contains("no majority without n3", "start n2 first");
  }
}
