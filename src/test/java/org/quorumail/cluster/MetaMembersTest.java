package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MetaMembersTest {
  private static MetaMembers of(int voters, int... listeners) {
    return new MetaMembers(
        IntStream.rangeClosed(1, voters).mapToObj(MetaMembersTest::peer).toList(),
        IntStream.of(listeners).mapToObj(MetaMembersTest::peer).toList());
  }

  private static String peer(int i) {
    return "n" + i + "-1";
  }

  @Test
  void aNewMemberListensThenVotes() {
    ClusterMap five = founded(5);
    MetaMembers first = of(3).next(five, p -> true, p -> true).orElseThrow();
    assertThat(first).isEqualTo(of(3, 4));
    assertThat(first.next(five, p -> true, p -> false)).contains(of(3, 4, 5));
    assertThat(first.next(five, p -> true, p -> true)).contains(of(4));
  }

  @Test
  void thereAreThreeOrFiveVotersAndTheOthersListen() {
    for (int nodes = 3; nodes <= 8; nodes++) {
      ClusterMap map = founded(nodes);
      MetaMembers now = of(1);
      List<MetaMembers> steps = new ArrayList<>();
      for (Optional<MetaMembers> next; ; now = next.get()) {
        next = now.next(map, p -> true, p -> true);
        if (next.isEmpty()) break;
        steps.add(next.get());
        assertThat(steps).hasSizeLessThan(20);
      }
      assertThat(now.voters()).as(nodes + " nodes").hasSize(nodes < 5 ? 3 : 5);
      assertThat(now.voters().size() + now.listeners().size()).isEqualTo(nodes);
    }
  }

  @Test
  void aNodeThatIsNotReadyIsNotAddedAndALaggingOneDoesNotVote() {
    ClusterMap three = founded(3);
    assertThat(of(2).next(three, p -> false, p -> true)).isEmpty();
    assertThat(of(2, 3).next(three, p -> true, p -> false)).isEmpty();
    assertThat(of(2, 3).next(three, p -> false, p -> true)).isEmpty();
    assertThat(of(2, 3).next(three, p -> true, p -> true)).contains(of(3));
  }
}
