package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.spool.TestMessages.NOW;
import static org.quorumail.spool.TestMessages.accept;
import static org.quorumail.spool.TestMessages.deferred;
import static org.quorumail.spool.TestMessages.delivered;
import static org.quorumail.spool.TestMessages.failed;
import static org.quorumail.spool.TestMessages.id;
import static org.quorumail.spool.TestMessages.outcomes;
import static org.quorumail.spool.TestMessages.to;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.OwnedSpool.DueRow;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.Dsn;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/** Every arrow of docs/spool-states.md. */
class SpoolStateTest {
  private static final long TERM = 3;
  private static final byte[] CONTENT = new byte[10];

  @TempDir Path directory;
  private final StoreMemory memory = new StoreMemory();
  private final List<QueueId> due = new ArrayList<>();
  private final List<QueueId> retried = new ArrayList<>();
  private SpoolStore store;
  private SpoolState state;
  private long index;

  @BeforeEach
  void open() throws IOException {
    store = new SpoolStore(directory.resolve("spool"), memory);
    state = new SpoolState(store, new Hints());
    state.open();
  }

  @AfterEach
  void close() {
    state.close();
    memory.close();
  }

  @Test
  void anAcceptedMessageIsDueInEachOfItsDomains() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@two.example", "c@one.example")));

    assertThat(store.firstDue()).contains(new DueRow("one.example", NOW, id(1)));
    assertThat(store.firstDueAfter("one.example")).contains(new DueRow("two.example", NOW, id(1)));
    assertThat(store.firstDueAfter("two.example")).isEmpty();
    assertThat(store.dueRows("one.example", NOW, 10)).hasSize(1);
    assertThat(store.dueRows("one.example", NOW - 1, 10)).isEmpty();
    assertThat(due).containsExactly(id(1));
    assertThat(store.counters()).isEqualTo(new SpoolCounters(1, 0, 0, 10, 1, 0, 0, 0, 0));
  }

  @Test
  void aMessageThatIsAcceptedTwiceIsThereOnce() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    apply(outcomes(TERM, id(1), deferred(0, NOW + 5)));
    SpooledMessage before = message(1);

    assertThat(apply(accept(to(id(1), CONTENT, "a@one.example"))))
        .containsExactly(ApplyResult.DONE);

    assertThat(message(1)).isEqualTo(before);
    assertThat(store.counters().messages()).isEqualTo(1);
  }

  @Test
  void aMessageTwiceInOneEntryIsThereOnce() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example"), to(id(1), CONTENT, "a@one.example")));
    assertThat(store.counters().messages()).isEqualTo(1);
  }

  @Test
  void aKeyAcceptsOneMessageEvenWhenThatIsGone() throws IOException {
    assertThat(apply(once("a", 0, 1, 0))).containsExactly(ApplyResult.DONE);
    apply(outcomes(TERM, id(1), delivered(0)));
    assertThat(apply(once("a", 0, 2, 1000))).containsExactly(ApplyResult.ACCEPTED_BEFORE);
    assertThat(apply(once("a", 1, 3, 1000))).containsExactly(ApplyResult.DONE);
    assertThat(store.requests().of("a".repeat(32)))
        .extracting(AcceptedRequest::id)
        .containsExactly(id(1), id(3));
    assertThat(store.message(id(2))).isEmpty();
  }

  @Test
  void aKeyTwiceInOneEntryAcceptsOneMessage() throws IOException {
    assertThat(apply(new SpoolEntry.Batch(List.of(once("a", 0, 1, 0), once("a", 0, 2, 0)))))
        .containsExactly(ApplyResult.DONE, ApplyResult.ACCEPTED_BEFORE);
    assertThat(store.counters().messages()).isEqualTo(1);
    assertThat(store.requests().count()).isEqualTo(1);
  }

  @Test
  void aKeyIsForgottenAfterADayAndItsRowsGo() throws IOException {
    long day = AcceptedRequest.KEPT_MILLIS;
    apply(once("a", 0, 1, 0));
    apply(once("b", 0, 2, 10));
    assertThat(apply(once("a", 0, 3, day - 1))).containsExactly(ApplyResult.ACCEPTED_BEFORE);
    assertThat(apply(once("a", 0, 4, day))).containsExactly(ApplyResult.DONE);
    assertThat(store.requests().count()).isEqualTo(2);
    state.close();
    state.open();
    apply(once("c", 0, 5, day + 10));
    assertThat(store.requests().of("b".repeat(32))).isEmpty();
    assertThat(store.requests().of("a".repeat(32)))
        .extracting(AcceptedRequest::id)
        .containsExactly(id(4));
    assertThat(store.requests().count()).isEqualTo(2);
    assertThat(store.requests().oldest(9)).hasSize(2);
  }

  private static SpoolEntry once(String key, int index, int id, long afterMillis) {
    SpooledMessage m = TestMessages.spooled(id(id), CONTENT.length, "a@one.example");
    SpooledMessage arrived =
        new SpooledMessage(
            m.id(),
            m.reversePath(),
            m.options(),
            NOW + afterMillis,
            m.size(),
            false,
            false,
            m.recipients());
    return new SpoolEntry.AcceptOnce(
        new RequestKey(key.repeat(32), index, "f".repeat(32)),
        new NewMessage(
            arrived, ByteSlice.EMPTY, new ContentLocation.Inline(ByteSlice.of(CONTENT))));
  }

  @Test
  void aMessageWithoutRecipientsIsRefusedAndItsNeighboursAreNot() throws IOException {
    assertThat(apply(accept(to(id(1), CONTENT), to(id(2), CONTENT, "a@one.example"))))
        .containsExactly(ApplyResult.REFUSED, ApplyResult.DONE);
    assertThat(store.counters().messages()).isEqualTo(1);
  }

  @Test
  void theMessageGoesWithItsLastPendingRecipient() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@two.example", "c@three.example")));

    apply(outcomes(TERM, id(1), delivered(0)));
    assertThat(statuses(1))
        .containsExactly(
            RecipientStatus.DELIVERED, RecipientStatus.PENDING, RecipientStatus.PENDING);
    assertThat(store.dueRows("one.example", NOW, 9)).isEmpty();
    apply(outcomes(TERM, id(1), deferred(1, NOW + 60_000), failed(2)));
    assertThat(statuses(1))
        .containsExactly(
            RecipientStatus.DELIVERED, RecipientStatus.PENDING, RecipientStatus.FAILED);
    assertThat(store.firstDue()).contains(new DueRow("two.example", NOW + 60_000, id(1)));
    apply(outcomes(TERM, id(1), delivered(1)));

    assertNothingIsLeft();
    assertThat(store.counters()).isEqualTo(new SpoolCounters(0, 0, 0, 0, 1, 0, 1, 0, 0));
  }

  @Test
  void resultsOfAnotherTermChangeNothing() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    SpooledMessage before = message(1);

    assertThat(apply(outcomes(TERM - 1, id(1), delivered(0)))).containsExactly(ApplyResult.REFUSED);
    assertThat(apply(outcomes(TERM + 1, id(1), delivered(0)))).containsExactly(ApplyResult.REFUSED);

    assertThat(message(1)).isEqualTo(before);
  }

  @Test
  void resultsForARecipientThatTheMessageDoesNotHaveAreRefused() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    SpooledMessage before = message(1);

    for (int index : new int[] {-1, 1, Integer.MAX_VALUE})
      assertThat(apply(outcomes(TERM, id(1), delivered(index))))
          .containsExactly(ApplyResult.REFUSED);

    assertThat(message(1)).isEqualTo(before);
  }

  @Test
  void theFirstResultOfARecipientStays() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@one.example")));
    apply(outcomes(TERM, id(1), delivered(0)));
    apply(outcomes(TERM, id(1), failed(0)));
    assertThat(statuses(1)).containsExactly(RecipientStatus.DELIVERED, RecipientStatus.PENDING);
  }

  @Test
  void twoAttemptsOfOneMessageInOneEntryBothCount() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@two.example")));
    apply(
        new SpoolEntry.Outcomes(
            TERM,
            List.of(
                new AttemptOutcomes(id(1), List.of(delivered(0)), null),
                new AttemptOutcomes(id(1), List.of(delivered(1)), null))));
    assertNothingIsLeft();
  }

  @Test
  void theReportComesWithTheFailureAndOnlyOnce() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@two.example")));
    Dsn report = new Dsn(to(id(2), CONTENT, "sender@example.com"), false);
    SpoolEntry failure =
        new SpoolEntry.Outcomes(
            TERM, List.of(new AttemptOutcomes(id(1), List.of(failed(0)), report)));

    apply(failure);
    assertThat(store.message(id(2))).isPresent();
    apply(outcomes(TERM, id(2), delivered(0)));
    apply(failure); // unanswered, sent again

    assertThat(store.message(id(2))).isEmpty();
    assertThat(statuses(1)).containsExactly(RecipientStatus.FAILED, RecipientStatus.PENDING);
  }

  @Test
  void resultsThatAreSentAgainChangeNothingAndReportNothing() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@one.example")));
    Dsn report = new Dsn(to(id(2), CONTENT, "sender@example.com"), false);
    SpoolEntry mixed =
        new SpoolEntry.Outcomes(
            TERM,
            List.of(new AttemptOutcomes(id(1), List.of(failed(0), deferred(1, NOW + 5)), report)));

    apply(mixed);
    apply(outcomes(TERM, id(2), delivered(0))); // the report is gone before the second copy comes
    SpooledMessage before = message(1);
    apply(mixed);

    assertThat(store.message(id(2))).isEmpty();
    assertThat(message(1)).isEqualTo(before);
    assertThat(before.recipients().get(1).attempts()).isEqualTo(1);

    apply(new SpoolEntry.Retry(id(1), NOW + 1)); // an operator between the two copies
    apply(mixed);
    assertThat(store.message(id(2))).isEmpty();
  }

  @Test
  void aDelayIsReportedOnce() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    apply(delay(id(2)));
    assertThat(message(1).delayReported()).isTrue();
    apply(delay(id(3)));
    assertThat(store.message(id(2))).isPresent();
    assertThat(store.message(id(3))).isEmpty();
  }

  private static SpoolEntry delay(QueueId report) {
    return new SpoolEntry.Outcomes(
        TERM,
        List.of(
            new AttemptOutcomes(
                id(1),
                List.of(deferred(0, NOW + 5)),
                new Dsn(to(report, CONTENT, "sender@example.com"), true))));
  }

  @Test
  void aHeldMessageIsNotDueUntilItIsReleased() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    due.clear();

    assertThat(apply(new SpoolEntry.Hold(id(1)))).containsExactly(ApplyResult.DONE);
    assertThat(store.firstDue()).isEmpty();
    assertThat(store.dueRows("one.example", Long.MAX_VALUE, 9)).isEmpty();
    assertThat(store.counters().held()).isEqualTo(1);
    assertThat(apply(new SpoolEntry.Retry(id(1), NOW + 1))).containsExactly(ApplyResult.HELD);
    assertThat(due).isEmpty();
    assertThat(apply(new SpoolEntry.Release(id(1), NOW + 9))).containsExactly(ApplyResult.DONE);

    assertThat(store.firstDue()).contains(new DueRow("one.example", NOW + 9, id(1)));
    assertThat(due).containsExactly(id(1));
    assertThat(store.counters().held()).isZero();
  }

  @Test
  void resultsOfAnAttemptThatWasUnderWayCountForAHeldMessageToo() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@two.example")));
    apply(new SpoolEntry.Hold(id(1)));
    apply(outcomes(TERM, id(1), deferred(0, NOW + 5)));
    assertThat(message(1).held()).isTrue();
    assertThat(store.firstDue()).isEmpty();
    apply(outcomes(TERM, id(1), delivered(0), delivered(1)));
    assertNothingIsLeft();
  }

  @Test
  void aRetriedMessageIsDueThen() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    apply(outcomes(TERM, id(1), deferred(0, NOW + 60_000)));
    assertThat(store.counters().retry()).isEqualTo(1);
    apply(new SpoolEntry.Retry(id(1), NOW + 1));
    assertThat(store.dueRows("one.example", NOW + 1, 9)).hasSize(1);
    assertThat(store.dueRows("one.example", NOW + 60_000, 9)).hasSize(1);
    assertThat(retried).as("the owner tries it in spite of a pause").containsExactly(id(1));
  }

  @Test
  void aRemovedMessageLeavesNoRow() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example", "b@two.example")));
    apply(new SpoolEntry.Hold(id(1)));
    assertThat(apply(new SpoolEntry.Remove(id(1)))).containsExactly(ApplyResult.DONE);
    assertThat(apply(new SpoolEntry.Remove(id(1)))).containsExactly(ApplyResult.NO_SUCH_MESSAGE);
    assertThat(apply(outcomes(TERM, id(1), delivered(0))))
        .containsExactly(ApplyResult.NO_SUCH_MESSAGE);
    assertNothingIsLeft();
    assertThat(store.counters().removed()).isEqualTo(1);
  }

  @Test
  void anUploadBecomesAMessageOnlyWhenItIsWhole() throws IOException {
    chunk(1, 0, 4);
    assertThat(apply(uploaded(1, 2, 7))).containsExactly(ApplyResult.REFUSED);
    chunk(1, 1, 3);
    assertThat(apply(uploaded(1, 2, 8))).containsExactly(ApplyResult.REFUSED);
    assertThat(apply(uploaded(1, 2, 7))).containsExactly(ApplyResult.DONE);
    assertThat(store.upload(id(1))).isEqualTo(Upload.NONE);

    apply(outcomes(TERM, id(1), delivered(0)));
    assertNothingIsLeft();
  }

  @Test
  void aChunkMayComeTwiceButNotBeforeItsTurnNorAfterTheEnd() throws IOException {
    assertThat(chunk(1, 0, 4)).containsExactly(ApplyResult.DONE);
    assertThat(chunk(1, 0, 4)).containsExactly(ApplyResult.DONE);
    assertThat(chunk(1, 2, 4)).containsExactly(ApplyResult.REFUSED);
    assertThat(store.upload(id(1)).chunks()).isEqualTo(1);
    apply(uploaded(1, 1, 4));
    assertThat(chunk(1, 0, 4)).containsExactly(ApplyResult.REFUSED);
    assertThat(store.upload(id(1))).isEqualTo(Upload.NONE);
  }

  @Test
  void anAbortedUploadLeavesNoRowAndCannotBeClaimed() throws IOException {
    chunk(1, 0, 4);
    chunk(1, 1, 4);
    apply(new SpoolEntry.AbortUpload(id(1)));
    assertThat(apply(uploaded(1, 2, 8))).containsExactly(ApplyResult.REFUSED);
    assertThat(chunk(1, 2, 4)).containsExactly(ApplyResult.REFUSED);
    assertNothingIsLeft();
  }

  @Test
  void abortingTheUploadOfAnAcceptedMessageDoesNotHarmIt() throws IOException {
    chunk(1, 0, 4);
    apply(uploaded(1, 1, 4));
    apply(new SpoolEntry.AbortUpload(id(1)));
    assertThat(store.chunk(id(1), 0)).hasSize(4);
  }

  @Test
  void oldUploadsAreFoundByTheTimeOfTheirLastChunk() throws IOException {
    chunk(1, 0, 4);
    chunk(2, 0, 4);
    apply(new SpoolEntry.Chunk(id(2), 1, NOW + 10, ByteSlice.of(new byte[4])));
    assertThat(store.uploadsBefore(NOW + 5, 10)).containsExactly(id(1));
    assertThat(store.uploadsBefore(NOW + 50, 1)).hasSize(1);
  }

  @Test
  void anEndByTimeIsCountedAsExpired() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    Outcome expired = new Outcome.Failed(new EnhancedStatus(4, 4, 7), "too long in queue", "");
    apply(outcomes(TERM, id(1), new RecipientOutcome(0, expired)));
    assertThat(store.counters()).isEqualTo(new SpoolCounters(0, 0, 0, 0, 1, 0, 1, 1, 0));
  }

  @Test
  void aSpoolWithMailIsNotClosedAndAClosedOneAcceptsNothingEvenAfterARestart() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    assertThat(apply(new SpoolEntry.Close())).containsExactly(ApplyResult.REFUSED);
    assertThat(store.isClosedForGood()).isFalse();
    apply(new SpoolEntry.Remove(id(1)));
    chunk(2, 0, 10);

    assertThat(apply(new SpoolEntry.Close())).containsExactly(ApplyResult.DONE);
    assertThat(apply(new SpoolEntry.Close())).as("sent again").containsExactly(ApplyResult.DONE);
    assertThat(apply(accept(to(id(3), CONTENT, "a@one.example"))))
        .containsExactly(ApplyResult.REFUSED);
    assertThat(chunk(2, 1, 10)).containsExactly(ApplyResult.REFUSED);
    assertThat(apply(uploaded(2, 1, 10))).containsExactly(ApplyResult.REFUSED);

    state.close();
    state.open();
    assertThat(store.isClosedForGood()).isTrue();
    assertThat(apply(accept(to(id(4), CONTENT, "a@one.example"))))
        .containsExactly(ApplyResult.REFUSED);
    assertThat(store.counters().messages()).isZero();
  }

  @Test
  void aBatchThatAcceptsAMessageDoesNotCloseTheSpoolAndOneThatClosesItAcceptsNone()
      throws IOException {
    SpoolEntry message = accept(to(id(1), CONTENT, "a@one.example"));
    assertThat(apply(new SpoolEntry.Batch(List.of(message, new SpoolEntry.Close()))))
        .containsExactly(ApplyResult.DONE, ApplyResult.REFUSED);
    apply(new SpoolEntry.Remove(id(1)));
    SpoolEntry other = accept(to(id(2), CONTENT, "a@one.example"));
    assertThat(apply(new SpoolEntry.Batch(List.of(new SpoolEntry.Close(), other))))
        .containsExactly(ApplyResult.DONE, ApplyResult.REFUSED);
  }

  @Test
  void aSnapshotCarriesTheEndOfTheSpool() throws IOException {
    apply(new SpoolEntry.Close());
    java.nio.file.Path copy = java.nio.file.Files.createDirectory(directory.resolve("copy"));
    state.snapshot(copy);
    SpoolStore second = new SpoolStore(directory.resolve("second"), memory);
    try (second) {
      second.open();
      assertThat(second.isClosedForGood()).isFalse();
      second.replace(copy);
      assertThat(second.isClosedForGood()).isTrue();
    }
  }

  @Test
  void anEntryThatIsNotUnderstoodMovesNothing() throws IOException {
    apply(accept(to(id(1), CONTENT, "a@one.example")));
    LogPosition before = state.applied();
    assertThatThrownBy(
            () -> state.apply(new LogPosition(TERM, index), ByteBuffer.wrap(new byte[] {1, 99})))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> state.check(ByteBuffer.wrap(new byte[] {1, 99})))
        .isInstanceOf(IOException.class);
    assertThat(state.applied()).isEqualTo(before);
  }

  private void assertNothingIsLeft() {
    assertThat(store.counters().messages()).isZero();
    assertThat(store.counters().bytes()).isZero();
    assertThat(StoreRows.count(store, "messages", "content", "due", "index")).isZero();
    assertThat(store.uploadsBefore(Long.MAX_VALUE, 10)).isEmpty();
  }

  private List<ApplyResult> chunk(int n, int number, int bytes) throws IOException {
    return apply(new SpoolEntry.Chunk(id(n), number, NOW, ByteSlice.of(new byte[bytes])));
  }

  private static SpoolEntry uploaded(int n, int chunks, long size) {
    SpooledMessage message = TestMessages.spooled(id(n), size, "a@one.example");
    return accept(new NewMessage(message, ByteSlice.EMPTY, new ContentLocation.Uploaded(chunks)));
  }

  private List<ApplyResult> apply(SpoolEntry entry) throws IOException {
    LogPosition position = new LogPosition(TERM, index++);
    byte[] answers =
        state.apply(position, ByteBuffer.wrap(SpoolEntryFormat.write(entry)).asReadOnlyBuffer());
    assertThat(state.applied()).isEqualTo(position);
    List<ApplyResult> all = new ArrayList<>();
    for (int i = 0; i < answers.length; i++) all.add(ApplyResult.decode(answers, i));
    return all;
  }

  private SpooledMessage message(int n) {
    return store.message(id(n)).orElseThrow().message();
  }

  private List<RecipientStatus> statuses(int n) {
    return message(n).recipients().stream().map(SpooledMessage.RecipientState::status).toList();
  }

  private final class Hints implements SpoolState.StateListener {
    @Override
    public void messageDue(SpooledMessage message) {
      due.add(message.id());
    }

    @Override
    public void messageRetried(SpooledMessage message) {
      retried.add(message.id());
    }

    @Override
    public void becomeLeader(Leadership leadership) {}

    @Override
    public void becomeFollower() {}

    @Override
    public void termApplied(long term) {}

    @Override
    public void termsSkipped() {}
  }
}
