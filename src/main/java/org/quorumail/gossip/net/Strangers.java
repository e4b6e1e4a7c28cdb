package org.quorumail.gossip.net;

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
final class Strangers {
  private static final Logger log = LoggerFactory.getLogger(Strangers.class);

  private final int max;
  private final Duration patience;

  /** The eldest first, with the time at which they came. */
  private final Map<Socket, Long> waiting = new LinkedHashMap<>();

  /**
   * @param patience for the whole proof: the time-out of a read does not end one that says a byte
   *     now and then
   */
  Strangers(int max, Duration patience) {
    this.max = max;
    this.patience = patience;
  }

  /**
   * @return whether another one had to go for it
   */
  boolean admit(Socket caller) {
    @Nullable Socket eldest = null;
    synchronized (this) {
      if (waiting.size() == max) eldest = waiting.keySet().iterator().next();
      waiting.remove(eldest);
      waiting.put(caller, System.nanoTime());
    }
    if (eldest != null) close(eldest);
    return eldest != null;
  }

  /** It has proven the secret, or ended. */
  synchronized void remove(Socket caller) {
    waiting.remove(caller);
  }

  /** Ends those that have had their time. */
  void endLate() {
    long now = System.nanoTime();
    List<Socket> late;
    synchronized (this) {
      late =
          waiting.entrySet().stream()
              .filter(caller -> now - caller.getValue() > patience.toNanos())
              .map(Map.Entry::getKey)
              .toList();
    }
    late.forEach(Strangers::close);
  }

  private static void close(Socket socket) {
    try {
      socket.close(); // the thread that reads it does the rest
    } catch (IOException e) {
      log.debug("gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
