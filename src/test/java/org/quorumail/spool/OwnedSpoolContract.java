package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.OwnedSpool.DsnMessage;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.quorumail.spool.OwnedSpool.InDoubtDeliveries;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * The contract of every {@link OwnedSpool}: the replicated one and the fake of the queue's tests.
 */
public abstract class OwnedSpoolContract {
  protected static final long NOW = 1_700_000_000_000L;
  private static final long LATER = NOW + 60_000;

  protected abstract OwnedSpool spool();

  /** Accepts a message at {@link #NOW}. */
  protected abstract QueueId accept(Envelope envelope, String content) throws IOException;

  protected abstract long inDoubt();

  @Test
  void anAcceptedMessageIsDueInEachOfItsDomains() throws IOException {
    QueueId id = accept("a@one.example", "b@two.example", "c@one.example");

    assertThat(spool().firstDue()).contains(new DueRow("one.example", NOW, id));
    assertThat(spool().firstDueAfter("one.example")).contains(new DueRow("two.example", NOW, id));
    assertThat(spool().firstDueAfter("two.example")).isEmpty();
    assertThat(spool().dueRows("one.example", NOW, 10)).hasSize(1);
    assertThat(spool().dueRows("one.example", NOW - 1, 10)).isEmpty();
    assertThat(spool().dueRows("none.example", NOW, 10)).isEmpty();
  }

  @Test
  void aWalkComesToEachDomainOnceInTheOrderOfTheirBytes() throws IOException {
    accept("a@\uff5e.example", "b@\ud83d\ude00.example", "c@one.example");
    List<String> walked = new ArrayList<>();
    Optional<DueRow> row = spool().firstDue();
    while (row.isPresent() && walked.size() < 5) {
      walked.add(row.get().domain());
      row = spool().firstDueAfter(row.get().domain());
    }
    assertThat(walked).containsExactly("one.example", "\uff5e.example", "\ud83d\ude00.example");
  }

  @Test
  void dueRowsComeInOrderAndAreBounded() throws IOException {
    QueueId first = accept("a@one.example");
    QueueId second = accept("a@one.example");
    record(first, deferred(0, LATER));

    assertThat(spool().dueRows("one.example", LATER, 10))
        .extracting(DueRow::id)
        .containsExactly(second, first);
    assertThat(spool().dueRows("one.example", LATER, 1))
        .extracting(DueRow::id)
        .containsOnly(second);
    assertThat(spool().dueRows("one.example", NOW, 10)).extracting(DueRow::id).containsOnly(second);
  }

  @Test
  void theContentIsReadAsOftenAsItIsWanted() throws IOException {
    QueueId id = accept(envelope("a@one.example"), "Subject: x\r\n\r\n.\r\n");
    assertThat(content(id)).isEqualTo("Subject: x\r\n\r\n.\r\n");
    assertThat(content(id)).isEqualTo("Subject: x\r\n\r\n.\r\n");
    assertThat(spool().message(id).orElseThrow().size()).isEqualTo(17);
  }

  @Test
  void theMessageGoesWithItsLastPendingRecipient() throws IOException {
    QueueId id = accept("a@one.example", "b@two.example");
    record(id, delivered(0));

    assertThat(states(id))
        .extracting(RecipientState::status)
        .containsExactly(RecipientStatus.DELIVERED, RecipientStatus.PENDING);
    assertThat(spool().dueRows("one.example", NOW, 10)).isEmpty();

    record(id, failed(1));

    assertThat(spool().message(id)).isEmpty();
    assertThat(spool().firstDue()).isEmpty();
    assertThatThrownBy(() -> content(id)).isInstanceOf(IOException.class);
  }

  @Test
  void aDeferredRecipientIsDueAgainThen() throws IOException {
    QueueId id = accept("a@one.example");
    record(id, deferred(0, LATER));

    RecipientState state = states(id).getFirst();
    assertThat(state.status()).isEqualTo(RecipientStatus.PENDING);
    assertThat(state.attempts()).isOne();
    assertThat(state.dueMillis()).isEqualTo(LATER);
    assertThat(state.diagnostic()).isEqualTo("450 later");
    assertThat(spool().firstDue()).contains(new DueRow("one.example", LATER, id));
  }

  @Test
  void outcomesThatAreSentAgainChangeNothing() throws IOException {
    QueueId id = accept("a@one.example", "b@two.example");
    record(id, delivered(0), deferred(1, LATER));
    List<RecipientState> before = states(id);

    record(id, failed(0), deferred(1, LATER));

    assertThat(states(id)).isEqualTo(before);
  }

  @Test
  void outcomesForAMessageThatIsGoneAreTakenAndChangeNothing() throws IOException {
    QueueId id = accept("a@one.example");
    record(id, delivered(0));
    record(id, deferred(0, LATER));
    assertThat(spool().message(id)).isEmpty();
    assertThat(spool().firstDue()).isEmpty();
  }

  @Test
  void aFailureReportIsAcceptedWithTheFailureAndOnlyOnce() throws IOException {
    QueueId id = accept("a@one.example", "b@two.example");
    DsnMessage report = dsn(false);
    assertThat(spool().recordOutcomes(id, List.of(failed(0)), report)).isTrue();

    assertThat(content(report.id())).isEqualTo("report");
    assertThat(spool().dueRows("example.com", LATER, 10))
        .extracting(DueRow::id)
        .containsOnly(report.id());
    assertThat(spool().message(id).orElseThrow().delayReported()).isFalse();

    DsnMessage again = dsn(false);
    assertThat(spool().recordOutcomes(id, List.of(failed(0)), again)).isTrue();
    assertThat(spool().message(again.id())).isEmpty();
  }

  @Test
  void aDelayIsReportedOnce() throws IOException {
    QueueId id = accept("a@one.example");
    DsnMessage first = dsn(true);
    spool().recordOutcomes(id, List.of(deferred(0, LATER)), first);
    assertThat(spool().message(id).orElseThrow().delayReported()).isTrue();
    assertThat(spool().message(first.id())).isPresent();

    DsnMessage second = dsn(true);
    spool().recordOutcomes(id, List.of(deferred(0, LATER + 1)), second);
    assertThat(spool().message(second.id())).isEmpty();
  }

  @Test
  void deliveriesAreInDoubtUntilTheyAreClosedOnce() throws IOException {
    accept("a@one.example");
    assertThat(spool().mayDeliver()).isTrue();
    InDoubtDeliveries two = spool().enterDoubt(2).orElseThrow();
    InDoubtDeliveries three = spool().enterDoubt(3).orElseThrow();
    assertThat(inDoubt()).isEqualTo(5);
    two.close();
    two.close();
    assertThat(inDoubt()).isEqualTo(3);
    three.close();
    assertThat(inDoubt()).isZero();
  }

  private QueueId accept(String... recipients) throws IOException {
    return accept(envelope(recipients), "x");
  }

  private void record(QueueId id, RecipientOutcome... outcomes) {
    assertThat(spool().recordOutcomes(id, List.of(outcomes), null)).isTrue();
  }

  private List<RecipientState> states(QueueId id) {
    return spool().message(id).orElseThrow().recipients();
  }

  private String content(QueueId id) throws IOException {
    try (InputStream in = spool().content(id)) {
      return new String(in.readAllBytes(), ISO_8859_1);
    }
  }

  private static Envelope envelope(String... recipients) {
    return new Envelope(
        ReversePath.of("sender@example.com"),
        List.of(recipients).stream().map(MailAddress::of).toList(),
        Envelope.BodyType.SEVEN_BIT);
  }

  private static DsnMessage dsn(boolean aboutDelay) {
    Envelope toSender =
        new Envelope(
            new ReversePath.Null(),
            List.of(MailAddress.of("sender@example.com")),
            Envelope.BodyType.SEVEN_BIT);
    QueueId id = QueueId.generate(Instant.ofEpochMilli(NOW));
    return new DsnMessage(id, toSender, "report".getBytes(ISO_8859_1), aboutDelay);
  }

  private static RecipientOutcome delivered(int recipient) {
    return TestMessages.delivered(recipient);
  }

  private static RecipientOutcome failed(int recipient) {
    return TestMessages.failed(recipient);
  }

  private static RecipientOutcome deferred(int recipient, long untilMillis) {
    Instant until = Instant.ofEpochMilli(untilMillis);
    EnhancedStatus status = new EnhancedStatus(4, 2, 1);
    return new RecipientOutcome(recipient, new Outcome.Deferred(until, status, "450 later", "mx"));
  }
}
