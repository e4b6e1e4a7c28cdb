package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.quorumail.api.Route.Access;
import org.quorumail.cluster.EventLog;
import org.quorumail.cluster.EventLog.Numbered;

/** What happens in the cluster, as this node hears it. HTTP also has it as a stream. */
final class EventRoutes {
  static final String PATH = "/api/events";

  /** A caller that waits holds a thread and a connection, not more. */
  private static final long MAX_WAIT_SECONDS = 30;

  private final ClusterView cluster;

  EventRoutes(ClusterView cluster) {
    this.cluster = cluster;
  }

  List<Route> routes() {
    return List.of(new Route("GET", PATH, Access.READ, this::events));
  }

  /** Events behind {@code after}; with {@code wait} it waits so many seconds for the first. */
  private Response events(Request request) {
    long after = number(request, "after", Long.MAX_VALUE);
    long wait = number(request, "wait", MAX_WAIT_SECONDS);
    EventLog log = cluster.events();
    try {
      List<Line> lines =
          log.after(after, Duration.ofSeconds(wait)).stream().map(EventRoutes::line).toList();
      return Response.json(new Page(lines.isEmpty() ? log.last() : lines.getLast().number, lines));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Response.problem(503, "Service Unavailable", "the node is stopping");
    }
  }

  static Line line(Numbered numbered) {
    var event = numbered.event();
    return new Line(numbered.number(), event.time(), event.node(), event.type(), event.details());
  }

  private static long number(Request request, String name, long max) {
    String text = request.parameter(name).orElse("0");
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= max) return number;
    } catch (NumberFormatException e) {
      // said below
    }
    throw new IllegalArgumentException(name + " must be a number from 0 to " + max);
  }

  /**
   * @param last to be given as {@code after} in the next call
   */
  record Page(long last, List<Line> events) {
    Page {
      events = List.copyOf(events);
    }
  }

  record Line(long number, String time, String node, String type, Map<String, String> details) {
    Line {
      details = Map.copyOf(details);
    }
  }
}
