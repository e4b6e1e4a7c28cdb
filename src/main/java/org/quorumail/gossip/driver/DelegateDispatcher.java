package org.quorumail.gossip.driver;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls the delegate, so that it cannot hold up the gossip thread. */
final class DelegateDispatcher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DelegateDispatcher.class);

  /** Some seconds of the highest rate of events that a cluster has. */
  static final int MAX_QUEUED = 16_384;

  /** And so many bytes of payloads with them. */
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

  void dispatch(Consumer<GossipDelegate> what) {
    dispatch(what, 0);
  }

  /**
   * @param bytes of memory that the call holds until it was made
   */
  void dispatch(Consumer<GossipDelegate> what, int bytes) {
    boolean fits = queuedBytes.addAndGet(bytes) <= MAX_QUEUED_BYTES;
    if (fits && calls.offer(new Call(what, bytes))) return;
    queuedBytes.addAndGet(-bytes);
    onDropped.run();
  }

  private void run() {
    while (true) {
      try {
        Call next = calls.take();
        queuedBytes.addAndGet(-next.bytes);
        next.action.accept(delegate);
      } catch (InterruptedException e) {
        return;
      } catch (Throwable e) {
        log.error("gossip_delegate_failed", e); // whatever it is, the next call may do better
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
