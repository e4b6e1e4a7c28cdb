package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FormationVoteTest {
  private static final int EXPECTED = 3;

  /** A node with what it has heard of the others. */
  private static final class Founder {
    private final String id;
    private final FormationVote agreement = new FormationVote();
    private final Map<String, MemberMetadata> heard = new LinkedHashMap<>();
    private List<Formation.Member> formed = List.of();
    private boolean failed;

    Founder(String id) {
      this.id = id;
    }

    MemberMetadata card() {
      MemberMetadata plain = FormationTest.card(id, id + "-1", formed);
      return TestMetadata.like(plain).expect(EXPECTED).proposal(agreement.proposal()).build();
    }

    void look() {
      if (failed || !formed.isEmpty()) return;
      try {
        Optional<Formation> reached = agreement.tally(card(), List.copyOf(heard.values()));
        reached.ifPresent(formation -> formed = formation.members());
      } catch (ClusterStartException e) {
        failed = true; // it stops with a sentence
      }
    }
  }

  @Test
  void inWhateverOrderTheExpectedNodesMeetTheyFoundOneCluster() {
    for (int seed = 0; seed < 500; seed++) {
      List<Founder> nodes = nodes("a", "b", "c");
      run(nodes, new Random(seed));
      Set<List<Formation.Member>> formations = new HashSet<>();
      nodes.forEach(n -> formations.add(n.formed));
      assertThat(formations).as("seed %d", seed).hasSize(1);
      assertThat(nodes.getFirst().formed).hasSize(3);
    }
  }

  @Test
  void withANodeTooManyNoTwoClustersAreEverFounded() {
    boolean someWereFounded = false;
    for (int seed = 0; seed < 2_000; seed++) {
      List<Founder> nodes = nodes("a", "b", "c", "d");
      run(nodes, new Random(seed));
      Set<List<Formation.Member>> formations = new HashSet<>();
      for (Founder n : nodes) {
        if (!n.formed.isEmpty()) formations.add(n.formed);
      }
      assertThat(formations.size()).as("seed %d", seed).isLessThanOrEqualTo(1);
      someWereFounded |= !formations.isEmpty();
    }
    assertThat(someWereFounded).isTrue();
  }

  @Test
  void nobodyFoundsAloneWhatTheOthersHaveNotAgreedTo() throws Exception {
    FormationVote a = new FormationVote();
    MemberMetadata b = FormationTest.card("b", "b-1", List.of());
    MemberMetadata c = FormationTest.card("c", "c-1", List.of());
    assertThat(a.tally(FormationTest.card("a", "a-1", List.of()), List.of(b, c))).isEmpty();
    assertThat(a.proposal()).isNotEmpty();
  }

  @Test
  void aGivenWordIsKept() throws Exception {
    FormationVote a = new FormationVote();
    MemberMetadata self = FormationTest.card("a", "a-1", List.of());
    MemberMetadata b = FormationTest.card("b", "b-1", List.of());
    a.tally(self, List.of(b, FormationTest.card("c", "c-1", List.of())));
    String word = a.proposal();
    assertThatThrownBy(() -> a.tally(self, List.of(b, FormationTest.card("d", "d-1", List.of()))))
        .isInstanceOf(ClusterStartException.class)
        .hasMessageContaining("cluster.expect");
    assertThat(a.proposal()).isEqualTo(word);
  }

  @Test
  void aMemberThatLostItsDirectoryBeforeTheStartIsCountedUnderItsNewName() throws Exception {
    FormationVote a = new FormationVote();
    MemberMetadata self = FormationTest.card("a", "a-1", List.of());
    MemberMetadata b = FormationTest.card("b", "b-1", List.of());
    a.tally(self, List.of(b, FormationTest.card("c", "c-1", List.of())));
    String word = a.proposal();
    a.tally(self, List.of(b, FormationTest.card("c", "c-2", List.of())));
    assertThat(a.proposal()).isNotEqualTo(word);
  }

  /** Cards travel one by one, in any order, late ones too. */
  private static void run(List<Founder> nodes, Random random) {
    for (int step = 0; step < 400; step++) {
      Founder from = nodes.get(random.nextInt(nodes.size()));
      Founder to = nodes.get(random.nextInt(nodes.size()));
      if (from == to || from.failed || to.failed) continue;
      to.heard.put(from.id, from.card());
      to.look();
    }
  }

  private static List<Founder> nodes(String... ids) {
    List<Founder> nodes = new ArrayList<>();
    for (String id : ids) nodes.add(new Founder(id));
    Collections.shuffle(nodes, new Random(1));
    return nodes;
  }
}
