package org.quorumail.gossip.transport;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.driver.NeighbourQueue;

/**
 * One stream with another node, from the first message that waits for it to its end. What is
 * offered goes out first and in order, then what a neighbour's queue holds; the bounds keep a node
 * that reads slowly from holding our memory.
 */
final class StreamSession {
  private static final int MAX_QUEUED = 256;
  private static final int MAX_QUEUED_BYTES = 8 << 20;

  /** How often a neighbour hears something: a third of what either end waits for it. */
  static final Duration KEEP_ALIVE_INTERVAL = Duration.ofSeconds(10);

  private PeerAddress peer;
  private final boolean isOutbound;
  private final Compression compression;
  private final ArrayDeque<byte[]> bodies = new ArrayDeque<>();
  private long queuedBytes;
  private @Nullable NeighbourQueue neighbourQueue;
  private @Nullable SealedStream stream;
  private boolean closed;
  private boolean hasUndelivered;
  private volatile long writingSince;

  /**
   * @param called whether this end opened it
   */
  StreamSession(PeerAddress peer, boolean called, Compression compression) {
    this.peer = peer;
    this.isOutbound = called;
    this.compression = compression;
  }

  enum EnqueueResult {
    QUEUED,
    FULL,
    CLOSED
  }

  synchronized PeerAddress peer() {
    return peer;
  }

  /** Whether this end opened the stream; then it also says when it is still there. */
  boolean isOutbound() {
    return isOutbound;
  }

  synchronized EnqueueResult enqueue(byte[] body) {
    if (closed) return EnqueueResult.CLOSED;
    boolean fits = queuedBytes + body.length <= MAX_QUEUED_BYTES;
    if (!fits || bodies.size() == MAX_QUEUED) return EnqueueResult.FULL;
    bodies.add(body);
    queuedBytes += body.length;
    notifyAll();
    return EnqueueResult.QUEUED;
  }

  /**
   * From now on also what this queue holds goes out; false when the stream has ended.
   *
   * @param named who the peer is; a seed is called by its address alone
   */
  boolean attachQueue(PeerAddress named, NeighbourQueue queue) {
    synchronized (this) {
      if (closed) return false;
      peer = named;
      neighbourQueue = queue;
    }
    queue.setOnAvailable(this::wake);
    return true;
  }

  /** The peer is a neighbour no more: the stream may end without a word. */
  synchronized void detachQueue() {
    neighbourQueue = null;
  }

  private synchronized void wake() {
    notifyAll();
  }

  /** Sends what there is until the conversation ends; this thread is the writer. */
  void writeLoop(SealedStream proven) throws IOException, InterruptedException {
    while (true) {
      byte[] body = awaitBody();
      writingSince = System.nanoTime() | 1;
      proven.write(body);
      writingSince = 0;
    }
  }

  /** The next body; nothing more than a sign of life when a neighbour has not heard us for long. */
  private synchronized byte[] awaitBody() throws InterruptedException {
    long quietSince = System.nanoTime();
    while (true) {
      byte[] body = bodies.poll();
      if (body != null) {
        queuedBytes -= body.length;
        return body;
      }
      if (neighbourQueue == null) {
        wait();
        continue;
      }
      NeighbourQueue.QueuedMessage waiting = neighbourQueue.poll(priority -> true).orElse(null);
      if (waiting != null) return FrameBody.encode(List.of(waiting.bytes()), compression);
      long left = KEEP_ALIVE_INTERVAL.toNanos() - (System.nanoTime() - quietSince);
      if (left <= 0) return FrameBody.KEEP_ALIVE;
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /** From now on it can be closed from outside; false when it has ended meanwhile. */
  synchronized boolean attachStream(SealedStream proven) {
    if (closed) return false;
    stream = proven;
    return true;
  }

  /** Whether a write has been going on for longer than this. */
  boolean isStuck(long nanos) {
    long since = writingSince;
    return since != 0 && System.nanoTime() - since > nanos;
  }

  /**
   * Ends it, whoever finds out first.
   *
   * @return whether somebody has to know: something that was offered has not left, or the peer is a
   *     neighbour
   */
  synchronized boolean close() {
    if (closed) return hasUndelivered;
    closed = true;
    hasUndelivered = !bodies.isEmpty() || writingSince != 0 || neighbourQueue != null;
    bodies.clear();
    if (stream != null) {
      try {
        stream.close();
      } catch (IOException e) {
        // it is closed for us in any case
      }
    }
    return hasUndelivered;
  }
}
