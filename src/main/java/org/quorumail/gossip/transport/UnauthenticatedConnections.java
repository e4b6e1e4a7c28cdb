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
 * The connections whose other end has not proven itself yet; each holds a thread and some KiB. A
 * new connection evicts the oldest when there are too many: a member proves itself within one round
 * trip, an attacker never does. Thread-safe.
 */
public final class UnauthenticatedConnections {
  private static final Logger LOG = LoggerFactory.getLogger(UnauthenticatedConnections.class);

  private final int max;
  private final Duration timeout;

  /** The oldest first, each with its {@link System#nanoTime}. */
  private final Map<Socket, Long> since = new LinkedHashMap<>();

  /**
   * @param timeout for the whole proof: a read timeout does not stop a caller that sends a byte now
   *     and then
   */
  public UnauthenticatedConnections(int max, Duration timeout) {
    this.max = max;
    this.timeout = timeout;
  }

  /**
   * Adds a connection, and closes the oldest when there is no room.
   *
   * @return true when the oldest was closed
   */
  public boolean add(Socket socket) {
    @Nullable Socket oldest = null;
    synchronized (this) {
      if (since.size() == max) oldest = since.keySet().iterator().next();
      since.remove(oldest);
      since.put(socket, System.nanoTime());
      if (since.size() > max) {
        throw new IllegalStateException("more than " + max + " unauthenticated connections");
      }
    }
    if (oldest != null) close(oldest);
    return oldest != null;
  }

  /** Removes a connection that has proven the secret, or ended. */
  public synchronized void remove(Socket socket) {
    since.remove(socket);
  }

  /** Closes the connections that have exceeded the timeout. */
  public void closeExpired() {
    long now = System.nanoTime();
    List<Socket> expired;
    synchronized (this) {
      expired =
          since.entrySet().stream()
              .filter(entry -> now - entry.getValue() > timeout.toNanos())
              .map(Map.Entry::getKey)
              .toList();
    }
    expired.forEach(UnauthenticatedConnections::close);
  }

  private static void close(Socket socket) {
    try {
      socket.close(); // the thread that reads the socket removes it
    } catch (IOException e) {
      LOG.debug("event=gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
