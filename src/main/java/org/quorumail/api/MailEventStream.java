package org.quorumail.api;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import org.quorumail.api.TraceView.MailEventPage;
import org.quorumail.api.TraceView.MailEventQuery;

/**
 * Events of mail as server-sent events (WHATWG HTML, §9.2). The last event of each answer has the
 * cursor as its id, so a client that lost the connection continues there: it may get some events a
 * second time, and misses none that is still kept. A client that does not take a page in the time
 * of an answer is cut off by the deadlines of its connection.
 */
final class MailEventStream {
  /** The interval of comment lines, which detect lost clients and keep proxies from closing. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

  private final MailEventRoutes events;
  private volatile boolean closed;

  MailEventStream(MailEventRoutes events) {
    this.events = events;
  }

  /** The moments between which the client must take what was written. */
  interface Taking {
    void begin();

    void end();
  }

  /** Writes events until the client disconnects or the server closes. */
  void write(OutputStream out, MailEventQuery first, Taking taking) {
    MailEventQuery query = first;
    try (out) {
      while (!closed) {
        MailEventPage page = events.await(query, KEEP_ALIVE);
        taking.begin();
        out.write(text(page).getBytes(StandardCharsets.UTF_8));
        out.flush();
        taking.end();
        query = query.after(MailCursor.parse(page.cursor()));
      }
    } catch (IOException | UncheckedIOException e) {
      return; // the client has disconnected
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  void close() {
    closed = true;
  }

  private static String text(MailEventPage page) {
    if (page.events().isEmpty()) return ": still here\n\n";
    StringBuilder text = new StringBuilder();
    for (Iterator<Map<String, Object>> i = page.events().iterator(); i.hasNext(); ) {
      Map<String, Object> event = i.next();
      if (!i.hasNext()) text.append("id: ").append(page.cursor()).append('\n');
      text.append("event: ").append(event.get("type")).append('\n');
      String data = new String(Json.bytes(event), StandardCharsets.UTF_8);
      text.append("data: ").append(data.replace("\n", "")).append("\n\n");
    }
    return text.toString();
  }
}
