package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Presence;

class NodeAdmissionTest {
  private final ClusterMap map = founded(3);
  private final MemberMetadata self = metadata(1, null, map);
  private final Membership.Member second = seen(metadata(2, null, map), Presence.ALIVE);
  private final Membership.Member third = seen(metadata(3, null, map), Presence.ALIVE);
  private final NodeAdmission admission = new NodeAdmission(3);

  private static Membership.Member seen(MemberMetadata metadata, Presence presence) {
    return new Membership.Member(metadata, presence, 0);
  }

  private Membership.Member asking(int i) {
    return seen(metadata(i, map.clusterId(), null), Presence.ALIVE);
  }

  @Test
  void aNodeThatAsksIsAddedOneAtATime() {
    var decision = admission.decide(map, self, List.of(second, third, asking(5), asking(4)));
    assertThat(decision).isInstanceOf(NodeAdmission.Add.class);
    ClusterMap next = ((NodeAdmission.Add) decision).next();
    assertThat(next.members()).containsExactly(member(1), member(2), member(3), withAddress(4));
    assertThat(next.revision()).isEqualTo(1);
    assertThat(next.problem()).isEmpty();
  }

  private static Formation.Member withAddress(int i) {
    return Formation.member(metadata(i, null, null));
  }

  @Test
  void aNodeThatDoesNotAskOrAsksAnotherClusterOrIsGoneIsNotAdded() {
    Membership.Member silent = seen(metadata(4, null, null), Presence.ALIVE);
    Membership.Member foreign = seen(metadata(5, "another", null), Presence.ALIVE);
    Membership.Member gone = seen(metadata(6, map.clusterId(), null), Presence.DEAD);
    assertThat(admission.decide(map, self, List.of(second, third, silent, foreign, gone)))
        .isInstanceOf(NodeAdmission.Nobody.class);
  }

  @Test
  void theFirstNodeWaitsUntilAllMembersKnowMaps() {
    Membership.Member old = seen(metadata(3, null, null), Presence.ALIVE);
    var decision = admission.decide(map, self, List.of(second, old, asking(4)));
    assertThat(decision).isInstanceOf(NodeAdmission.Refused.class);
    assertThat(((NodeAdmission.Refused) decision).reason()).contains("n3", "upgraded");
    assertThat(admission.decide(map, self, List.of(second, asking(4))))
        .isInstanceOf(NodeAdmission.Refused.class);
  }

  @Test
  void laterAMemberMayBeDown() {
    ClusterMap four = map.withMember(withAddress(4), 3, m -> true);
    assertThat(admission.decide(four, self, List.of(second, asking(5))))
        .isInstanceOf(NodeAdmission.Add.class);
  }

  @Test
  void aNodeThatWaitsForTheEndOfAnEarlierSpoolHoldsUpNoOther() {
    ClusterMap removed = map.withoutMember(member(2), m -> true);
    MemberMetadata wiped = TestMetadata.node("n2", "n2-9").joins(removed.clusterId()).build();
    List<Membership.Member> both = List.of(third, seen(wiped, Presence.ALIVE), asking(4));
    assertThat(admission.decide(removed, self, both))
        .isInstanceOfSatisfying(
            NodeAdmission.Add.class, add -> assertThat(add.nodeId()).isEqualTo("n4"));
    assertThat(admission.decide(removed, self, List.of(third, seen(wiped, Presence.ALIVE))))
        .isInstanceOfSatisfying(
            NodeAdmission.Refused.class,
            refused -> assertThat(refused.reason()).contains("still has mail"));
    assertThat(
            admission.decide(
                removed.withoutSpool("n2"), self, List.of(third, seen(wiped, Presence.ALIVE))))
        .isInstanceOf(NodeAdmission.Add.class);
  }

  @Test
  void aKnownIdWithAnotherDirectoryIsRefused() {
    MemberMetadata other = TestMetadata.node("n2", "n2-9").joins(map.clusterId()).build();
    var decision = admission.decide(map, self, List.of(second, third, seen(other, Presence.ALIVE)));
    assertThat(decision).isInstanceOf(NodeAdmission.Refused.class);
  }
}
