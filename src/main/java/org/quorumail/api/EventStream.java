package org.quorumail.api;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterEventLog.NumberedEvent;

/**
 * Cluster events as server-sent events (WHATWG HTML, §9.2). The number of an event is its id, so a
 * client that lost the connection continues after the last event that it received.
 */
final class EventStream {
  static final String CONTENT_TYPE = "text/event-stream";

  /** Each stream holds a thread and a connection without limit of time. */
  private static final int MAX_STREAMS = 64;

  /** The interval of comment lines, which detect lost clients and keep proxies from closing. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

  private final Semaphore streamPermits = new Semaphore(MAX_STREAMS);
  private final ClusterEventLog log;
  private volatile boolean closed;

  EventStream(ClusterEventLog log) {
    this.log = log;
  }

  /** Takes a permit for {@link #write}; false when too many streams are open. */
  boolean tryOpen() {
    return streamPermits.tryAcquire();
  }

  /** Returns the permit of a stream. */
  void release() {
    streamPermits.release();
    assert streamPermits.availablePermits() <= MAX_STREAMS : "a stream without a permit";
  }

  /** Writes events until the client disconnects or the server closes; returns the permit. */
  void write(OutputStream out, long after) {
    long last = after;
    try (out) {
      while (!closed) {
        List<NumberedEvent> events = log.after(last, KEEP_ALIVE);
        if (events.isEmpty()) out.write(": still here\n\n".getBytes(StandardCharsets.US_ASCII));
        for (NumberedEvent event : events) {
          out.write(text(event));
          last = event.number();
        }
        out.flush();
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      return; // the client has disconnected
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      release();
    }
  }

  void close() {
    closed = true;
  }

  private static byte[] text(NumberedEvent event) {
    String data = new String(Json.bytes(EventRoutes.line(event)), StandardCharsets.UTF_8);
    return "id: %d\nevent: %s\ndata: %s\n\n"
        .formatted(event.number(), event.event().type(), data.replace("\n", ""))
        .getBytes(StandardCharsets.UTF_8);
  }
}
