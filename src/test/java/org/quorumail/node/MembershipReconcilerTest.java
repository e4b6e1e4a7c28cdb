package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.quorumail.node.TestMembers.LONG;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.NodeRemoval;
import org.quorumail.cluster.Placement;

/** Real groups of several nodes in this process, changed by their reconcilers. */
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock("transfer of snapshots")
class MembershipReconcilerTest {
  @TempDir private Path root;

  @Test
  void replicasSpreadToNodesThatJoinAndNoGroupIsEverSmaller() throws Exception {
    try (TestMembers members = new TestMembers(root, 3, 60)) {
      members.start("n1", "n2", "n3");
      for (int i = 0; i < 5; i++) for (String id : List.of("n1", "n2", "n3")) members.accept(id);
      members.start("n4");
      members.start("n5");
      for (String id : List.of("n4", "n5")) members.accept(id);
      await()
          .atMost(LONG)
          .until(
              members::replicas,
              replicas -> {
                for (TestMembers.TestMember n : members.nodes()) {
                  for (String group : n.groups().names()) {
                    boolean leads = n.groups().ledMembers(group).isPresent();
                    if (leads && !group.equals(Placement.META_GROUP))
                      assertThat(n.groups().replicas(group)).as(group).isGreaterThanOrEqualTo(3);
                  }
                }
                return replicas.values().stream().allMatch(count -> count == 3);
              });
      for (String id : List.of("n1", "n2", "n3", "n4", "n5")) {
        String group = Placement.spoolGroup(id);
        await().atMost(LONG).until(() -> members.leader(group).groups().replicas(group) == 3);
        await().atMost(LONG).until(() -> stores(members.directory(id)), count -> count == 3);
        Path moved = members.directory(id).resolve("moved.json");
        await().atMost(LONG).until(() -> !Files.exists(moved));
      }
      assertThat(members.messages()).as("none is lost").isGreaterThanOrEqualTo(17);
      for (String id : List.of("n1", "n2", "n3", "n4", "n5")) members.accept(id);
      assertThat(members.leader(Placement.META_GROUP).eventTypes())
          .contains(SpoolMoveEvents.STARTED);
      assertThat(members.fatal).isEmpty();
    }
  }

  @Test
  void nodesThatComeBackAtOtherAddressesAreFollowedAlsoWhenAllHaveMoved() throws Exception {
    try (TestMembers members = new TestMembers(root, 3, 1)) {
      members.start("n1", "n2", "n3");
      members.accept("n2");
      members.stop("n2");
      members.move("n2");
      members.start("n2");
      awaitAddresses(members);
      members.accept("n2");

      for (String id : List.of("n1", "n2", "n3")) members.stop(id);
      for (String id : List.of("n1", "n2", "n3")) members.move(id);
      members.start("n1", "n2", "n3");
      awaitAddresses(members);
      for (String id : List.of("n1", "n2", "n3")) members.accept(id);
      assertThat(members.messages()).as("none is lost").isGreaterThanOrEqualTo(5);
      assertThat(members.fatal).isEmpty();
    }
  }

  @Test
  void theVotersOfMetaShrinkWithTheClusterAndAListenerReplacesALostOne() throws Exception {
    try (TestMembers members = new TestMembers(root, 3, 1)) {
      members.start("n1", "n2", "n3");
      members.start("n4");
      await().atMost(LONG).until(() -> meta(members), voters -> voters.size() == 3);
      members.stop("n2");
      remove(members, "n2");
      await()
          .atMost(LONG)
          .until(() -> meta(members), voters -> voters.equals(List.of("n1", "n3", "n4")));
      members.accept("n4");
      assertThat(members.fatal).isEmpty();
    }
  }

  private static void remove(TestMembers members, String id) {
    await()
        .atMost(LONG)
        .until(
            () -> {
              TestMembers.TestMember leader = members.leader(Placement.META_GROUP);
              NodeRemoval removal =
                  new NodeRemoval(
                      leader.groups().map(),
                      leader.groups().metaVoters(),
                      leader.member.metadata(),
                      leader.member.membership().members());
              return removal.problem(id).isEmpty()
                  && leader.groups().propose(removal.next(id)).isEmpty();
            });
  }

  /** The nodes that vote in the meta group. */
  private static List<String> meta(TestMembers members) {
    return members.leader(Placement.META_GROUP).groups().metaVoters().stream()
        .map(peer -> peer.substring(0, peer.lastIndexOf('-')))
        .sorted()
        .toList();
  }

  @Test
  void aChangeWithoutQuorumIsRefusedAndChangesNothing() throws Exception {
    try (TestMembers members = new TestMembers(root, 3, 1)) {
      members.start("n1", "n2", "n3");
      TestMembers.TestMember first = members.node("n1");
      ClusterMap before = first.groups().map();
      members.stop("n2");
      members.stop("n3");
      NodeRemoval removal =
          new NodeRemoval(
              before,
              first.groups().metaVoters(),
              first.member.metadata(),
              first.member.membership().members());
      assertThat(removal.problem("n3")).get().asString().contains("majority", "start n2 first");
      assertThat(first.groups().propose(removal.next("n3")))
          .get()
          .asString()
          .contains("no majority", "`cluster nodes`")
          .doesNotContain("\n");
      assertThat(first.groups().map()).isEqualTo(before);
      assertThat(first.member.map()).contains(before);
    }
  }

  private static long stores(Path directory) throws IOException {
    try (Stream<Path> folders = Files.list(directory.resolve("spool"))) {
      return folders.filter(f -> f.getFileName().toString().startsWith("spool-")).count();
    }
  }

  /** Waits until the map of each node has all present ports. */
  private static void awaitAddresses(TestMembers members) {
    for (TestMembers.TestMember node : members.nodes())
      await()
          .alias(node.id)
          .atMost(LONG)
          .until(
              () ->
                  node.groups().map().members().stream()
                      .allMatch(m -> m.raftPort() == members.port(m.nodeId())));
  }
}
