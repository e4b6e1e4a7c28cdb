package org.quorumail.gossip.net;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.net.Transport.Peer;

/**
 * One stream with another node, from the first message that waits for it to its end. What is
 * offered goes out first and in order, then what a neighbour's queue holds; the bounds keep a node
 * that reads slowly from holding our memory.
 */
final class Conversation {
  private static final int MAX_QUEUED = 256;
  private static final int MAX_QUEUED_BYTES = 8 << 20;

  /** How often a neighbour hears something: a third of what either end waits for it. */
  static final Duration KEEP_ALIVE = Duration.ofSeconds(10);

  private Peer peer;
  private final boolean called;
  private final Compression compression;
  private final ArrayDeque<byte[]> offered = new ArrayDeque<>();
  private long offeredBytes;
  private @Nullable NeighbourQueue neighbour;
  private @Nullable SealedStream stream;
  private boolean ended;
  private boolean lost;
  private volatile long writingSince;

  /**
   * @param called whether this end opened it
   */
  Conversation(Peer peer, boolean called, Compression compression) {
    this.peer = peer;
    this.called = called;
    this.compression = compression;
  }

  enum Offer {
    TAKEN,
    FULL,
    ENDED
  }

  synchronized Peer peer() {
    return peer;
  }

  /** Whether this end opened the stream; then it also says when it is still there. */
  boolean called() {
    return called;
  }

  synchronized Offer offer(byte[] body) {
    if (ended) return Offer.ENDED;
    boolean fits = offeredBytes + body.length <= MAX_QUEUED_BYTES;
    if (!fits || offered.size() == MAX_QUEUED) return Offer.FULL;
    offered.add(body);
    offeredBytes += body.length;
    notifyAll();
    return Offer.TAKEN;
  }

  /**
   * From now on also what this queue holds goes out; false when the stream has ended.
   *
   * @param named who the peer is; a seed is called by its address alone
   */
  boolean keepFor(Peer named, NeighbourQueue queue) {
    synchronized (this) {
      if (ended) return false;
      peer = named;
      neighbour = queue;
    }
    queue.drawnBy(this::wake);
    return true;
  }

  /** The peer is a neighbour no more: the stream may end without a word. */
  synchronized void release() {
    neighbour = null;
  }

  private synchronized void wake() {
    notifyAll();
  }

  /** Sends what there is until the conversation ends; this thread is the writer. */
  void write(SealedStream proven) throws IOException, InterruptedException {
    while (true) {
      byte[] body = next();
      writingSince = System.nanoTime() | 1;
      proven.write(body);
      writingSince = 0;
    }
  }

  /** The next body; nothing more than a sign of life when a neighbour has not heard us for long. */
  private synchronized byte[] next() throws InterruptedException {
    long quietSince = System.nanoTime();
    while (true) {
      byte[] body = offered.poll();
      if (body != null) {
        offeredBytes -= body.length;
        return body;
      }
      if (neighbour == null) {
        wait();
        continue;
      }
      NeighbourQueue.Waiting waiting = neighbour.poll(priority -> true).orElse(null);
      if (waiting != null) return Body.write(List.of(waiting.bytes()), compression);
      long left = KEEP_ALIVE.toNanos() - (System.nanoTime() - quietSince);
      if (left <= 0) return Body.NOTHING;
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /** From now on it can be closed from outside; false when it has ended meanwhile. */
  synchronized boolean open(SealedStream proven) {
    if (ended) return false;
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
  synchronized boolean end() {
    if (ended) return lost;
    ended = true;
    lost = !offered.isEmpty() || writingSince != 0 || neighbour != null;
    offered.clear();
    if (stream != null) {
      try {
        stream.close();
      } catch (IOException e) {
        // it is closed for us in any case
      }
    }
    return lost;
  }
}
