package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.NoQuorumException;
import org.quorumail.replication.Position;
import org.quorumail.replication.ReplicatedLog;

class CollectorTest {
  private static final int ITEM_BYTES = 1000;

  private final SlowLog log = new SlowLog();
  private final List<Integer> batches = new CopyOnWriteArrayList<>();
  private final Collector<Integer> collector =
      new Collector<>(
          log,
          () -> Duration.ofSeconds(5),
          item -> item < 0 ? Collector.BYTES_MAX : ITEM_BYTES,
          items -> new byte[items.size()],
          batches::add);

  @AfterEach
  void close() {
    collector.close();
  }

  @Test
  void anItemGoesAtOnceWhenNothingIsInFlight() throws Exception {
    var answer = submit(1);
    await().until(() -> log.pending.size() == 1);
    log.answerFirst();
    assertThat(answer.get(5, TimeUnit.SECONDS)).isEqualTo(Answer.DONE);
    assertThat(batches).containsExactly(1);
  }

  @Test
  void whatComesWhileEntriesAreInFlightSharesEntries() throws Exception {
    fillFlight();
    List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) answers.add(submit(i));
    log.answerFirst();
    await().until(() -> batches.size() == Collector.IN_FLIGHT_MAX + 1);
    assertThat(batches.getLast()).isEqualTo(50);
    log.answerAll();
    for (var answer : answers) {
      assertThat(answer.get(5, TimeUnit.SECONDS)).isEqualTo(Answer.DONE);
    }
  }

  @Test
  void anEntryIsBoundedByItemsAndByBytes() throws Exception {
    fillFlight();
    for (int i = 0; i < Collector.ITEMS_MAX + 10; i++) submit(i);
    submit(-1);
    submit(-1);
    log.answerFirst();
    await().until(() -> batches.size() == Collector.IN_FLIGHT_MAX + 1);
    assertThat(batches.getLast()).isEqualTo(Collector.ITEMS_MAX);
    log.answerAll();
    await().until(() -> batches.size() == Collector.IN_FLIGHT_MAX + 4);
    assertThat(batches.subList(Collector.IN_FLIGHT_MAX + 1, batches.size()))
        .containsExactly(10, 1, 1);
  }

  @Test
  void neverMoreThanTheBoundIsInFlight() throws Exception {
    fillFlight();
    for (int i = 0; i < 10 * Collector.ITEMS_MAX; i++) submit(i);
    assertThat(log.pending).hasSize(Collector.IN_FLIGHT_MAX);
    log.answerAll();
    await().until(() -> log.pending.size() == Collector.IN_FLIGHT_MAX);
    assertThat(log.most).isEqualTo(Collector.IN_FLIGHT_MAX);
  }

  @Test
  void aFullQueueBlocksUntilTheDeadline() throws Exception {
    fillFlight();
    for (int i = 0; i < Collector.WAITING_MAX; i++) submit(i);
    long soon = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50);
    var answer = collector.submit(1, soon);
    assertThat(System.nanoTime()).isGreaterThanOrEqualTo(soon);
    assertThatThrownBy(answer::get).hasCauseInstanceOf(NoQuorumException.class);
  }

  @Test
  void anItemThatWasGivenUpBeforeItsTurnIsNotSent() throws Exception {
    fillFlight();
    var given = submit(1);
    submit(2);
    given.cancel(false);
    log.answerFirst();
    await().until(() -> batches.size() == Collector.IN_FLIGHT_MAX + 1);
    assertThat(batches.getLast()).isEqualTo(1);
  }

  @Test
  void aFailedEntryFailsItsItemsAndTheNextOneGoes() throws Exception {
    var first = submit(1);
    await().until(() -> log.pending.size() == 1);
    log.failFirst(new NoQuorumException("nobody"));
    assertThatThrownBy(() -> first.get(5, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(NoQuorumException.class);
    var second = submit(2);
    await().until(() -> log.pending.size() == 1);
    log.answerFirst();
    assertThat(second.get(5, TimeUnit.SECONDS)).isEqualTo(Answer.DONE);
  }

  @Test
  void closingRefusesWhatWaitsAndAnswersWhatIsInFlight() throws Exception {
    var flying = submit(0);
    await().until(() -> log.pending.size() == 1);
    for (int i = 1; i < Collector.IN_FLIGHT_MAX; i++) {
      submit(i);
      int want = i + 1;
      await().until(() -> log.pending.size() == want);
    }
    var waiting = submit(100);
    collector.close();
    assertThatThrownBy(waiting::get).hasCauseInstanceOf(NoQuorumException.class);
    assertThatThrownBy(() -> submit(101).get()).hasCauseInstanceOf(NoQuorumException.class);
    log.answerAll();
    assertThat(flying.get(5, TimeUnit.SECONDS)).isEqualTo(Answer.DONE);
  }

  private CompletableFuture<Answer> submit(int item) throws InterruptedException {
    return collector.submit(item, System.nanoTime() + TimeUnit.SECONDS.toNanos(5));
  }

  private void fillFlight() throws InterruptedException {
    for (int i = 0; i < Collector.IN_FLIGHT_MAX; i++) {
      submit(i);
      int want = i + 1;
      await().until(() -> log.pending.size() == want);
    }
  }

  /** Answers when it is told to. */
  private static final class SlowLog implements ReplicatedLog {
    final List<Pending> pending = new CopyOnWriteArrayList<>();
    volatile int most;

    record Pending(byte[] entry, CompletableFuture<Appended> answer) {}

    @Override
    public String name() {
      return "spool-test";
    }

    @Override
    public synchronized CompletableFuture<Appended> append(byte[] entry, Duration patience) {
      Pending added = new Pending(entry, new CompletableFuture<>());
      pending.add(added);
      most = Math.max(most, pending.size());
      return added.answer;
    }

    void answerFirst() {
      Pending first = pending.removeFirst();
      byte[] answer = new byte[first.entry.length];
      java.util.Arrays.fill(answer, (byte) 1);
      first.answer.complete(new Appended(new Position(1, 1), answer));
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
    public boolean transferLeadership(String peer, Duration patience) {
      return false;
    }
  }
}
