package org.quorumail.gossip.transport;

import java.util.Optional;
import java.util.function.Predicate;

/**
 * The messages that wait for the connection to one neighbour. One thread fills it, the transport's
 * threads drain it; no method waits.
 */
public interface OutboundQueue {
  /** The next message of a class that the connection can send now. */
  Optional<QueuedMessage> poll(Predicate<StreamClass> isReady);

  /** Registers a callback for each added message, and calls it once at once. */
  void setOnAvailable(Runnable callback);

  /** One encoded message and the class of stream that carries it. */
  record QueuedMessage(StreamClass streamClass, byte[] bytes) {}
}
