package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.ClusterMap.SpoolReplicas;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.node.DissolvedSpools.DissolvedSpool;

class DissolvedSpoolsTest {
  private static final Member FIRST = member(1);
  private static final Member SECOND = member(2);

  @TempDir Path directory;

  private static Member member(int i) {
    return new Member("n" + i, "n" + i + "-1", "127.0.0.1", 7947, "z");
  }

  /** Of three members, one was removed; its spool is on the first alone. */
  private static ClusterMap map() {
    ClusterMap three =
        ClusterMap.founded(
            new Formation(
                IntStream.rangeClosed(1, 3).mapToObj(DissolvedSpoolsTest::member).toList()),
            3,
            ClusterMap.CLUSTER_GROUPS);
    Map<String, SpoolReplicas> spools = new TreeMap<>(three.spools());
    spools.put("n3", new SpoolReplicas(List.of("n3-1"), List.of("n1-1"), null));
    return new ClusterMap(
        2,
        three.clusterId(),
        "cluster",
        5,
        List.of(FIRST, SECOND),
        List.of("n1-1"),
        spools(spools));
  }

  private static Map<String, SpoolReplicas> spools(Map<String, SpoolReplicas> all) {
    Map<String, SpoolReplicas> two = new TreeMap<>();
    all.forEach(
        (home, replicas) ->
            two.put(
                home,
                new SpoolReplicas(
                    replicas.founders(),
                    replicas.members().stream().filter(p -> !p.equals("n3-1")).toList(),
                    replicas.foundedIn())));
    return two;
  }

  @Test
  void theReplicasOfADissolvedSpoolAreDeletedAndNoOther() {
    ClusterMap next = map().withoutSpool("n3");
    assertThat(DissolvedSpools.between(map(), next, FIRST))
        .containsExactly(new DissolvedSpool("spool-n3", "spool-n3", 6));
    assertThat(DissolvedSpools.between(map(), next, SECOND)).as("has no replica").isEmpty();
    assertThat(DissolvedSpools.between(map(), map(), FIRST)).isEmpty();
    Map<String, SpoolReplicas> spools = new TreeMap<>(next.spools());
    spools.put("n3", new SpoolReplicas(List.of("n3-2"), List.of("n3-2", "n1-1"), 7L));
    List<Member> members = List.of(FIRST, SECOND, new Member("n3", "n3-2", "h", 1, "z"));
    ClusterMap again =
        new ClusterMap(3, next.clusterId(), "cluster", 7, members, List.of("n1-1"), spools);
    assertThat(DissolvedSpools.between(map(), again, FIRST))
        .as("the new spool of the same home is another one")
        .containsExactly(new DissolvedSpool("spool-n3", "spool-n3", 7));
  }

  @Test
  void aCrashBeforeTheMapIsStoredForgetsAndOneAfterItRemembers() throws Exception {
    ClusterMap next = map().withoutSpool("n3");
    List<DissolvedSpool> spools = DissolvedSpools.between(map(), next, FIRST);
    DissolvedSpools.open(directory, map()).add(spools);
    assertThat(DissolvedSpools.open(directory, map()).pending()).isEmpty();

    DissolvedSpools restarted = DissolvedSpools.open(directory, next);
    assertThat(restarted.pending()).isEqualTo(spools);
    restarted.add(spools);
    assertThat(restarted.pending()).hasSize(1);
    restarted.remove(spools.getFirst());
    assertThat(DissolvedSpools.open(directory, next).pending()).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aDamagedFileDeletesNothing() throws Exception {
    for (String damaged : List.of("{", "{\"version\":2,\"spools\":[]}")) {
      Files.writeString(directory.resolve("dissolved.json"), damaged);
      assertThatThrownBy(() -> DissolvedSpools.open(directory, map()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("dissolved.json");
    }
  }
}
