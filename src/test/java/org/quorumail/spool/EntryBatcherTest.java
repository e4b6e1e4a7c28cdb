package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.NoQuorumException;
import org.quorumail.replication.ReplicatedLog;

class EntryBatcherTest {
  private final SlowLog log = new SlowLog();
  private final List<Integer> batches = new CopyOnWriteArrayList<>();
  private final EntryBatcher collector =
      EntryBatcher.start(log, () -> Duration.ofSeconds(5), batches::add);

  @AfterEach
  void close() {
    collector.close();
  }

  @Test
  void anItemGoesAtOnceWhenNothingIsInFlight() throws Exception {
    var answer = submit(1);
    await().until(() -> log.pending.size() == 1);
    log.answerFirst();
    assertThat(answer.get(5, TimeUnit.SECONDS)).isEqualTo(ApplyResult.DONE);
    assertThat(batches).containsExactly(1);
  }

  @Test
  void whatComesWhileAnEntryIsInFlightSharesTheNextOne() throws Exception {
    submitOneInFlight();
    List<CompletableFuture<ApplyResult>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) answers.add(submit(i));
    assertThat(log.pending).hasSize(1);
    log.answerFirst();
    await().until(() -> batches.size() == 2);
    assertThat(batches.getLast()).isEqualTo(50);
    log.answerAll();
    for (var answer : answers) {
      assertThat(answer.get(5, TimeUnit.SECONDS)).isEqualTo(ApplyResult.DONE);
    }
  }

  @Test
  void aFullEntryDoesNotWaitForTheOneInFlight() throws Exception {
    submitOneInFlight();
    for (int i = 0; i < EntryBatcher.ITEMS_MAX; i++) submit(i);
    await().until(() -> log.pending.size() == 2);
    submitLarge();
    await().until(() -> log.pending.size() == 3);
    assertThat(batches).containsExactly(1, EntryBatcher.ITEMS_MAX, 1);
  }

  @Test
  void anEntryLeavesAsSoonAsAllWhoWereAnsweredAreBack() throws Exception {
    long patient = TimeUnit.MINUTES.toNanos(1);
    try (var waits = EntryBatcher.start(log, () -> Duration.ofSeconds(5), batches::add, patient)) {
      submit(waits, 1);
      submit(waits, 2);
      submit(waits, 3);
      // the time that an entry took is how long its company is waited for
      await().pollDelay(Duration.ofSeconds(2)).until(() -> log.pending.size() == 1);
      int alone = batches.getFirst();
      log.answerFirst();
      for (int i = 0; i < alone; i++) {
        assertThat(batches).hasSize(1);
        submit(waits, 4 + i);
      }
      await().until(() -> batches.size() == 2);
      assertThat(batches.getLast()).isEqualTo(3);
    }
  }

  @Test
  void thoseWhoDoNotComeBackAreWaitedForOnlySoLong() throws Exception {
    submitOneInFlight();
    for (int i = 0; i < 9; i++) submit(i);
    log.answerFirst();
    await().until(() -> batches.size() == 2);
    log.answerFirst();
    submit(1);
    await().until(() -> batches.size() == 3);
    assertThat(batches.getLast()).isEqualTo(1);
  }

  @Test
  void anEntryIsBoundedByItemsAndByBytes() throws Exception {
    fillFlight();
    for (int i = 0; i < EntryBatcher.ITEMS_MAX + 10; i++) submit(i);
    submitLarge();
    submitLarge();
    log.answerFirst();
    await().until(() -> batches.size() == EntryBatcher.IN_FLIGHT_MAX + 1);
    assertThat(batches.getLast()).isEqualTo(EntryBatcher.ITEMS_MAX);
    log.answerAll();
    await().until(() -> batches.size() == EntryBatcher.IN_FLIGHT_MAX + 4);
    assertThat(batches.subList(EntryBatcher.IN_FLIGHT_MAX + 1, batches.size()))
        .containsExactly(10, 1, 1);
  }

  @Test
  void neverMoreThanTheBoundIsInFlight() throws Exception {
    fillFlight();
    for (int i = 0; i < 10 * EntryBatcher.ITEMS_MAX; i++) submit(i);
    assertThat(log.pending).hasSize(EntryBatcher.IN_FLIGHT_MAX);
    log.answerAll();
    await().until(() -> log.pending.size() == EntryBatcher.IN_FLIGHT_MAX);
    assertThat(log.most).isEqualTo(EntryBatcher.IN_FLIGHT_MAX);
  }

  @Test
  void aFullQueueBlocksUntilTheDeadline() throws Exception {
    fillFlight();
    for (int i = 0; i < EntryBatcher.QUEUE_MAX; i++) submit(i);
    long soon = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50);
    var answer = collector.submit(item(1), soon);
    assertThat(System.nanoTime()).isGreaterThanOrEqualTo(soon);
    assertThatThrownBy(answer::get).hasCauseInstanceOf(NoQuorumException.class);
  }

  @Test
  void anItemThatWasGivenUpBeforeItsTurnIsNotSent() throws Exception {
    submitOneInFlight();
    var given = submit(1);
    submit(2);
    given.cancel(false);
    log.answerFirst();
    await().until(() -> batches.size() == 2);
    assertThat(batches.getLast()).isEqualTo(1);
  }

  @Test
  void aFailedEntryFailsItsItemsAndTheNextOneGoes() throws Exception {
    var first = submitOneInFlight();
    log.failFirst(new NoQuorumException("nobody"));
    assertThatThrownBy(() -> first.get(5, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(NoQuorumException.class);
    var second = submit(2);
    await().until(() -> log.pending.size() == 1);
    log.answerFirst();
    assertThat(second.get(5, TimeUnit.SECONDS)).isEqualTo(ApplyResult.DONE);
  }

  @Test
  void closingRefusesWhatWaitsAndAnswersWhatIsInFlight() throws Exception {
    var flying = submitOneInFlight();
    var waiting = submit(100);
    collector.close();
    assertThatThrownBy(waiting::get).hasCauseInstanceOf(NoQuorumException.class);
    assertThatThrownBy(() -> submit(101).get()).hasCauseInstanceOf(NoQuorumException.class);
    log.answerAll();
    assertThat(flying.get(5, TimeUnit.SECONDS)).isEqualTo(ApplyResult.DONE);
  }

  private CompletableFuture<ApplyResult> submitOneInFlight() throws InterruptedException {
    var answer = submit(0);
    await().until(() -> log.pending.size() == 1);
    return answer;
  }

  private CompletableFuture<ApplyResult> submit(int number) throws InterruptedException {
    return submit(collector, number);
  }

  private static CompletableFuture<ApplyResult> submit(EntryBatcher to, int number)
      throws InterruptedException {
    return to.submit(item(number), System.nanoTime() + TimeUnit.SECONDS.toNanos(5));
  }

  /** Fills an entry by itself. */
  private void submitLarge() throws InterruptedException {
    SpoolEntry.ByteSlice bytes = SpoolEntry.ByteSlice.of(new byte[EntryBatcher.BYTES_MAX]);
    SpoolEntry large = new SpoolEntry.Chunk(TestMessages.id(1), 0, 0, bytes);
    var ignored = collector.submit(large, System.nanoTime() + TimeUnit.SECONDS.toNanos(5));
  }

  private static SpoolEntry item(int number) {
    return new SpoolEntry.Remove(TestMessages.id(number));
  }

  private void fillFlight() throws InterruptedException {
    for (int i = 1; i <= EntryBatcher.IN_FLIGHT_MAX; i++) {
      submitLarge();
      int want = i;
      await().until(() -> log.pending.size() == want);
    }
  }

  /** Answers when it is told to. */
  private static final class SlowLog implements ReplicatedLog {
    final List<Pending> pending = new CopyOnWriteArrayList<>();
    volatile int most;

    record Pending(byte[] entry, CompletableFuture<AppendResult> answer) {}

    @Override
    public String name() {
      return "spool-test";
    }

    @Override
    public synchronized CompletableFuture<AppendResult> append(byte[] entry, Duration patience) {
      Pending added = new Pending(entry, new CompletableFuture<>());
      pending.add(added);
      most = Math.max(most, pending.size());
      return added.answer;
    }

    void answerFirst() {
      Pending first = pending.removeFirst();
      byte[] answer = new byte[EntryBatcher.ITEMS_MAX];
      Arrays.fill(answer, (byte) 1);
      first.answer.complete(new AppendResult(new LogPosition(1, 1), answer));
    }

    void answerAll() {
      int n = pending.size();
      for (int i = 0; i < n; i++) answerFirst();
    }

    void failFirst(Exception e) {
      pending.removeFirst().answer.completeExceptionally(e);
    }

    @Override
    public Optional<Leadership> leadership() {
      return Optional.empty();
    }

    @Override
    public Optional<String> leader() {
      return Optional.empty();
    }

    @Override
    public void requestSnapshot() {}

    @Override
    public boolean transferLeadership(String peer, Duration patience) {
      return false;
    }
  }
}
