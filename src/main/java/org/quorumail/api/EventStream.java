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
 * Events as server-sent events (WHATWG HTML, §9.2): one event each, its number as id, so that a
 * client that lost the connection goes on behind the last one it saw.
 */
final class EventStream {
  static final String CONTENT_TYPE = "text/event-stream";

  /** Each holds a thread and a connection for as long as it likes. */
  private static final int MAX_STREAMS = 64;

  /** A line now and then shows who has gone, and keeps proxies from closing. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

  private final Semaphore streamPermits = new Semaphore(MAX_STREAMS);
  private final ClusterEventLog log;
  private volatile boolean closed;

  EventStream(ClusterEventLog log) {
    this.log = log;
  }

  /** False: there are too many already. */
  boolean tryOpen() {
    return streamPermits.tryAcquire();
  }

  /** Writes until the client goes or the server closes. */
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
      return; // the client has gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      streamPermits.release();
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
