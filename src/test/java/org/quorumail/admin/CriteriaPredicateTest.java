package org.quorumail.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.api.QueueCriteria;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

class CriteriaPredicateTest {
  private static final SpooledMessage MESSAGE =
      message(
          recipient("Ann@one.test", RecipientStatus.PENDING, 3, "452 4.2.2 Mailbox FULL"),
          recipient("bob@two.test", RecipientStatus.FAILED, 1, "550 5.1.1 no such user"),
          recipient("eve@one.test", RecipientStatus.PENDING, 0, "held: quarantine"));

  @Test
  void eachCriterionSelects() {
    assertThat(fits("", 0, 0, "", "")).isTrue();
    assertThat(fits("ann@", 0, 0, "", "")).isTrue();
    assertThat(fits("one", 0, 0, "", "")).isFalse();
    assertThat(fits("", 100, 0, "", "")).isTrue();
    assertThat(fits("", 101, 0, "", "")).isFalse();
    assertThat(fits("", 0, 3, "", "")).isTrue();
    assertThat(fits("", 0, 4, "", "")).isFalse();
    assertThat(fits("", 0, 0, "box full", "")).isTrue();
    assertThat(fits("", 0, 0, "", "mailbox-full")).isTrue();
    assertThat(fits("", 0, 0, "", "network")).isFalse();
  }

  @Test
  void errorAndClassAreThoseOfOneRecipientThatWaits() {
    assertThat(fits("", 0, 0, "no such user", "")).as("a recipient that failed").isFalse();
    assertThat(fits("", 0, 0, "quarantine", "")).as("no attempt, no failure").isFalse();
    assertThat(fits("", 0, 0, "full", "bad-mailbox")).isFalse();
    assertThat(fits("eve@", 0, 0, "full", "")).as("the reply about another one").isFalse();
    assertThat(fits("ann@", 0, 0, "full", "mailbox-full")).isTrue();
  }

  @Test
  void theStatusFailedIsThatOfARecipient() {
    QueueCriteria failed = new QueueCriteria("failed", "", "", "", 0, 0, 0, "", "");
    assertThat(predicate(failed).test(MESSAGE)).isTrue();
    assertThat(
            predicate(failed)
                .test(message(recipient("a@b.test", RecipientStatus.PENDING, 1, "451 later"))))
        .isFalse();
  }

  private static boolean fits(
      String recipient, long size, int attempts, String error, String failureClass) {
    QueueCriteria filter =
        new QueueCriteria("", "", recipient, "", 0, size, attempts, error, failureClass);
    return predicate(filter).test(MESSAGE);
  }

  private static CriteriaPredicate predicate(QueueCriteria filter) {
    return new CriteriaPredicate(filter, FailureClassifier.builtIn());
  }

  private static SpooledMessage message(RecipientState... recipients) {
    return new SpooledMessage(
        QueueId.generate(Instant.EPOCH),
        ReversePath.of("me@here.test"),
        BodyType.SEVEN_BIT,
        0,
        100,
        false,
        false,
        List.of(recipients));
  }

  private static RecipientState recipient(
      String address, RecipientStatus status, int attempts, String diagnostic) {
    return new RecipientState(MailAddress.of(address), status, attempts, 0, diagnostic);
  }
}
