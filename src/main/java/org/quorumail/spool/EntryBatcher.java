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
 * The group commit of a spool: it batches the items of many threads into few entries. An entry
 * costs about the same whatever its size: one round over the network and onto the disks of a
 * quorum.
 *
 * <p>An entry leaves when it is full, or when none is in flight (Nagle's rule, RFC 896). The
 * threads that the last entry answered are expected to submit again. So the next entry lingers
 * until it has as many items as the last one had and left in the queue, but no longer than the last
 * one took. Entries grow with the load, and a lone client never waits.
 *
 * <p>Thread: one virtual thread forms the entries; results come on the log's threads.
 */
final class EntryBatcher implements AutoCloseable {
  /** A larger entry gains nothing: the bytes then cost more than the round. */
  static final int BYTES_MAX = 256 * 1024;

  static final int ITEMS_MAX = 64;

  /** The longest wait for more items, however far away the quorum is. */
  static final long LINGER_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);

  /** The most full entries: enough for a quorum far away, and a bound on what Raft buffers. */
  static final int IN_FLIGHT_MAX = 8;

  /**
   * The most queued items. The next {@link #submit} blocks, which is back-pressure on its client.
   */
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

  private record QueuedItem(SpoolEntry item, int bytes, CompletableFuture<ApplyResult> result) {}

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
   * Queues an item, an entry whose result is one byte. Blocks while the queue is full, at most
   * until the deadline. A caller that no longer waits cancels the future; an item that is not in an
   * entry yet is then not sent.
   *
   * @param deadline in the time of {@link System#nanoTime}
   * @return completes with the result, or with a {@link NoQuorumException}
   */
  CompletableFuture<ApplyResult> submit(SpoolEntry item, long deadline)
      throws InterruptedException {
    CompletableFuture<ApplyResult> result = new CompletableFuture<>();
    lock.lockInterruptibly();
    try {
      while (queue.size() >= QUEUE_MAX && !closed) {
        if (queueHasRoom.awaitNanos(deadline - System.nanoTime()) <= 0) {
          result.completeExceptionally(failure("has too many messages waiting for a quorum"));
          return result;
        }
      }
      if (closed) {
        result.completeExceptionally(failure("is closing"));
        return result;
      }
      int bytes = SpoolEntryFormat.sizeBound(item);
      queue.add(new QueuedItem(item, bytes, result));
      queuedBytes += bytes;
      // wakes the thread only when a batch may be ready
      if (queue.size() == 1 || isFull() || hasExpectedItems()) changed.signal();
      return result;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses queued items; entries in flight still complete their items. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      queue.forEach(w -> w.result.completeExceptionally(failure("is closing")));
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

  /** Waits until the next batch is ready; null when closed. */
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

  /** The wait in nanoseconds; unbounded while an entry is in flight, whose result ends it. */
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
      if (first.result.isDone()) continue; // its session no longer waits
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
      CompletableFuture<ApplyResult> result = batch.get(i).result;
      if (reply != null) result.complete(ApplyResult.decode(reply.reply(), i));
      else result.completeExceptionally(failure == null ? failure("gave no reply") : failure);
    }
  }

  private NoQuorumException failure(String what) {
    return new NoQuorumException("the spool " + log.name() + " " + what);
  }
}
