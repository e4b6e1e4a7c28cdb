package org.quorumail.gossip.transport;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One TCP stream with another node, from the first message that waits for it to its end. Enqueued
 * bodies go out first and in order, then the messages of a neighbour's queue. The bounds keep a
 * slow reader from holding this node's memory. Thread-safe; one thread is the writer.
 */
final class StreamSession {
  private static final int MAX_QUEUED = 256;
  private static final int MAX_QUEUED_BYTES = 8 << 20;

  /** The longest silence towards a neighbour: a third of the timeout at either end. */
  static final Duration KEEP_ALIVE_INTERVAL = Duration.ofSeconds(10);

  private PeerAddress peer;
  private final boolean isOutbound;
  private final Compression compression;
  private final ArrayDeque<byte[]> bodies = new ArrayDeque<>();
  private long queuedBytes;
  private @Nullable OutboundQueue neighbourQueue;
  private @Nullable SealedStream stream;
  private boolean closed;
  private boolean hasUndelivered;
  private volatile long writingSince;

  /**
   * @param isOutbound whether this node opened the stream
   */
  StreamSession(PeerAddress peer, boolean isOutbound, Compression compression) {
    this.peer = peer;
    this.isOutbound = isOutbound;
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

  /** True when this node opened the stream; then this node also sends the keep-alives. */
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
   * Sends the messages of this queue too, from now on; returns false when the stream has ended.
   *
   * @param identified the peer with its node id, which is unknown of a seed
   */
  boolean attachQueue(PeerAddress identified, OutboundQueue queue) {
    synchronized (this) {
      if (closed) return false;
      peer = identified;
      neighbourQueue = queue;
    }
    queue.setOnAvailable(this::wake);
    return true;
  }

  /** The peer is no longer a neighbour: the stream may end without a report. */
  synchronized void detachQueue() {
    neighbourQueue = null;
  }

  private synchronized void wake() {
    notifyAll();
  }

  /** Sends queued bodies until the session ends; the calling thread is the writer. */
  void writeLoop(SealedStream authenticated) throws IOException, InterruptedException {
    while (true) {
      byte[] body = awaitBody();
      writingSince = System.nanoTime() | 1; // 0 means that no write is going on
      authenticated.write(body);
      writingSince = 0;
    }
  }

  /** The next body, or a keep-alive after a long silence towards a neighbour. */
  private synchronized byte[] awaitBody() throws InterruptedException {
    long idleSince = System.nanoTime();
    while (true) {
      byte[] body = bodies.poll();
      if (body != null) {
        queuedBytes -= body.length;
        assert queuedBytes == bodies.stream().mapToLong(b -> b.length).sum();
        return body;
      }
      if (neighbourQueue == null) {
        wait();
        continue;
      }
      OutboundQueue.QueuedMessage next = neighbourQueue.poll(streamClass -> true).orElse(null);
      if (next != null) return FrameBody.encode(List.of(next.bytes()), compression);
      long left = KEEP_ALIVE_INTERVAL.toNanos() - (System.nanoTime() - idleSince);
      if (left <= 0) return FrameBody.KEEP_ALIVE;
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /** Sets the stream, so that {@link #close} can end it; false when the session has ended. */
  synchronized boolean attachStream(SealedStream authenticated) {
    if (closed) return false;
    stream = authenticated;
    return true;
  }

  /** True when one write has taken longer than this. */
  boolean isStuck(long nanos) {
    long since = writingSince;
    return since != 0 && System.nanoTime() - since > nanos;
  }

  /**
   * Ends the session; every call returns the same.
   *
   * @return whether the owner must report it: an enqueued body was not sent, or the peer is a
   *     neighbour
   */
  synchronized boolean close() {
    if (closed) return hasUndelivered;
    closed = true;
    hasUndelivered = !bodies.isEmpty() || writingSince != 0 || neighbourQueue != null;
    bodies.clear();
    queuedBytes = 0;
    if (stream != null) {
      try {
        stream.close();
      } catch (IOException e) {
        // the descriptor is released in any case
      }
    }
    return hasUndelivered;
  }
}
