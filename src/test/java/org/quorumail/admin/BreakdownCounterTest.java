package org.quorumail.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.quorumail.api.QueueBreakdown;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

class BreakdownCounterTest {
  private static final long NOW = Duration.ofDays(100).toMillis();

  private final List<SpooledMessage> messages =
      List.of(
          message(
              "a@x.test", Duration.ofMinutes(1), pending("1@one.test", 1, "452 4.2.2 <1@q> full")),
          message(
              "a@x.test", Duration.ofHours(1), pending("2@one.test", 2, "452 4.2.2 <2@q> full")),
          message(
              "",
              Duration.ofDays(9),
              pending("3@one.test", 1, "cannot connect to x: refused"),
              pending("4@two.test", 0, ""),
              new RecipientState(
                  MailAddress.of("5@two.test"), RecipientStatus.FAILED, 1, 0, "550 no")));

  @Test
  void whatWaitsIsCountedByEachProperty() {
    assertThat(rows("destination", 9))
        .containsExactly(tuple("one.test", 3L), tuple("two.test", 1L));
    assertThat(rows("sender", 9)).containsExactly(tuple("a@x.test", 2L), tuple("", 1L));
    assertThat(rows("class", 9))
        .containsExactlyInAnyOrder(
            tuple("mailbox-full", 2L), tuple("network", 1L), tuple("not tried yet", 1L));
    assertThat(rows("error", 9)).contains(tuple("452 4.2.2 @ full", 2L));
  }

  @Test
  void agesAndSizesAreThoseOfTheMessages() {
    QueueBreakdown.BreakdownRow row = breakdown("destination", 1).rows().getFirst();
    assertThat(row.byAge()).containsExactly(1L, 0L, 1L, 0L, 0L, 0L, 1L);
    assertThat(row.oldestAgeSeconds()).isEqualTo(Duration.ofDays(9).toSeconds());
    assertThat(row.bytes()).isEqualTo(300);
    assertThat(breakdown("destination", 1).others()).isEqualTo(1);
  }

  @Test
  void thePartsOfAClusterAreAdded() {
    QueueBreakdown one = breakdown("destination", 9);
    QueueBreakdown sum = QueueBreakdown.sum("destination", List.of(one, one), 1, null);
    assertThat(sum.rows().getFirst().waiting()).isEqualTo(6);
    assertThat(sum.rows().getFirst().byAge()).containsExactly(2L, 0L, 2L, 0L, 0L, 0L, 2L);
    assertThat(sum.others()).isEqualTo(2);
  }

  private List<Tuple> rows(String by, int limit) {
    return breakdown(by, limit).rows().stream().map(r -> tuple(r.key(), r.waiting())).toList();
  }

  private QueueBreakdown breakdown(String by, int limit) {
    BreakdownCounter counter = new BreakdownCounter(by, FailureClassifier.builtIn(), NOW);
    messages.forEach(counter);
    return counter.result(true, limit);
  }

  private static SpooledMessage message(String from, Duration age, RecipientState... recipients) {
    return new SpooledMessage(
        QueueId.generate(Instant.EPOCH),
        ReversePath.of(from),
        BodyType.SEVEN_BIT,
        NOW - age.toMillis(),
        100,
        false,
        false,
        List.of(recipients));
  }

  private static RecipientState pending(String address, int attempts, String diagnostic) {
    return new RecipientState(
        MailAddress.of(address), RecipientStatus.PENDING, attempts, 0, diagnostic);
  }
}
