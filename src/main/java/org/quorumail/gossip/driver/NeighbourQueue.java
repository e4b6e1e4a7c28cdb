package org.quorumail.gossip.driver;

import java.util.Optional;
import java.util.function.Predicate;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.plumtree.SendPriority;
import org.quorumail.gossip.plumtree.SendQueue;
import org.quorumail.gossip.transport.OutboundQueue;
import org.quorumail.gossip.transport.StreamClass;

/**
 * The broadcasts that wait for the connection to one neighbour: the core's {@link SendQueue},
 * filled by the gossip thread and drained by the transport's. Thread-safe; never waits.
 */
public final class NeighbourQueue implements OutboundQueue {
  private final SendQueue queue;
  private final BroadcastFormat format;
  private volatile Runnable onAvailable = () -> {};

  public NeighbourQueue(SendQueue queue, BroadcastFormat format) {
    this.queue = queue;
    this.format = format;
  }

  public void add(PlumtreeMessage message) {
    synchronized (this) {
      queue.add(message);
    }
    onAvailable.run(); // outside the lock: the callback may take a lock whose holder polls here
  }

  @Override
  public void setOnAvailable(Runnable callback) {
    onAvailable = callback;
    callback.run();
  }

  @Override
  public Optional<QueuedMessage> poll(Predicate<StreamClass> isReady) {
    PlumtreeMessage next;
    synchronized (this) {
      next = queue.poll(priority -> isReady.test(streamClass(priority))).orElse(null);
    }
    if (next == null) return Optional.empty();
    StreamClass streamClass = streamClass(queue.classOf(next));
    return Optional.of(new QueuedMessage(streamClass, format.encode(next)));
  }

  public synchronized int size() {
    return queue.size();
  }

  private static StreamClass streamClass(SendPriority priority) {
    return switch (priority) {
      case CRITICAL -> StreamClass.CRITICAL;
      case HIGH -> StreamClass.HIGH;
      case NORMAL -> StreamClass.NORMAL;
      case LOW -> StreamClass.LOW;
    };
  }
}
