package org.quorumail.gossip.net;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls the delegate, so that it cannot hold up the gossip thread. */
final class DelegateThread implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DelegateThread.class);

  /** Some seconds of the highest rate of events that a cluster has. */
  static final int MAX_WAITING = 16_384;

  /** And so many bytes of payloads with them. */
  static final long MAX_WAITING_BYTES = 64L << 20;

  private final GossipDelegate delegate;
  private final Runnable onDropped;
  private final ArrayBlockingQueue<Call> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final AtomicLong waitingBytes = new AtomicLong();
  private final Thread thread;

  DelegateThread(GossipDelegate delegate, Runnable onDropped) {
    this.delegate = delegate;
    this.onDropped = onDropped;
    this.thread = Thread.ofVirtual().name("gossip-delegate").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private record Call(Consumer<GossipDelegate> what, int bytes) {}

  void tell(Consumer<GossipDelegate> what) {
    tell(what, 0);
  }

  /**
   * @param bytes of memory that the call holds until it was made
   */
  void tell(Consumer<GossipDelegate> what, int bytes) {
    boolean fits = waitingBytes.addAndGet(bytes) <= MAX_WAITING_BYTES;
    if (fits && waiting.offer(new Call(what, bytes))) return;
    waitingBytes.addAndGet(-bytes);
    onDropped.run();
  }

  private void run() {
    while (true) {
      try {
        Call next = waiting.take();
        waitingBytes.addAndGet(-next.bytes);
        next.what.accept(delegate);
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
