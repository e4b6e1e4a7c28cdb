package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Presence;

/** The first of some nodes leaves. */
class NodeDepartureTest {
  private static NodeDeparture departure(ClusterMap map, Presence... others) {
    List<Membership.Member> seen = new ArrayList<>();
    for (int i = 0; i < others.length; i++)
      seen.add(new Membership.Member(metadata(i + 2, null, map), others[i], 0));
    List<String> voters = map.members().stream().limit(3).map(Formation.Member::peerId).toList();
    return new NodeDeparture(map, voters, metadata(1, null, map), seen);
  }

  @Test
  void itsPlacesAreTakenByOthersAndItsSpoolStays() {
    NodeDeparture departure = departure(founded(4), Presence.ALIVE, Presence.ALIVE, Presence.ALIVE);
    assertThat(departure.problem()).isEmpty();
    ClusterMap next = departure.next();
    assertThat(next.problem()).isEmpty();
    assertThat(next.members()).containsExactly(member(2), member(3), member(4));
    assertThat(next.spools()).containsKey("n1");
    next.spools().forEach((home, replicas) -> assertThat(replicas.members()).as(home).hasSize(3));
  }

  @Test
  void oneOfThreeAndOneOfTwoMayLeave() {
    assertThat(departure(founded(3), Presence.ALIVE, Presence.ALIVE).problem()).isEmpty();
    assertThat(departure(founded(2), Presence.ALIVE).problem()).isEmpty();
  }

  @Test
  void theLastNodeStays() {
    assertThat(departure(founded(1)).problem())
        .get()
        .asString()
        .contains("n1 is the only node", "system shutdown");
  }

  @Test
  void aNodeWithoutWhichAGroupWouldHaveNoMajorityStays() {
    assertThat(departure(founded(3), Presence.ALIVE, Presence.DEAD).problem())
        .get()
        .asString()
        .contains("no majority without n1", "start n3 first");
    assertThat(departure(founded(2), Presence.DEAD).problem())
        .get()
        .asString()
        .contains("start n2 first");
  }

  @Test
  void aNodeThatTheOthersHaveRemovedMayGo() {
    ClusterMap without = founded(3).withoutMember(member(1), m -> true);
    assertThat(departure(without, Presence.DEAD, Presence.DEAD).problem()).isEmpty();
  }
}
