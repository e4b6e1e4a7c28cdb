package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.ClusterStartException;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.FormationVote;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeCredentials;
import org.quorumail.cluster.TestMetadata;

/** A node that does not belong ends with one sentence that says what to do, and changes nothing. */
class ClusterMemberTest {
  private static final String SECRET = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  private static final ClusterMap THREE =
      ClusterMap.founded(
          new Formation(List.of(member("n1"), member("n2"), member("n3"))),
          3,
          ClusterMap.CLUSTER_GROUPS);

  @TempDir private Path root;
  private DataDirectory directory;

  @BeforeEach
  void open() throws Exception {
    directory = DataDirectory.open(root.resolve("data"), Optional.of("n4"));
  }

  @AfterEach
  void close() {
    directory.close();
  }

  private static Formation.Member member(String id) {
    return new Formation.Member(id, id + "-1", "127.0.0.1", 7947, "z");
  }

  @Test
  void anotherSecretOrAnotherNameOfTheClusterIsRefused() {
    String reason = "cluster.secret: [n1] have another secret, or another cluster.name";
    assertRefused(null, List.of(), reason, reason);
  }

  @Test
  void anIdentityThatExistsIsRefused() {
    ClusterMap known =
        ClusterMap.founded(
            new Formation(List.of(member("n1"), member("n4"))), 3, ClusterMap.CLUSTER_GROUPS);
    assertRefused(
        null, List.of(node("n1", known)), "", "node.data_directory: the cluster knows n4");
  }

  @Test
  void nodesOfTwoClustersAreRefused() {
    ClusterMap other =
        ClusterMap.founded(
            new Formation(List.of(member("m1"), member("m2"))), 3, ClusterMap.CLUSTER_GROUPS);
    assertRefused(
        null, List.of(node("n1", THREE), node("m1", other)), "", "belong to different clusters");
  }

  @Test
  void aSecondClusterOfOneBesideARunningOneIsRefused() {
    ClusterMap alone =
        ClusterMap.founded(
            Formation.standalone(
                new Formation.Member("n4", directory.identity().peerId(), "127.0.0.1", 7947, "z")),
            3,
            ClusterMap.CLUSTER_GROUPS);
    assertRefused(alone, List.of(node("n1", THREE)), "", "n1 belongs to another cluster");
  }

  @Test
  void aClusterWithANewerFormatIsRefused() {
    ClusterMap newer =
        new ClusterMap(
            ClusterMap.VERSION + 1,
            THREE.clusterId(),
            THREE.groupNamespace(),
            7,
            THREE.members(),
            THREE.metaFounders(),
            THREE.spools());
    assertRefused(null, List.of(node("n1", newer)), "", "of a newer release");
  }

  @Test
  void aRemovedNodeThatComesBackIsRefused() throws Exception {
    ClusterMap four =
        ClusterMap.founded(
            new Formation(
                List.of(
                    member("n1"),
                    member("n2"),
                    new Formation.Member(
                        "n4", directory.identity().peerId(), "127.0.0.1", 7947, "z"))),
            3,
            ClusterMap.CLUSTER_GROUPS);
    ClusterMap without =
        new ClusterMap(
            2,
            four.clusterId(),
            four.groupNamespace(),
            1,
            List.of(member("n1"), member("n2")),
            four.metaFounders(),
            Map.of());
    try (ClusterMember node = start(four, List.of(node("n1", without)), "")) {
      assertThatThrownBy(() -> node.requireMembership(new CountDownLatch(1)))
          .isInstanceOf(ClusterStartException.class)
          .hasMessageContaining("n4 was removed from the cluster")
          .hasMessageContaining("give it an empty directory")
          .hasMessageNotContaining("\n");
    }
  }

  private void assertRefused(
      @Nullable ClusterMap stored,
      List<MemberMetadata> others,
      String joinFailure,
      String sentence) {
    try (ClusterMember node = start(stored, others, joinFailure)) {
      assertThatThrownBy(() -> node.awaitFormation(new CountDownLatch(1)))
          .isInstanceOf(ClusterStartException.class)
          .hasMessageContaining(sentence)
          .hasMessageNotContaining("\n");
      assertThat(node.metadata().joins()).as("nobody is asked to add it").isNull();
    }
    assertThat(Files.exists(directory.path().resolve("cluster.json"))).isFalse();
  }

  private ClusterMember start(
      @Nullable ClusterMap stored, List<MemberMetadata> others, String joinFailure) {
    Config config =
        Config.standalone(
            directory.path(),
            Map.of(
                "node.id", "n4",
                "cluster.enabled", "true",
                "cluster.expect", "1",
                "cluster.secret", SECRET,
                "cluster.seeds", "127.0.0.1:1",
                "cluster.join_timeout", "1s",
                "cluster.advertise_address", "127.0.0.1"));
    FormationVote vote = new FormationVote();
    LocalMetadata local =
        new LocalMetadata(
            directory.identity(),
            config.node(),
            config.cluster(),
            vote,
            () -> new MemberMetadata.NodeLoad("test", false, false, 0, 0, 0, 0, 0, null),
            stored);
    NodeCertificate own =
        NodeCertificate.derive(config.cluster().secret().orElseThrow(), "n4", Set.of("127.0.0.1"));
    return new ClusterMember(
        config.cluster(),
        directory,
        local,
        vote,
        new ClusterEventLog(),
        Optional.of(new NodeCredentials(own, List.of())),
        new SeenMembers(others, joinFailure));
  }

  private static MemberMetadata node(String id, ClusterMap map) {
    return TestMetadata.node(id, id + "-1")
        .at("127.0.0.1", 7946, 7947)
        .zone("default", "z")
        .formed(map.members())
        .map(map)
        .build();
  }

  /** The other nodes, which do not change. */
  private record SeenMembers(List<MemberMetadata> nodes, String failure) implements Membership {
    @Override
    public List<Member> members() {
      return nodes.stream().map(n -> new Member(n, Presence.ALIVE, 0)).toList();
    }

    @Override
    public Optional<String> joinFailure() {
      return Optional.of(failure).filter(text -> !text.isEmpty());
    }

    @Override
    public void close() {}
  }
}
