package org.quorumail.gossip.transport;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Callers that have not proven the secret yet; each holds a thread and some KiB. When there are too
 * many the next one takes the eldest's place: a member proves itself within a round trip, a
 * stranger never. Thread-safe.
 */
final class UnauthenticatedConnections {
  private static final Logger log = LoggerFactory.getLogger(UnauthenticatedConnections.class);

  private final int max;
  private final Duration timeout;

  /** The eldest first, with the time at which they came. */
  private final Map<Socket, Long> acceptedAt = new LinkedHashMap<>();

  /**
   * @param patience for the whole proof: the time-out of a read does not end one that says a byte
   *     now and then
   */
  UnauthenticatedConnections(int max, Duration patience) {
    this.max = max;
    this.timeout = patience;
  }

  /**
   * @return whether another one had to go for it
   */
  boolean add(Socket caller) {
    @Nullable Socket eldest = null;
    synchronized (this) {
      if (acceptedAt.size() == max) eldest = acceptedAt.keySet().iterator().next();
      acceptedAt.remove(eldest);
      acceptedAt.put(caller, System.nanoTime());
    }
    if (eldest != null) close(eldest);
    return eldest != null;
  }

  /** It has proven the secret, or ended. */
  synchronized void remove(Socket caller) {
    acceptedAt.remove(caller);
  }

  /** Ends those that have had their time. */
  void closeExpired() {
    long now = System.nanoTime();
    List<Socket> late;
    synchronized (this) {
      late =
          acceptedAt.entrySet().stream()
              .filter(caller -> now - caller.getValue() > timeout.toNanos())
              .map(Map.Entry::getKey)
              .toList();
    }
    late.forEach(UnauthenticatedConnections::close);
  }

  private static void close(Socket socket) {
    try {
      socket.close(); // the thread that reads it does the rest
    } catch (IOException e) {
      log.debug("gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
