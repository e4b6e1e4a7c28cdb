package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FormationTest {
  private final NodeCard a = card("a", "a-1", List.of());
  private final NodeCard b = card("b", "b-1", List.of());
  private final NodeCard c = card("c", "c-1", List.of());

  static NodeCard card(String id, String peer, List<Formation.Member> formed) {
    NodeCard.Load load = new NodeCard.Load("test", true, false, 0, 0, 0, 0, 0);
    return new NodeCard(id, peer, "127.0.0.1", 1, 2, "default", "default", 3, "", formed, load);
  }

  @Test
  void everyNodeArrivesAtTheSameFormation() throws Exception {
    assertThat(Formation.of(a, List.of(b, c)))
        .isPresent()
        .isEqualTo(Formation.of(b, List.of(c, a)))
        .isEqualTo(Formation.of(c, List.of(a, b)));
  }

  @Test
  void nothingIsFormedWhileNodesAreMissing() throws Exception {
    assertThat(Formation.of(a, List.of(b))).isEmpty();
  }

  @Test
  void aFormationOfOthersThatCountsUsInIsAdopted() throws Exception {
    Formation formed = Formation.of(a, List.of(b, c)).orElseThrow();
    NodeCard formedB = card("b", "b-1", formed.members());
    assertThat(Formation.of(a, List.of(formedB))).contains(formed);
  }

  @Test
  void aWipedDirectoryIsNotTakenBackUnderItsOldName() throws Exception {
    Formation formed = Formation.of(a, List.of(b, c)).orElseThrow();
    NodeCard wiped = card("a", "a-2", List.of());
    assertThatThrownBy(() -> Formation.of(wiped, List.of(card("b", "b-1", formed.members()))))
        .isInstanceOf(ClusterFault.class)
        .hasMessageContaining("node.data_directory");
  }

  @Test
  void aStrangerToTheFormationIsToldSo() throws Exception {
    Formation formed = Formation.of(a, List.of(b, c)).orElseThrow();
    NodeCard stranger = card("d", "d-1", List.of());
    assertThatThrownBy(() -> Formation.of(stranger, List.of(card("b", "b-1", formed.members()))))
        .isInstanceOf(ClusterFault.class)
        .hasMessageContaining("cluster.seeds");
  }

  @Test
  void twoNodesOfOneNameAreRefused() {
    assertThatThrownBy(() -> Formation.of(a, List.of(card("a", "a-9", List.of()), b)))
        .isInstanceOf(ClusterFault.class)
        .hasMessageContaining("node.id");
  }

  @Test
  void moreNodesThanExpectedAreRefused() {
    assertThatThrownBy(() -> Formation.of(a, List.of(b, c, card("d", "d-1", List.of()))))
        .isInstanceOf(ClusterFault.class)
        .hasMessageContaining("cluster.expect");
  }

  @Test
  void aStoredFormationIsReadBack(@TempDir Path directory) throws Exception {
    Formation formed = Formation.of(a, List.of(b, c)).orElseThrow();
    Path file = directory.resolve("cluster.json");
    formed.store(file);
    assertThat(Formation.read(file)).contains(formed);
    Files.writeString(file, "{\"members\": [");
    assertThatThrownBy(() -> Formation.read(file)).isInstanceOf(ClusterFault.class);
  }

  @Test
  void aMemberThatHasMovedKnowsWhereTheOthersLookForIt() throws Exception {
    Formation formed = Formation.of(a, List.of(b, c)).orElseThrow();
    Formation.Member founded = Formation.member(a);
    assertThat(formed.foundedElsewhere(founded)).isEmpty();
    Formation.Member moved =
        new Formation.Member(
            founded.nodeId(), founded.peerId(), "192.0.2.9", founded.raftPort(), founded.zone());
    assertThat(formed.foundedElsewhere(moved)).contains(founded.host() + ":" + founded.raftPort());
    Formation.Member stranger = Formation.member(card("d", "d-1", List.of()));
    assertThat(formed.foundedElsewhere(stranger)).isEmpty();
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
