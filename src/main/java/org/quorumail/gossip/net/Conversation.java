package org.quorumail.gossip.net;

import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.net.Transport.Peer;

/**
 * One stream with another node, from the first message that waits for it to its end. What is
 * offered goes out in order; the bounds keep a node that reads slowly from holding our memory.
 */
final class Conversation {
  private static final int MAX_QUEUED = 256;
  private static final int MAX_QUEUED_BYTES = 8 << 20;

  private final Peer peer;
  private final ArrayBlockingQueue<byte[]> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final AtomicLong queuedBytes = new AtomicLong();
  private @Nullable SealedStream stream;
  private boolean ended;
  private volatile long writingSince;

  Conversation(Peer peer) {
    this.peer = peer;
  }

  enum Offer {
    TAKEN,
    FULL,
    ENDED
  }

  Peer peer() {
    return peer;
  }

  synchronized Offer offer(byte[] body) {
    if (ended) return Offer.ENDED;
    boolean fits = queuedBytes.get() + body.length <= MAX_QUEUED_BYTES;
    if (!fits || !queue.offer(body)) return Offer.FULL;
    queuedBytes.addAndGet(body.length);
    return Offer.TAKEN;
  }

  /** Sends what is offered until the conversation ends; this thread is the writer. */
  void write(SealedStream proven) throws IOException, InterruptedException {
    while (true) {
      byte[] body = queue.take();
      queuedBytes.addAndGet(-body.length);
      writingSince = System.nanoTime() | 1;
      proven.write(body);
      writingSince = 0;
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
   * @return whether something that was offered has not left
   */
  synchronized boolean end() {
    ended = true;
    if (stream != null) {
      try {
        stream.close();
      } catch (IOException e) {
        // it is closed for us in any case
      }
    }
    boolean lost = !queue.isEmpty() || writingSince != 0;
    queue.clear();
    return lost;
  }
}
