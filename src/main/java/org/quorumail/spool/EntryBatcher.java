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
import org.quorumail.replication.ReplicatedLog.AppendResult;

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
final class EntryBatcher implements AutoCloseable {
  /** More bytes gain nothing: by then they cost more than the entry itself. */
  static final int BYTES_MAX = 256 * 1024;

  static final int ITEMS_MAX = 64;

  /** The longest wait for company, however far away the quorum is. */
  static final long LINGER_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);

  /** Full entries; enough for a quorum far away, and a bound on what Raft holds for us. */
  static final int IN_FLIGHT_MAX = 8;

  /** Items that wait. The next one blocks, which is back-pressure on its client. */
  static final int QUEUE_MAX = 1024;

  private final ReplicatedLog log;
  private final Supplier<Duration> entryTimeout;
  private final IntConsumer batchSize;
  private final long lingerNanosMax;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition queueHasRoom = lock.newCondition();
  private final ArrayDeque<QueuedItem> queue = new ArrayDeque<>();
  private long queuedBytes;
  private int inFlight;
  private int expectedItems = 1;
  private long lingerUntilNanos = System.nanoTime();
  private boolean closed;

  private record QueuedItem(SpoolEntry item, int bytes, CompletableFuture<ApplyResult> answer) {}

  private EntryBatcher(
      ReplicatedLog log,
      Supplier<Duration> entryTimeout,
      IntConsumer batchSize,
      long lingerNanosMax) {
    this.log = log;
    this.entryTimeout = entryTimeout;
    this.batchSize = batchSize;
    this.lingerNanosMax = lingerNanosMax;
  }

  /**
   * Starts the thread that forms entries.
   *
   * @param entryTimeout of one entry, see {@link ReplicatedLog#append}
   * @param batchSize gets the number of items of each entry
   */
  static EntryBatcher start(
      ReplicatedLog log, Supplier<Duration> entryTimeout, IntConsumer batchSize) {
    return start(log, entryTimeout, batchSize, LINGER_NANOS_MAX);
  }

  /** Starts one with another bound on the wait for more items, for tests. */
  static EntryBatcher start(
      ReplicatedLog log,
      Supplier<Duration> entryTimeout,
      IntConsumer batchSize,
      long lingerNanosMax) {
    EntryBatcher batcher = new EntryBatcher(log, entryTimeout, batchSize, lingerNanosMax);
    Thread.ofVirtual().name("batcher-" + log.name()).start(batcher::run);
    return batcher;
  }

  /**
   * Queues an item, an entry that is answered with one byte; blocks while too many wait, at most
   * until the deadline. Whoever gives up waiting for the answer cancels it: then an item that is
   * not in an entry yet is not sent.
   *
   * @param deadline of {@link System#nanoTime}
   * @return completes with the answer, or with a {@link NoQuorumException}
   */
  CompletableFuture<ApplyResult> submit(SpoolEntry item, long deadline)
      throws InterruptedException {
    CompletableFuture<ApplyResult> answer = new CompletableFuture<>();
    lock.lockInterruptibly();
    try {
      while (queue.size() >= QUEUE_MAX && !closed) {
        if (queueHasRoom.awaitNanos(deadline - System.nanoTime()) <= 0) {
          answer.completeExceptionally(failure("has too many messages waiting for a quorum"));
          return answer;
        }
      }
      if (closed) {
        answer.completeExceptionally(failure("is closing"));
        return answer;
      }
      int bytes = SpoolEntryFormat.sizeBound(item);
      queue.add(new QueuedItem(item, bytes, answer));
      queuedBytes += bytes;
      // the thread sleeps through what does not concern it
      if (queue.size() == 1 || isFull() || hasExpectedItems()) changed.signal();
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
      queue.forEach(w -> w.answer.completeExceptionally(failure("is closing")));
      queue.clear();
      changed.signal();
      queueHasRoom.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      for (List<QueuedItem> batch = awaitBatch(); batch != null; batch = awaitBatch())
        append(batch);
    } catch (InterruptedException e) {
      close();
    }
  }

  /** Waits for the next batch to be ripe; null when closed. */
  private @Nullable List<QueuedItem> awaitBatch() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        if (queue.isEmpty() || inFlight == IN_FLIGHT_MAX) {
          changed.await();
          continue;
        }
        long left = nanosUntilReady();
        if (left <= 0) {
          List<QueuedItem> batch = takeBatch();
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
  private long nanosUntilReady() {
    if (isFull()) return 0;
    if (inFlight > 0) return Long.MAX_VALUE;
    if (hasExpectedItems()) return 0;
    return lingerUntilNanos - System.nanoTime();
  }

  private boolean hasExpectedItems() {
    return queue.size() >= expectedItems;
  }

  private boolean isFull() {
    return queue.size() >= ITEMS_MAX || queuedBytes >= BYTES_MAX;
  }

  private List<QueuedItem> takeBatch() {
    List<QueuedItem> batch = new ArrayList<>(Math.min(queue.size(), ITEMS_MAX));
    int bytes = 0;
    while (!queue.isEmpty() && batch.size() < ITEMS_MAX) {
      QueuedItem first = queue.element();
      if (!batch.isEmpty() && bytes + first.bytes > BYTES_MAX) break;
      queue.remove();
      queuedBytes -= first.bytes;
      if (first.answer.isDone()) continue; // its session has given up
      bytes += first.bytes;
      batch.add(first);
    }
    queueHasRoom.signalAll();
    if (!batch.isEmpty()) inFlight++;
    return batch;
  }

  private void append(List<QueuedItem> batch) {
    batchSize.accept(batch.size());
    long sent = System.nanoTime();
    CompletableFuture<AppendResult> appended;
    try {
      appended = log.append(SpoolEntryFormat.write(entry(batch)), entryTimeout.get());
    } catch (RuntimeException e) {
      appended = CompletableFuture.failedFuture(e);
    }
    var ignored = appended.whenComplete((reply, failure) -> answered(batch, sent, reply, failure));
  }

  private static SpoolEntry entry(List<QueuedItem> batch) {
    if (batch.size() == 1) return batch.getFirst().item;
    return new SpoolEntry.Batch(batch.stream().map(QueuedItem::item).toList());
  }

  private void answered(
      List<QueuedItem> batch,
      long sent,
      @Nullable AppendResult reply,
      @Nullable Throwable failure) {
    lock.lock();
    try {
      inFlight--;
      expectedItems = Math.min(batch.size() + queue.size(), ITEMS_MAX);
      long now = System.nanoTime();
      lingerUntilNanos = now + Math.min(now - sent, lingerNanosMax);
      if (!queue.isEmpty() && (inFlight == 0 || inFlight == IN_FLIGHT_MAX - 1)) changed.signal();
    } finally {
      lock.unlock();
    }
    for (int i = 0; i < batch.size(); i++) {
      CompletableFuture<ApplyResult> answer = batch.get(i).answer;
      if (reply != null) answer.complete(ApplyResult.decode(reply.reply(), i));
      else answer.completeExceptionally(failure == null ? failure("gave no reply") : failure);
    }
  }

  private NoQuorumException failure(String what) {
    return new NoQuorumException("the spool " + log.name() + " " + what);
  }
}
