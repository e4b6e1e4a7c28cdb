package org.quorumail.gossip.driver;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dispatcher of calls to the delegate, in a thread of its own, so that a slow delegate does not
 * block the gossip thread. Calls beyond the bounds are dropped and counted.
 */
final class DelegateDispatcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DelegateDispatcher.class);

  /** Some seconds at a cluster's highest rate of events. */
  static final int MAX_QUEUED = 16_384;

  /** The bytes of all queued payloads. */
  static final long MAX_QUEUED_BYTES = 64L << 20;

  private final GossipDelegate delegate;
  private final Runnable onDropped;
  private final ArrayBlockingQueue<Call> calls = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final AtomicLong queuedBytes = new AtomicLong();
  private final Thread thread;

  DelegateDispatcher(GossipDelegate delegate, Runnable onDropped) {
    this.delegate = delegate;
    this.onDropped = onDropped;
    this.thread = Thread.ofVirtual().name("gossip-delegate").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private record Call(Consumer<GossipDelegate> action, int bytes) {}

  void dispatch(Consumer<GossipDelegate> action) {
    dispatch(action, 0);
  }

  /**
   * Enqueues a call.
   *
   * @param bytes the memory that the call holds until it is made
   */
  void dispatch(Consumer<GossipDelegate> action, int bytes) {
    boolean fits = queuedBytes.addAndGet(bytes) <= MAX_QUEUED_BYTES;
    if (fits && calls.offer(new Call(action, bytes))) return;
    release(bytes);
    onDropped.run();
  }

  private void release(int bytes) {
    long left = queuedBytes.addAndGet(-bytes);
    if (left < 0) throw new IllegalStateException("the queued bytes are negative: " + left);
  }

  private void run() {
    while (true) {
      try {
        Call next = calls.take();
        release(next.bytes);
        next.action.accept(delegate);
      } catch (InterruptedException e) {
        return;
      } catch (Throwable e) {
        LOG.error(
            "event=gossip_delegate_failed", e); // the delegate's bug; the next call may succeed
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
