package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClusterEventLogTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  private final ClusterEventLog log = new ClusterEventLog();

  @Test
  void somethingGoesOnFromItsBeginToItsEndWhateverElseBeginsAndEnds() {
    assertThat(goesOn()).isFalse();
    tell("01", "n1", "Begun", "a");
    tell("02", "n2", "Begun", "a");
    tell("03", "n1", "Begun", "b");
    assertThat(goesOn()).isTrue();
    tell("04", "n1", "Done", "a");
    tell("05", "n1", "Done", "b");
    assertThat(goesOn()).as("n2 still moves its a").isTrue();
    tell("06", "n2", "Done", "a");
    assertThat(goesOn()).isFalse();
    tell("07", "n2", "Begun", "a");
    assertThat(goesOn()).as("again").isTrue();
  }

  @Test
  void anEndThatIsHeardBeforeItsBeginEndsIt() {
    tell("02", "n1", "Done", "a");
    tell("01.5", "n1", "Begun", "a");
    assertThat(goesOn()).isFalse();
  }

  @Test
  void aBeginWhoseEndIsNeverToldCountsForAWhile() {
    tell("01", "n1", "Begun", "a");
    assertThat(log.inProgress("Begun", "Done", "what", Duration.ZERO)).isEmpty();
  }

  @Test
  void aTimeThatIsNoneOrdersByArrival() {
    log.add(new ClusterEvent("noon", "n1", "Begun", Map.of("what", "a")));
    assertThat(goesOn()).isTrue();
    log.add(new ClusterEvent("later", "n1", "Done", Map.of("what", "a")));
    assertThat(goesOn()).isFalse();
  }

  private boolean goesOn() {
    return !log.inProgress("Begun", "Done", "what", LONG).isEmpty();
  }

  private void tell(String seconds, String node, String type, String what) {
    String time = "2026-01-01T00:00:" + seconds + "Z";
    log.add(new ClusterEvent(time, node, type, Map.of("what", what)));
  }
}
