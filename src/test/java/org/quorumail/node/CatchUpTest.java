package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class CatchUpTest {
  private final Set<String> behind = new TreeSet<>(Set.of("meta", "spool-a"));
  private final Set<String> led = new TreeSet<>();
  private long now;
  private final CatchUp catchUp = new CatchUp(() -> List.copyOf(behind), led::contains, () -> now);

  @Test
  void itIsDoneWhenNoGroupIsBehindAndStaysSo() {
    led.addAll(behind);
    pass(CatchUp.LIMIT.minusSeconds(1));
    assertThat(catchUp.isDone()).as("it lacks entries of a leader").isFalse();
    behind.clear();
    assertThat(catchUp.isDone()).isTrue();
    behind.add("meta");
    assertThat(catchUp.isDone()).isTrue();
    assertThat(catchUp.abandoned()).isEmpty();
  }

  @Test
  void aReplicaThatDoesNotCatchUpIsWaitedForNoLongerThanTheLimitAndIsNamed() {
    led.addAll(behind);
    behind.remove("meta");
    pass(CatchUp.LIMIT);
    assertThat(catchUp.isDone()).isTrue();
    behind.add("meta");
    assertThat(catchUp.abandoned()).containsExactly("spool-a");
    behind.clear();
    assertThat(catchUp.abandoned()).isEmpty();
  }

  @Test
  void aGroupWithoutALeaderIsNotWaitedForForLong() {
    assertThat(catchUp.isDone()).isFalse();
    pass(Duration.ofSeconds(9));
    assertThat(catchUp.isDone()).isFalse();
    pass(Duration.ofSeconds(2));
    assertThat(catchUp.isDone()).isTrue();
  }

  @Test
  void aLeaderThatComesAndGoesIsWaitedFor() {
    behind.remove("meta");
    for (int i = 0; i < 20; i++) {
      assertThat(catchUp.isDone()).isFalse();
      pass(Duration.ofSeconds(2));
      led.add("spool-a");
      assertThat(catchUp.isDone()).isFalse();
      pass(Duration.ofSeconds(2));
      led.clear();
    }
    behind.clear();
    assertThat(catchUp.isDone()).isTrue();
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }
}
