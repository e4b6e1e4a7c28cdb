package org.quorumail.spool;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.NoQuorumException;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedLog.Appended;

/**
 * Puts what many threads want to append into few entries, because an entry costs about the same
 * whatever its size: each is a round over the network and onto the disks of a quorum.
 *
 * <p>An entry leaves when it is full, or when none is in flight (Nagle's rule, RFC 896). Those whom
 * the last entry answered are expected back: the next one waits until as many items are here as
 * that one had and left behind, but at most for as long as that one took. So entries grow with the
 * load, and a lone client never waits.
 *
 * <p>Thread: one virtual thread forms the entries; answers come on the log's threads.
 */
final class Collector implements AutoCloseable {
  /** More bytes gain nothing: by then they cost more than the entry itself. */
  static final int BYTES_MAX = 256 * 1024;

  static final int ITEMS_MAX = 64;

  /** The longest wait for company, however far away the quorum is. */
  static final long GATHER_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);

  /** Full entries; enough for a quorum far away, and a bound on what Raft holds for us. */
  static final int IN_FLIGHT_MAX = 8;

  /** Items that wait. The next one blocks, which is back-pressure on its client. */
  static final int WAITING_MAX = 1024;

  private final ReplicatedLog log;
  private final Supplier<Duration> patience;
  private final IntConsumer batchSize;
  private final long gatherNanosMax;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition room = lock.newCondition();
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private int inFlight;
  private int expected = 1;
  private long gatherUntil = System.nanoTime();
  private boolean closed;

  private record Waiting(Entry item, int bytes, CompletableFuture<Answer> answer) {}

  /**
   * @param patience of one entry, see {@link ReplicatedLog#append}
   * @param batchSize told how many items each entry has
   */
  Collector(ReplicatedLog log, Supplier<Duration> patience, IntConsumer batchSize) {
    this(log, patience, batchSize, GATHER_NANOS_MAX);
  }

  /** With another bound on the wait for company, for tests. */
  Collector(
      ReplicatedLog log, Supplier<Duration> patience, IntConsumer batchSize, long gatherNanosMax) {
    this.log = log;
    this.patience = patience;
    this.batchSize = batchSize;
    this.gatherNanosMax = gatherNanosMax;
    Thread.ofVirtual().name("collector-" + log.name()).start(this::run);
  }

  /**
   * Queues an item, an entry that is answered with one byte; blocks while too many wait, at most
   * until the deadline. Whoever gives up waiting for the answer cancels it: then an item that is
   * not in an entry yet is not sent.
   *
   * @param deadline of {@link System#nanoTime}
   * @return completes with the answer, or with a {@link NoQuorumException}
   */
  CompletableFuture<Answer> submit(Entry item, long deadline) throws InterruptedException {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    lock.lockInterruptibly();
    try {
      while (waiting.size() >= WAITING_MAX && !closed) {
        if (room.awaitNanos(deadline - System.nanoTime()) <= 0) {
          answer.completeExceptionally(failure("has too many messages waiting for a quorum"));
          return answer;
        }
      }
      if (closed) {
        answer.completeExceptionally(failure("is closing"));
        return answer;
      }
      int bytes = EntryFormat.sizeBound(item);
      waiting.add(new Waiting(item, bytes, answer));
      waitingBytes += bytes;
      // the thread sleeps through what does not concern it
      if (waiting.size() == 1 || isFull() || isComplete()) changed.signal();
      return answer;
    } finally {
      lock.unlock();
    }
  }

  /** What waits is refused; what is in flight is still answered. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      waiting.forEach(w -> w.answer.completeExceptionally(failure("is closing")));
      waiting.clear();
      changed.signal();
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      for (List<Waiting> batch = next(); batch != null; batch = next()) append(batch);
    } catch (InterruptedException e) {
      close();
    }
  }

  /** Waits for the next batch to be ripe; null when closed. */
  private @Nullable List<Waiting> next() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        if (waiting.isEmpty() || inFlight == IN_FLIGHT_MAX) {
          changed.await();
          continue;
        }
        long left = untilRipe();
        if (left <= 0) {
          List<Waiting> batch = take();
          if (!batch.isEmpty()) return batch;
        } else {
          changed.awaitNanos(left);
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /** Nanoseconds; an answer ends the wait that has no end of its own. */
  private long untilRipe() {
    if (isFull()) return 0;
    if (inFlight > 0) return Long.MAX_VALUE;
    if (isComplete()) return 0;
    return gatherUntil - System.nanoTime();
  }

  private boolean isComplete() {
    return waiting.size() >= expected;
  }

  private boolean isFull() {
    return waiting.size() >= ITEMS_MAX || waitingBytes >= BYTES_MAX;
  }

  private List<Waiting> take() {
    List<Waiting> batch = new ArrayList<>(Math.min(waiting.size(), ITEMS_MAX));
    int bytes = 0;
    while (!waiting.isEmpty() && batch.size() < ITEMS_MAX) {
      Waiting first = waiting.element();
      if (!batch.isEmpty() && bytes + first.bytes > BYTES_MAX) break;
      waiting.remove();
      waitingBytes -= first.bytes;
      if (first.answer.isDone()) continue; // its session has given up
      bytes += first.bytes;
      batch.add(first);
    }
    room.signalAll();
    if (!batch.isEmpty()) inFlight++;
    return batch;
  }

  private void append(List<Waiting> batch) {
    batchSize.accept(batch.size());
    long sent = System.nanoTime();
    CompletableFuture<Appended> appended;
    try {
      appended = log.append(EntryFormat.write(entry(batch)), patience.get());
    } catch (RuntimeException e) {
      appended = CompletableFuture.failedFuture(e);
    }
    var ignored = appended.whenComplete((reply, failure) -> answered(batch, sent, reply, failure));
  }

  private static Entry entry(List<Waiting> batch) {
    if (batch.size() == 1) return batch.getFirst().item;
    return new Entry.Several(batch.stream().map(Waiting::item).toList());
  }

  private void answered(
      List<Waiting> batch, long sent, @Nullable Appended reply, @Nullable Throwable failure) {
    lock.lock();
    try {
      inFlight--;
      expected = Math.min(batch.size() + waiting.size(), ITEMS_MAX);
      long now = System.nanoTime();
      gatherUntil = now + Math.min(now - sent, gatherNanosMax);
      if (!waiting.isEmpty() && (inFlight == 0 || inFlight == IN_FLIGHT_MAX - 1)) changed.signal();
    } finally {
      lock.unlock();
    }
    for (int i = 0; i < batch.size(); i++) {
      CompletableFuture<Answer> answer = batch.get(i).answer;
      if (reply != null) answer.complete(Answer.of(reply.answer(), i));
      else answer.completeExceptionally(failure == null ? failure("gave no reply") : failure);
    }
  }

  private NoQuorumException failure(String what) {
    return new NoQuorumException("the spool " + log.name() + " " + what);
  }
}
