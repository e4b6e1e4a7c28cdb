package org.quorumail.spool;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.NoQuorumException;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedLog.Appended;

/**
 * Puts what many threads want to append into few entries, because an entry costs about the same
 * whatever its size: each is a round over the network and onto the disks of a quorum.
 *
 * <p>An entry leaves when it is full, or when none is in flight (Nagle's rule, RFC 896). Those
 * whom the last entry answered are expected back: the next one waits until as many items are here
 * as that one had and left behind, but at most for half the time that it took. So entries grow with
 * the load, and a lone client never waits.
 *
 * <p>Thread: one virtual thread forms the entries; answers come on the log's threads.
 */
final class Collector<T> implements AutoCloseable {
  /** More bytes gain nothing: by then they cost more than the entry itself. */
  static final int BYTES_MAX = 256 * 1024;

  static final int ITEMS_MAX = 64;

  /** The longest wait for company, however far away the quorum is. */
  static final long GATHER_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(5);

  /** Full entries; enough for a quorum far away, and a bound on what Raft holds for us. */
  static final int IN_FLIGHT_MAX = 8;

  /** Items that wait. The next one blocks, which is back-pressure on its client. */
  static final int WAITING_MAX = 1024;

  private final ReplicatedLog log;
  private final Supplier<Duration> patience;
  private final ToIntFunction<T> size;
  private final Function<List<T>, byte[]> entry;
  private final IntConsumer batchSize;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition room = lock.newCondition();
  private final ArrayDeque<Waiting<T>> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private int inFlight;
  private int expected = 1;
  private long gatherNanos;
  private boolean closed;

  private record Waiting<T>(T item, int bytes, long since, CompletableFuture<Answer> answer) {}

  /**
   * @param patience of one entry, see {@link ReplicatedLog#append}
   * @param size the bytes of an item, about
   * @param entry makes an entry of items; the answer to it has one byte for each
   * @param batchSize told how many items each entry has
   */
  Collector(
      ReplicatedLog log,
      Supplier<Duration> patience,
      ToIntFunction<T> size,
      Function<List<T>, byte[]> entry,
      IntConsumer batchSize) {
    this.log = log;
    this.patience = patience;
    this.size = size;
    this.entry = entry;
    this.batchSize = batchSize;
    Thread.ofVirtual().name("collector-" + log.name()).start(this::run);
  }

  /**
   * Queues an item; blocks while too many wait, at most until the deadline. Whoever gives up
   * waiting for the answer cancels it: then an item that is not in an entry yet is not sent.
   *
   * @param deadline of {@link System#nanoTime}
   * @return completes with the answer, or with a {@link NoQuorumException}
   */
  CompletableFuture<Answer> submit(T item, long deadline) throws InterruptedException {
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
      int bytes = size.applyAsInt(item);
      waiting.add(new Waiting<>(item, bytes, System.nanoTime(), answer));
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
      for (List<Waiting<T>> batch = next(); batch != null; batch = next()) append(batch);
    } catch (InterruptedException e) {
      close();
    }
  }

  /** Waits for the next batch to be ripe; null when closed. */
  private @Nullable List<Waiting<T>> next() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        if (waiting.isEmpty() || inFlight == IN_FLIGHT_MAX) {
          changed.await();
          continue;
        }
        long left = isFull() || inFlight == 0 && isComplete() ? 0 : untilRipe();
        if (left <= 0) {
          List<Waiting<T>> batch = take();
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
    if (inFlight > 0) return Long.MAX_VALUE;
    return waiting.element().since + gatherNanos - System.nanoTime();
  }

  private boolean isComplete() {
    return waiting.size() >= expected;
  }

  private boolean isFull() {
    return waiting.size() >= ITEMS_MAX || waitingBytes >= BYTES_MAX;
  }

  private List<Waiting<T>> take() {
    List<Waiting<T>> batch = new ArrayList<>(Math.min(waiting.size(), ITEMS_MAX));
    int bytes = 0;
    while (!waiting.isEmpty() && batch.size() < ITEMS_MAX) {
      Waiting<T> first = waiting.element();
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

  private void append(List<Waiting<T>> batch) {
    batchSize.accept(batch.size());
    long sent = System.nanoTime();
    CompletableFuture<Appended> appended;
    try {
      appended =
          log.append(entry.apply(batch.stream().map(Waiting::item).toList()), patience.get());
    } catch (RuntimeException e) {
      appended = CompletableFuture.failedFuture(e);
    }
    var ignored = appended.whenComplete((reply, failure) -> answered(batch, sent, reply, failure));
  }

  private void answered(
      List<Waiting<T>> batch, long sent, @Nullable Appended reply, @Nullable Throwable failure) {
    lock.lock();
    try {
      inFlight--;
      expected = Math.min(batch.size() + waiting.size(), ITEMS_MAX);
      gatherNanos = Math.min((System.nanoTime() - sent) / 2, GATHER_NANOS_MAX);
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
