package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class FormationTest {
  private final MemberMetadata a = card("a", "a-1", List.of());
  private final MemberMetadata b = card("b", "b-1", List.of());
  private final MemberMetadata c = card("c", "c-1", List.of());

  static MemberMetadata card(String id, String peer, List<Formation.Member> formed) {
    return TestMetadata.node(id, peer).formed(formed).build();
  }

  @Test
  void everyNodeArrivesAtTheSameFormation() throws Exception {
    assertThat(Formation.fromMetadata(a, List.of(b, c)))
        .isPresent()
        .isEqualTo(Formation.fromMetadata(b, List.of(c, a)))
        .isEqualTo(Formation.fromMetadata(c, List.of(a, b)));
  }

  @Test
  void nothingIsFormedWhileNodesAreMissing() throws Exception {
    assertThat(Formation.fromMetadata(a, List.of(b))).isEmpty();
  }

  @Test
  void aFormationOfOthersThatCountsUsInIsAdopted() throws Exception {
    Formation formed = Formation.fromMetadata(a, List.of(b, c)).orElseThrow();
    MemberMetadata formedB = card("b", "b-1", formed.members());
    assertThat(Formation.fromMetadata(a, List.of(formedB))).contains(formed);
  }

  @Test
  void aWipedDirectoryIsNotTakenBackUnderItsOldName() throws Exception {
    Formation formed = Formation.fromMetadata(a, List.of(b, c)).orElseThrow();
    MemberMetadata wiped = card("a", "a-2", List.of());
    assertThatThrownBy(
            () -> Formation.fromMetadata(wiped, List.of(card("b", "b-1", formed.members()))))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("node.data_directory");
  }

  @Test
  void aClusterOfAnOlderReleaseAddsNoNode() throws Exception {
    Formation formed = Formation.fromMetadata(a, List.of(b, c)).orElseThrow();
    MemberMetadata stranger = card("d", "d-1", List.of());
    assertThatThrownBy(
            () -> Formation.fromMetadata(stranger, List.of(card("b", "b-1", formed.members()))))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("cannot add nodes");
  }

  @Test
  void twoNodesOfOneNameAreRefused() {
    assertThatThrownBy(() -> Formation.fromMetadata(a, List.of(card("a", "a-9", List.of()), b)))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("node.id");
  }

  @Test
  void moreNodesThanExpectedAreRefused() {
    assertThatThrownBy(() -> Formation.fromMetadata(a, List.of(b, c, card("d", "d-1", List.of()))))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("cluster.expect");
  }

  @Test
  void aMemberThatHasMovedKnowsWhereTheOthersLookForIt() throws Exception {
    Formation formed = Formation.fromMetadata(a, List.of(b, c)).orElseThrow();
    Formation.Member founded = Formation.member(a);
    assertThat(formed.formerAddress(founded)).isEmpty();
    Formation.Member moved =
        new Formation.Member(
            founded.nodeId(), founded.peerId(), "192.0.2.9", founded.raftPort(), founded.zone());
    assertThat(formed.formerAddress(moved)).contains(founded.host() + ":" + founded.raftPort());
    Formation.Member stranger = Formation.member(card("d", "d-1", List.of()));
    assertThat(formed.formerAddress(stranger)).isEmpty();
  }

  @Test
  void aSpoolIsSpreadOverOtherZonesFirst() {
    List<Formation.Member> members =
        List.of(
            new Formation.Member("a", "a-1", "h", 1, "z1"),
            new Formation.Member("b", "b-1", "h", 2, "z1"),
            new Formation.Member("c", "c-1", "h", 3, "z2"),
            new Formation.Member("d", "d-1", "h", 4, "z3"));
    Placement placement = new Placement(new Formation(members), 3);
    assertThat(placement.spoolMembers(members.getFirst()))
        .extracting(Formation.Member::zone)
        .containsExactlyInAnyOrder("z1", "z2", "z3");
    assertThat(placement.metaMembers()).hasSize(3);
  }
}
