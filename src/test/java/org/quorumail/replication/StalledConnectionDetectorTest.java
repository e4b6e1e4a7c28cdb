package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StalledConnectionDetectorTest {
  private static final long SILENCE = StalledConnectionDetector.SILENCE_MAX.toNanos();

  private long now = Duration.ofHours(1).toNanos();
  private final StalledConnectionDetector contacts = new StalledConnectionDetector(() -> now);

  @Test
  void aFollowerThatDoesNotAnswerIsConnectedAgainAtMostOnceInTheSilence() {
    assertThat(contacts.stalled(Map.of("n2", SILENCE - 1))).isEmpty();
    assertThat(contacts.stalled(Map.of("n2", SILENCE, "n3", 1L))).containsExactly("n2");
    now += SILENCE - 1;
    assertThat(contacts.stalled(Map.of("n2", 2 * SILENCE))).isEmpty();
    now += 1;
    assertThat(contacts.stalled(Map.of("n2", 2 * SILENCE))).containsExactly("n2");
  }

  @Test
  void aNodeWhoseRequestsArriveAfterASilenceIsConnectedAgainOnce() {
    StalledConnectionDetector.Contact contact = contacts.of("n2");
    for (int i = 0; i < 5; i++) {
      now += SILENCE - 1;
      contact.received();
    }
    assertThat(contacts.stalled(Map.of())).isEmpty();
    now += SILENCE;
    assertThat(contacts.stalled(Map.of())).as("nothing has arrived").isEmpty();
    contact.received();
    assertThat(contacts.stalled(Map.of())).containsExactly("n2");
    now += SILENCE;
    contact.received();
    now += 1;
    contact.received();
    assertThat(contacts.stalled(Map.of("n2", 1L))).as("it answers").isEmpty();
    now += SILENCE - 1;
    contact.received();
    assertThat(contacts.stalled(Map.of())).isEmpty();
  }
}
