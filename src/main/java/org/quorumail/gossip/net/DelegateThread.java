package org.quorumail.gossip.net;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls the delegate, so that it cannot hold up the gossip thread. */
final class DelegateThread implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DelegateThread.class);

  /** Some seconds of the highest rate of events that a cluster has. */
  static final int MAX_WAITING = 16_384;

  private final GossipDelegate delegate;
  private final Runnable onDropped;
  private final ArrayBlockingQueue<Consumer<GossipDelegate>> waiting =
      new ArrayBlockingQueue<>(MAX_WAITING);
  private final Thread thread;

  DelegateThread(GossipDelegate delegate, Runnable onDropped) {
    this.delegate = delegate;
    this.onDropped = onDropped;
    this.thread = Thread.ofVirtual().name("gossip-delegate").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  void tell(Consumer<GossipDelegate> what) {
    if (!waiting.offer(what)) onDropped.run();
  }

  private void run() {
    while (true) {
      try {
        waiting.take().accept(delegate);
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
