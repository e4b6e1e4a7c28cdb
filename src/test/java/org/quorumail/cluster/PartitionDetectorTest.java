package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Member;
import org.quorumail.cluster.Membership.Presence;

class PartitionDetectorTest {
  private static final Formation FIVE = formation(5);

  private final PartitionDetector watch = new PartitionDetector();

  @Test
  void theLossOfTheMajorityAndItsReturnAreToldOnce() {
    assertThat(look(0, 4)).isEmpty();
    assertThat(look(1_000, 2, Presence.DEAD, Presence.DEAD)).isEmpty(); // three of five are enough
    assertThat(look(2_000, 1, Presence.DEAD, Presence.DEAD, Presence.DEAD))
        .contains(
            new PartitionDetector.Change(
                "PartitionDetected", Map.of("seen", "2", "members", "5", "lost", "n2 n3 n4")));
    assertThat(watch.isPartitioned()).isTrue();
    assertThat(look(3_000, 0, Presence.DEAD, Presence.DEAD, Presence.DEAD, Presence.DEAD))
        .isEmpty();
    assertThat(look(9_500, 2, Presence.DEAD, Presence.DEAD))
        .contains(
            new PartitionDetector.Change(
                "PartitionHealed", Map.of("seen", "3", "members", "5", "seconds", "7")));
    assertThat(look(10_000, 4)).isEmpty();
    assertThat(watch.isPartitioned()).isFalse();
  }

  @Test
  void anEvenSplitIsSeenByBothHalves() {
    Formation four = formation(4);
    assertThat(watch.update(four, "n0", others(3), 0)).isEmpty();
    assertThat(watch.update(four, "n0", others(1, Presence.DEAD, Presence.DEAD), 1)).isPresent();
  }

  @Test
  void aClusterThatIsNotThereYetIsNoPartition() {
    assertThat(look(0, 0)).isEmpty();
    assertThat(look(1, 1, Presence.DEAD, Presence.DEAD, Presence.DEAD)).isEmpty();
  }

  @Test
  void suspicionsAndGoodbyesAreNoPartition() {
    assertThat(look(0, 4)).isEmpty();
    assertThat(look(1, 0, Presence.SUSPECT, Presence.SUSPECT, Presence.SUSPECT)).isEmpty();
    assertThat(look(2, 1, Presence.LEFT, Presence.LEFT, Presence.DEAD)).isEmpty();
  }

  @Test
  void aNodeAloneIsItsOwnMajority() {
    assertThat(watch.update(formation(1), "n0", List.of(), 0)).isEmpty();
  }

  private java.util.Optional<PartitionDetector.Change> look(long now, int alive, Presence... rest) {
    return watch.update(FIVE, "n0", others(alive, rest), now);
  }

  private static List<Member> others(int alive, Presence... rest) {
    List<Member> others = new ArrayList<>();
    for (int i = 1; i <= alive + rest.length; i++) {
      others.add(new Member(card(i), i <= alive ? Presence.ALIVE : rest[i - 1 - alive], 0));
    }
    return others;
  }

  private static Formation formation(int nodes) {
    List<Formation.Member> members = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      members.add(new Formation.Member("n" + i, "n" + i + "-1", "127.0.0.1", 7947, "z"));
    }
    return new Formation(members);
  }

  private static MemberMetadata card(int i) {
    return TestMetadata.node("n" + i, "n" + i + "-1").expect(5).build();
  }
}
