package org.quorumail.gossip.net;

import java.util.Optional;
import java.util.function.Predicate;
import org.quorumail.gossip.PlumtreeMessage;
import org.quorumail.gossip.Priority;
import org.quorumail.gossip.SendQueue;

/**
 * What waits for one neighbour until its connection takes it: the core's {@link SendQueue}, filled
 * by the gossip thread and drawn from by the transport's. Thread-safe; never waits.
 */
final class NeighbourQueue {
  private final SendQueue queue;
  private final BroadcastFormat format;
  private volatile Runnable onMore = () -> {};

  NeighbourQueue(SendQueue queue, BroadcastFormat format) {
    this.queue = queue;
    this.format = format;
  }

  /**
   * A message on its way out.
   *
   * @param bytes as the other driver reads it
   */
  record Waiting(Priority priority, byte[] bytes) {}

  void add(PlumtreeMessage message) {
    synchronized (this) {
      queue.add(message);
    }
    onMore.run(); // outside the lock: who draws may hold one of its own and ask for ours
  }

  /** Calls this whenever something was added, from the thread that added it. */
  void drawnBy(Runnable wake) {
    onMore = wake;
    wake.run();
  }

  /** The next one, of a class that the connection can take now. */
  Optional<Waiting> poll(Predicate<Priority> ready) {
    PlumtreeMessage next;
    synchronized (this) {
      next = queue.poll(ready).orElse(null);
    }
    if (next == null) return Optional.empty();
    return Optional.of(new Waiting(queue.classOf(next), format.write(next)));
  }

  synchronized int size() {
    return queue.size();
  }
}
