package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.LostNodeReplacement.Lost;
import org.quorumail.cluster.Membership.Presence;

class LostNodeReplacementTest {
  private final ClusterMap four = founded(3).withMember(member(4), 3, m -> true);
  private final AtomicLong now = new AtomicLong(17);
  private final LostNodeReplacement decision =
      new LostNodeReplacement(Duration.ofMinutes(30), now::get);

  private Optional<Lost> decide(LostNodeReplacement by, ClusterMap map, Presence... others) {
    List<Membership.Member> seen = new ArrayList<>();
    for (int i = 0; i < others.length; i++)
      seen.add(new Membership.Member(metadata(i + 2, null, map), others[i], 0));
    return by.decide(map, List.of("n1-1", "n2-1", "n3-1"), metadata(1, null, map), seen);
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  @Test
  void aNodeThatIsAwayForLongGivesItsPlacesToASpare() {
    assertThat(decide(decision, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE)).isEmpty();
    pass(Duration.ofMinutes(29));
    assertThat(decide(decision, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE)).isEmpty();
    pass(Duration.ofMinutes(1));
    Lost lost = decide(decision, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE).orElseThrow();
    assertThat(lost.nodeId()).isEqualTo("n3");
    assertThat(lost.away()).isEqualTo(Duration.ofMinutes(30));
    assertThat(lost.next().members()).containsExactly(member(1), member(2), member(4));
  }

  @Test
  void aNodeThatComesAndGoesIsNeverRemoved() {
    for (int i = 0; i < 10; i++) {
      assertThat(decide(decision, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE)).isEmpty();
      pass(Duration.ofMinutes(20));
      assertThat(decide(decision, four, Presence.ALIVE, Presence.ALIVE, Presence.ALIVE)).isEmpty();
    }
  }

  @Test
  void aNewLeaderCountsFromItsFirstLook() {
    decide(decision, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE);
    pass(Duration.ofHours(1));
    decision.reset();
    assertThat(decide(decision, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE)).isEmpty();
  }

  @Test
  void withoutASpareOrAMajorityOrTheKeyNothingIsRemoved() {
    ClusterMap three = founded(3);
    LostNodeReplacement off = new LostNodeReplacement(Duration.ZERO, now::get);
    for (int i = 0; i < 2; i++) {
      assertThat(decide(decision, three, Presence.ALIVE, Presence.DEAD)).as("no spare").isEmpty();
      assertThat(decide(off, four, Presence.ALIVE, Presence.DEAD, Presence.ALIVE)).isEmpty();
      pass(Duration.ofHours(1));
    }
    decide(decision, four, Presence.DEAD, Presence.DEAD, Presence.ALIVE);
    pass(Duration.ofHours(1));
    assertThat(decide(decision, four, Presence.DEAD, Presence.DEAD, Presence.ALIVE))
        .as("no majority")
        .isEmpty();
  }
}
