package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Presence;

class NodeRemovalTest {
  private final ClusterMap map = founded(4);

  private NodeRemoval removal(Presence... others) {
    List<Membership.Member> seen = new ArrayList<>();
    for (int i = 0; i < others.length; i++)
      seen.add(new Membership.Member(metadata(i + 2, null, map), others[i], 0));
    return new NodeRemoval(map, List.of("n1-1", "n2-1", "n3-1"), metadata(1, null, map), seen);
  }

  @Test
  void aNodeThatIsDeadOrHasLeftOrWasNeverSeenIsRemoved() {
    assertThat(removal(Presence.ALIVE, Presence.ALIVE, Presence.DEAD).problem("n4")).isEmpty();
    assertThat(removal(Presence.ALIVE, Presence.ALIVE, Presence.LEFT).problem("n4")).isEmpty();
    NodeRemoval unseen = removal(Presence.ALIVE, Presence.ALIVE);
    assertThat(unseen.problem("n4")).isEmpty();
    ClusterMap next = unseen.next("n4");
    assertThat(next.find("n4")).isEmpty();
    assertThat(next.problem()).isEmpty();
    assertThat(next.spoolMembers("n4")).as("replaced by a ready node").hasSize(3);
  }

  @Test
  void aNodeThatMayRunIsNotRemoved() {
    assertThat(removal(Presence.ALIVE, Presence.ALIVE, Presence.ALIVE).problem("n4"))
        .get()
        .asString()
        .contains("n4 is running");
    assertThat(removal(Presence.ALIVE, Presence.ALIVE, Presence.SUSPECT).problem("n4")).isPresent();
    assertThat(removal(Presence.ALIVE, Presence.ALIVE, Presence.DEAD).problem("n1"))
        .get()
        .asString()
        .contains("ask another");
    assertThat(removal().problem("n7")).get().asString().contains("no member", "n7");
  }

  @Test
  void nothingIsRemovedWhereAGroupWouldHaveNoMajority() {
    assertThat(removal(Presence.ALIVE, Presence.DEAD, Presence.DEAD).problem("n4"))
        .get()
        .asString()
        .contains("no majority without n4", "start n3 first");
    ClusterMap two = founded(2);
    NodeRemoval last =
        new NodeRemoval(two, List.of("n1-1", "n2-1"), metadata(1, null, two), List.of());
    assertThat(last.problem("n2")).get().asString().contains("no majority without n2");
  }
}
