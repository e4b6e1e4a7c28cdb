package org.quorumail.mail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MailValuesTest {
  private static final EnhancedStatus BUSY = new EnhancedStatus(4, 3, 2);

  @Test
  void aQueueIdSurvivesItsTextForm() {
    SplittableRandom random = new SplittableRandom(20261121);
    for (int i = 0; i < 10_000; i++) {
      QueueId id = new QueueId(random.nextLong(), random.nextLong());
      assertThat(QueueId.parse(id.toString())).contains(id);
      assertThat(QueueId.parse(id.toString().toLowerCase(Locale.ROOT))).contains(id);
    }
  }

  @Test
  void queueIdsSortByArrivalAsValuesAndAsText() {
    QueueId earlier = QueueId.generate(Instant.ofEpochMilli(1_000));
    QueueId later = QueueId.generate(Instant.ofEpochMilli(1_001));
    assertThat(earlier).isLessThan(later);
    assertThat(earlier.toString()).isLessThan(later.toString());
    assertThat(later.arrived()).isEqualTo(Instant.ofEpochMilli(1_001));
  }

  @Test
  void otherTextsAreNoQueueIds() {
    String valid = QueueId.generate(Instant.EPOCH).toString();
    for (String text :
        new String[] {"", valid.substring(1), valid + "0", "8" + valid.substring(1)}) {
      assertThat(QueueId.parse(text)).as(text).isEmpty();
    }
    assertThat(QueueId.parse("U" + valid.substring(1))).as("U is no digit").isEmpty();
  }

  @Test
  void anEnhancedStatusIsReadAtTheStartOfATextOnly() {
    assertThat(EnhancedStatus.leading("5.1.1 no such user")).contains(new EnhancedStatus(5, 1, 1));
    assertThat(EnhancedStatus.leading("4.3.2")).contains(BUSY);
    for (String text : new String[] {"3.1.1 x", "5.1 x", " 5.1.1", "5.1.1x", "5.1.1000", ""}) {
      assertThat(EnhancedStatus.leading(text)).as(text).isEqualTo(Optional.empty());
    }
    assertThatThrownBy(() -> new EnhancedStatus(3, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDomainHasNoCaseAndALocalPartHas() {
    assertThat(MailAddress.of("Local@Example.ORG")).hasToString("Local@example.org");
    assertThat(MailAddress.of("\"a@b\"@example.org").localPart()).isEqualTo("\"a@b\"");
    assertThat(MailAddress.of("postmaster").domain()).isEmpty();
    assertThat(MailAddress.of("j\u00fcrgen@a.test").ascii()).isFalse();
    assertThat(MailAddress.of("j\u00fc\n@a.test").printable()).isEqualTo("j\\u00fc\\u000a@a.test");
  }

  /** The time of an outcome that the schedule has not seen must never reach the spool. */
  @Test
  void anUnscheduledOutcomeHasNoTimeThatCouldBeStored() {
    Outcome.Deferred deferred = new Outcome.Deferred(BUSY, "421 busy", "mx[192.0.2.1]:25");
    assertThatThrownBy(() -> deferred.until().toEpochMilli())
        .isInstanceOf(ArithmeticException.class);
  }
}
