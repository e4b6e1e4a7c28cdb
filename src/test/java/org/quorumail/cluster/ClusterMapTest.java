package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.cluster.FormationTest.card;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.ClusterMap.SpoolReplicas;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.cluster.Membership.Presence;

class ClusterMapTest {
  private static final ClusterMap THREE = founded(3);

  @TempDir Path directory;

  static ClusterMap founded(int nodes) {
    return ClusterMap.founded(
        new Formation(IntStream.rangeClosed(1, nodes).mapToObj(ClusterMapTest::member).toList()),
        3,
        ClusterMap.CLUSTER_GROUPS);
  }

  static Member member(int i) {
    return new Member("n" + i, "n" + i + "-1", "127.0.0.1", 7947, "z");
  }

  static MemberMetadata metadata(int i, @Nullable String joins, @Nullable ClusterMap map) {
    return TestMetadata.node("n" + i, "n" + i + "-1")
        .zone("default", "z")
        .formed(map == null ? List.of() : map.members())
        .joins(joins)
        .map(map)
        .build();
  }

  @Test
  void theFileOfAnOlderReleaseGivesTheSpoolsThatItsNodesHaveOpened() throws Exception {
    Path file = directory.resolve("cluster.json");
    Files.writeString(
        file,
        """
        {"members":[{"nodeId":"n1","peerId":"n1-1","host":"127.0.0.1","raftPort":7947,"zone":"z"},
        {"nodeId":"n2","peerId":"n2-1","host":"127.0.0.1","raftPort":7947,"zone":"z"},
        {"nodeId":"n3","peerId":"n3-1","host":"127.0.0.1","raftPort":7947,"zone":"z"}]}
        """);
    ClusterMap read = ClusterMap.read(file, 3, "cluster").orElseThrow();
    assertThat(read).isEqualTo(THREE);
    assertThat(read.revision()).isZero();
    assertThat(read.spoolMembers("n2")).hasSize(3).startsWith(member(2));
    assertThat(read.metaFounders(member(1))).containsExactly(member(1), member(2), member(3));
    assertThat(read.spoolFounders("n2", member(1))).hasSize(3);
  }

  @Test
  void aNodeThatWasAloneKeepsItsGroupsWhenItGetsAnAddress() throws Exception {
    Path file = directory.resolve("cluster.json");
    Files.writeString(
        file,
        """
        {"members":[{"nodeId":"n1","peerId":"n1-1","host":"127.0.0.1","raftPort":7947,"zone":"z"}]}
        """);
    ClusterMap alone = ClusterMap.read(file, 3, "alone").orElseThrow();
    assertThat(alone.groupNamespace()).isEqualTo("alone");
    assertThat(alone.withAddress(member(1))).isEmpty();
    Member moved = new Member("n1", "n1-1", "192.0.2.1", 7947, "z");
    ClusterMap first = alone.withAddress(moved).orElseThrow();
    assertThat(first.members()).containsExactly(moved);
    assertThat(first.clusterId()).isEqualTo(alone.clusterId());
    assertThat(first.metaFounders(moved)).containsExactly(moved);
    first.store(file);
    assertThat(ClusterMap.read(file, 3, "cluster")).contains(first);

    ClusterMap two = first.withMember(member(2), 3, m -> true);
    assertThat(two.groupNamespace()).isEqualTo("alone");
    assertThat(two.spoolMembers("n1")).containsExactly(moved, member(2));
    assertThat(two.withAddress(member(1))).isEmpty();
    assertThat(THREE.withAddress(moved)).isEmpty();
  }

  @Test
  void aStoredMapIsReadBackWhateverThePlacementWouldBeNow() throws Exception {
    Path file = directory.resolve("cluster.json");
    ClusterMap grown = THREE.withMember(member(4), 3, m -> true);
    grown.store(file);
    assertThat(ClusterMap.read(file, 2, "other")).contains(grown);
    String text = Files.readString(file);
    for (String damaged :
        List.of("{\"members\": [", "{}", "null", text.replace("\"version\":2", "\"version\":4"))) {
      Files.writeString(file, damaged);
      assertThatThrownBy(() -> ClusterMap.read(file, 3, "cluster"))
          .as(damaged)
          .isInstanceOf(ClusterStartException.class)
          .hasMessageContaining("cannot be read");
    }
  }

  @Test
  void aNewMembersSpoolIsOnReadyNodesAndNoOtherSpoolMoves() {
    ClusterMap five = founded(5);
    ClusterMap grown = five.withMember(member(6), 3, m -> List.of("n2", "n4").contains(m.nodeId()));
    assertThat(grown.revision()).isEqualTo(1);
    assertThat(grown.clusterId()).isEqualTo(five.clusterId());
    assertThat(grown.spoolMembers("n6"))
        .containsExactlyInAnyOrder(member(6), member(2), member(4))
        .startsWith(member(6));
    five.spools().forEach((home, peers) -> assertThat(grown.spools()).containsEntry(home, peers));
    assertThat(grown.metaFounders()).isEqualTo(five.metaFounders());
  }

  @Test
  void withTooFewReadyNodesTheSpoolIsStillOnAsManyNodesAsItShall() {
    ClusterMap grown = THREE.withMember(member(4), 3, m -> false);
    assertThat(grown.spoolMembers("n4")).hasSize(3);
  }

  @Test
  void aNewMemberGetsTheSpoolsThatHaveTooFewReplicas() {
    ClusterMap two = founded(2);
    assertThat(two.spoolMembers("n1")).hasSize(2);
    ClusterMap three = two.withMember(member(3), 3, m -> true);
    for (String home : List.of("n1", "n2", "n3")) {
      assertThat(three.spoolMembers(home)).as(home).hasSize(3);
    }
    assertThat(three.spoolFounders("n1", member(1))).containsExactly(member(1), member(2));
    assertThat(three.spoolFounders("n1", member(3))).as("joins the group").isEmpty();
    assertThat(three.spoolFounders("n3", member(3))).hasSize(3);
    assertThat(three.metaFounders(member(3))).isEmpty();
  }

  @Test
  void theReplicasOfALostNodeAreReplacedAndItsOwnSpoolStays() {
    ClusterMap four = THREE.withMember(member(4), 3, m -> true);
    ClusterMap without = four.withoutMember(member(2), m -> true);
    assertThat(without.revision()).isEqualTo(four.revision() + 1);
    assertThat(without.members()).containsExactly(member(1), member(3), member(4));
    assertThat(without.problem()).isEmpty();
    for (String home : List.of("n1", "n2", "n3", "n4")) {
      assertThat(without.spoolMembers(home))
          .as(home)
          .containsExactlyInAnyOrder(member(1), member(3), member(4));
    }
    assertThat(without.spoolFounders("n2", member(1))).as("founded with another").isEmpty();
    assertThat(without.joinDelay(card("n2", "n2-7", List.of()))).isPresent();

    ClusterMap two = THREE.withoutMember(member(2), m -> true);
    assertThat(two.spoolMembers("n2")).containsExactlyInAnyOrder(member(1), member(3));
    assertThat(two.withMember(member(5), 3, m -> true).spoolMembers("n2")).hasSize(3);
  }

  @Test
  void anIdThatIsUsedAgainGetsASpoolThatIsNotTheDissolvedOne() throws Exception {
    ClusterMap two = THREE.withoutMember(member(2), m -> true);
    assertThat(two.version()).isEqualTo(2);
    MemberMetadata wiped = card("n2", "n2-7", List.of());
    assertThat(two.joinProblem(wiped)).isEmpty();
    assertThat(two.joinDelay(wiped)).get().asString().contains("n2", "still has mail");
    assertThatThrownBy(() -> two.withoutSpool("n1")).isInstanceOf(IllegalArgumentException.class);

    ClusterMap dissolved = two.withoutSpool("n2");
    assertThat(dissolved.problem()).isEmpty();
    assertThat(dissolved.version()).as("older releases stop here").isEqualTo(3);
    assertThat(dissolved.revision()).isEqualTo(two.revision() + 1);
    assertThat(dissolved.spools()).containsOnlyKeys("n1", "n3");
    assertThat(dissolved.joinDelay(wiped)).isEmpty();

    ClusterMap again = dissolved.withMember(Formation.member(wiped), 3, m -> true);
    assertThat(THREE.uniqueSpoolName("n2")).isEqualTo("spool-n2");
    assertThat(again.uniqueSpoolName("n2")).isEqualTo("spool-n2@" + again.revision());
    assertThat(again.uniqueSpoolName("n1")).isEqualTo("spool-n1");
    Path file = directory.resolve("cluster.json");
    again.store(file);
    assertThat(ClusterMap.read(file, 3, "cluster")).contains(again);
  }

  @Test
  void aMemberThatComesBackElsewhereIsTakenForItself() {
    ClusterMap map = THREE.withMember(member(4), 3, m -> true);
    MemberMetadata self = metadata(1, null, map);
    MemberMetadata second = at(metadata(2, null, map), "192.0.2.2");
    Membership.Member there = new Membership.Member(second, Presence.ALIVE, 0);
    ClusterMap next = map.withPresentAddress(at(self, "127.0.0.1"), List.of(there)).orElseThrow();
    assertThat(next.revision()).isEqualTo(map.revision() + 1);
    assertThat(next.find("n2").orElseThrow().host()).isEqualTo("192.0.2.2");
    assertThat(next.find("n2").orElseThrow().zone()).isEqualTo("z");
    assertThat(next.spools()).isEqualTo(map.spools());
    assertThat(next.spoolFounders("n2", member(2))).as("at whatever address").hasSize(3);
    assertThat(map.withPresentAddress(at(self, "192.0.2.1"), List.of())).as("itself").isPresent();

    MemberMetadata stranger = at(card("n2", "n2-9", List.of()), "192.0.2.2");
    MemberMetadata former = at(metadata(2, null, THREE), "192.0.2.2");
    for (Membership.Member refused :
        List.of(
            new Membership.Member(stranger, Presence.ALIVE, 0),
            new Membership.Member(former, Presence.ALIVE, 0),
            new Membership.Member(second, Presence.DEAD, 0)))
      assertThat(map.withPresentAddress(at(self, "127.0.0.1"), List.of(refused))).isEmpty();
  }

  private static MemberMetadata at(MemberMetadata node, String host) {
    return TestMetadata.like(node).at(host, node.port(), 7947).build();
  }

  @Test
  void anEvenNumberOfNodesIsAllowedWithAWarning() {
    assertThat(founded(1).sizeWarning()).isEmpty();
    assertThat(founded(2).sizeWarning()).get().asString().contains("no mail is accepted");
    assertThat(founded(3).sizeWarning()).isEmpty();
    assertThat(founded(4).sizeWarning()).get().asString().contains("no more", "than 3 do");
    assertThat(founded(5).sizeWarning()).isEmpty();
  }

  @Test
  void nodesOfTwoClustersAreNotMixed() throws Exception {
    ClusterMap grown = THREE.withMember(member(4), 3, m -> true);
    assertThat(ClusterMap.newest(List.of(metadata(1, null, THREE), metadata(2, null, grown))))
        .contains(grown);
    assertThat(ClusterMap.newest(List.of(metadata(1, null, null)))).isEmpty();
    assertThatThrownBy(
            () ->
                ClusterMap.newest(List.of(metadata(1, null, THREE), metadata(5, null, founded(5)))))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("different clusters");
  }

  @Test
  void anIdThatTheClusterKnowsIsNotTakenByAnotherDirectory() {
    MemberMetadata wiped = card("n2", "n2-9", List.of());
    assertThat(THREE.joinProblem(wiped)).get().asString().contains("node.data_directory", "n2");
    assertThat(THREE.joinProblem(card("n9", "n9-1", List.of()))).isEmpty();
    ClusterMap full = founded(ClusterMap.MEMBERS_MAX);
    assertThat(full.joinProblem(card("n999", "n999-1", List.of()))).isPresent();
  }

  @Test
  void aMapThatNamesUnknownNodesIsRefused() {
    assertThat(THREE.problem()).isEmpty();
    List<Member> twice = new ArrayList<>(THREE.members());
    twice.add(new Member("n1", "n1-2", "h", 1, "z"));
    assertThat(with(twice, THREE.spools()).problem()).get().asString().contains("n1");
    assertThat(with(THREE.members(), Map.of()).problem()).isPresent();
    Map<String, SpoolReplicas> unknown = new TreeMap<>(THREE.spools());
    unknown.put("n1", new SpoolReplicas(List.of("n1-1"), List.of("n1-1", "x"), null));
    assertThat(with(THREE.members(), unknown).problem()).get().asString().contains("n1");
  }

  private static ClusterMap with(List<Member> members, Map<String, SpoolReplicas> spools) {
    return new ClusterMap(2, "c", "cluster", 1, members, THREE.metaFounders(), spools);
  }
}
