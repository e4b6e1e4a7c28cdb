package org.quorumail.gossip.driver;

import java.util.Optional;
import java.util.function.Predicate;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.plumtree.SendPriority;
import org.quorumail.gossip.plumtree.SendQueue;

/**
 * What waits for one neighbour until its connection takes it: the core's {@link SendQueue}, filled
 * by the gossip thread and drawn from by the transport's. Thread-safe; never waits.
 */
public final class NeighbourQueue {
  private final SendQueue queue;
  private final BroadcastFormat format;
  private volatile Runnable onAvailable = () -> {};

  public NeighbourQueue(SendQueue queue, BroadcastFormat format) {
    this.queue = queue;
    this.format = format;
  }

  /**
   * A message on its way out.
   *
   * @param bytes as the other driver reads it
   */
  public record QueuedMessage(SendPriority priority, byte[] bytes) {}

  public void add(PlumtreeMessage message) {
    synchronized (this) {
      queue.add(message);
    }
    onAvailable.run(); // outside the lock: who draws may hold one of its own and ask for ours
  }

  /** Calls this whenever something was added, from the thread that added it. */
  public void setOnAvailable(Runnable wake) {
    onAvailable = wake;
    wake.run();
  }

  /** The next one, of a class that the connection can take now. */
  public Optional<QueuedMessage> poll(Predicate<SendPriority> ready) {
    PlumtreeMessage next;
    synchronized (this) {
      next = queue.poll(ready).orElse(null);
    }
    if (next == null) return Optional.empty();
    return Optional.of(new QueuedMessage(queue.classOf(next), format.encode(next)));
  }

  public synchronized int size() {
    return queue.size();
  }
}
